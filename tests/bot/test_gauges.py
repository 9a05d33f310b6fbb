"""What an operator sees of the whole installation: how much waits, and whether the servers answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from bot.app import open_core
from bot.gauges import refresh
from db.outbox import Outbox
from db.records import Accepted, ChannelStatus, Dialogue, WorkKind, dialogue_id_of


def figure(name, **labels):
    return REGISTRY.get_sample_value(f"ai_admin_{name}", labels)


@pytest.fixture
def accept(core):
    async def accept(channel, key):
        update = Accepted(update_key=key, dialogue_key=key, payload=b"{}")
        await core.intake.accept(channel, [update], quiet=timedelta(0))

    return accept


async def test_the_queue_is_as_long_as_what_is_due_and_as_old_as_its_oldest(core, clock, make_channel, accept):
    for slug in ("one", "two"):
        await accept(await make_channel(slug), "first")
    clock.advance(timedelta(seconds=40))

    await refresh(core, counts=True)
    assert figure("queue_length", kind="turn") == 2
    assert figure("queue_age_seconds", kind="turn") == 40
    assert figure("queue_length", kind="memory") == 0

    await core.work.claim("somebody", limit=10, ttl=timedelta(seconds=10), kind=WorkKind.TURN)
    await refresh(core, counts=True)
    assert figure("queue_length", kind="turn") == 0
    assert figure("queue_age_seconds", kind="turn") == 0


async def test_replies_of_all_companies_wait_in_the_outbox_until_they_are_sent(core, clock, channel):
    outbox, id_ = Outbox(core.clock), dialogue_id_of(channel.id, "7")
    dialogue = Dialogue(id=id_, company_id=channel.company_id, channel_id=channel.id, key="7")
    async with core.database.company(channel.company_id) as tx:
        await outbox.put(tx, dialogue, [{"text": "one"}, {"text": "two"}], turn_id=None)

    await refresh(core, counts=True)
    assert figure("outbox_length") == 2
    async with core.database.company(channel.company_id) as tx:
        for reply in await outbox.list_waiting(tx, id_, limit=5):
            await outbox.mark_sent(tx, reply.id)
    await refresh(core, counts=True)
    assert figure("outbox_length") == 0
    assert figure("outbox_age_seconds") == 0


async def test_dead_updates_and_broken_channels_of_all_companies_are_counted(core, make_channel, accept):
    channel, fine = await make_channel("torn"), await make_channel("fine")
    await accept(channel, "bad")
    await accept(fine, "good")
    async with core.database.company(channel.company_id) as tx:
        [update] = await core.inbox.list_waiting(tx, dialogue_id_of(channel.id, "bad"), limit=5)
        await core.inbox.bury(tx, update.id, "unreadable")
    await core.companies.set_channel_status(channel.company_id, channel.id, ChannelStatus.BROKEN)
    slug = (await core.companies.get_snapshot(channel.company_id)).company.slug

    await refresh(core, counts=True)
    assert figure("dead_letters") == 1
    assert figure("company_channel_broken", company=slug, channel=channel.type.value) == 1
    await core.companies.set_channel_status(channel.company_id, channel.id, ChannelStatus.ACTIVE)
    await refresh(core, counts=True)
    assert figure("company_channel_broken", company=slug, channel=channel.type.value) is None


async def test_a_server_that_does_not_answer_is_a_figure_and_no_error(core, settings):
    await refresh(core, counts=True)
    assert figure("database_up") == figure("redis_up") == 1
    assert figure("database_pool_connections", state="free") > 0

    nobody = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    async with open_core(nobody) as deaf:
        await refresh(deaf, counts=True)
    assert figure("redis_up") == 0
    assert figure("database_up") == 1
