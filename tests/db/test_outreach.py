"""Whom to write to unasked: where a client was last heard, if they can be reached there, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from db.clients import Clients
from db.dialogues import Dialogues
from db.outreach import Outreach, writable
from db.records import ChannelStatus, ChannelType, dialogue_id_of

PHONE = "+79160000001"


@pytest.fixture
async def company(core, channel):
    """A company with a bot, a number, a telephone and an API."""
    for type_ in (ChannelType.WHATSAPP, ChannelType.VOICE, ChannelType.API):
        await core.companies.add_channel(
            channel.company_id, type_, external_id=type_.value, name=type_.value, options={}, secrets={}
        )
    return {one.type: one for one in await core.companies.list_channels(channel.company_id)}


@pytest.fixture
def dialogue(core):
    """Begin a dialogue, heard so many hours ago, with a proved phone or none."""

    async def begin(channel, key, *, hours, phone=None, unreachable=False):
        async with core.database.company(channel.company_id) as tx:
            begun = await Dialogues().open_dialogue(
                tx,
                channel_id=channel.id,
                dialogue_id=dialogue_id_of(channel.id, key),
                key=key,
                now=core.clock(),
            )
            heard = replace(begun, proved_phone=phone, last_message_at=core.clock() - timedelta(hours=hours))
            await Dialogues().save_dialogue(tx, heard)
            await Clients().link(tx, heard)
            if unreachable:
                await Dialogues().mark_unreachable(tx, begun.id, now=core.clock())
        return begun

    return begin


async def found(core, company, dialogue):
    channels = writable(company.values())
    company_id = company[ChannelType.TELEGRAM].company_id
    async with core.database.company(company_id) as tx:
        one = await Outreach().find_dialogue(tx, dialogue.id, channels)
    return one.id if one else None


def test_only_messengers_that_work_can_be_begun_in(company):
    broken = replace(company[ChannelType.WHATSAPP], status=ChannelStatus.BROKEN)

    assert writable(company.values()) == [
        one.id for one in company.values() if one.type in (ChannelType.TELEGRAM, ChannelType.WHATSAPP)
    ]
    assert broken.id not in writable([broken])


async def test_a_client_of_two_messengers_is_written_to_where_they_wrote_last(core, company, dialogue):
    early = await dialogue(company[ChannelType.TELEGRAM], "1:1:", hours=5, phone=PHONE)
    late = await dialogue(company[ChannelType.WHATSAPP], "RU.1", hours=2, phone=PHONE)
    call = await dialogue(company[ChannelType.VOICE], "call", hours=1, phone=PHONE)

    for asked in (early, late, call):
        assert await found(core, company, asked) == late.id


async def test_where_they_blocked_us_they_are_not_written_to(core, company, dialogue):
    early = await dialogue(company[ChannelType.TELEGRAM], "1:1:", hours=5, phone=PHONE)
    late = await dialogue(company[ChannelType.WHATSAPP], "RU.1", hours=2, phone=PHONE, unreachable=True)

    assert await found(core, company, late) == early.id


async def test_who_has_proved_nothing_is_written_to_in_that_dialogue_alone(core, company, dialogue):
    await dialogue(company[ChannelType.TELEGRAM], "1:1:", hours=1)
    other = await dialogue(company[ChannelType.TELEGRAM], "2:2:", hours=3)
    call = await dialogue(company[ChannelType.VOICE], "call", hours=1)

    assert await found(core, company, other) == other.id
    assert await found(core, company, call) is None


async def test_a_numbers_owner_is_who_has_proved_it(core, company, dialogue):
    early = await dialogue(company[ChannelType.TELEGRAM], "1:1:", hours=5, phone=PHONE)
    late = await dialogue(company[ChannelType.WHATSAPP], "RU.1", hours=2, phone=PHONE)
    await dialogue(company[ChannelType.TELEGRAM], "2:2:", hours=1)
    company_id = company[ChannelType.TELEGRAM].company_id

    async with core.database.company(company_id) as tx:
        owners = await Outreach().find_owners(tx, [PHONE, "+79990000000"], writable(company.values()))
        none = await Outreach().find_owners(tx, [], writable(company.values()))

    assert {phone: one.id for phone, one in owners.items()} == {PHONE: late.id}
    assert none == {}
    assert early.id != late.id
