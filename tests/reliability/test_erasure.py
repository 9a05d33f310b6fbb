"""A client who is erased while something of theirs is in flight is not written back by it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from bot.client_data import ClientData
from db.dialogue_state import DialogueStates, StateKey
from db.errors import LeaseLost
from db.models import accepted_updates, messages, sessions
from db.outbox import Outbox
from db.outbox_models import replies, sent_messages
from db.records import Dialogue, DialogueState, WorkKind, dialogue_id_of

LONG = timedelta(minutes=2)
"""Leases are renewed, and lost ones cancelled, every third of this: the worker must find out at its commit."""


@pytest.fixture
def lease():
    return LONG


@pytest.fixture
def data(house):
    return ClientData(house.core)


def lost_leases(kind="turn"):
    return REGISTRY.get_sample_value("ai_admin_claims_total", {"kind": kind, "outcome": "lease_lost"}) or 0


async def rows_of(house, *tables):
    async with house.core.database.company(house.company_id) as tx:
        return {table.name: await tx.connection.scalar(select(func.count()).select_from(table)) for table in tables}


async def test_a_turn_that_was_thinking_while_its_client_was_erased_keeps_and_says_nothing(house, data, until):
    client = house.client("Зинаида")
    await client.says("Здравствуйте")
    await client.shares_contact()
    await house.settles()
    heard, lost = len(client.heard), lost_leases()
    answer = asyncio.Event()
    held = house.vendors.yclients.fail_next("/book_times/", hold_before=answer)
    await house.vendors.telegram.people.send_text(
        client.bot_id, client.user, "Хочу на женскую стрижку завтра к Анне Смирновой"
    )
    await until(lambda: held.held == 1)

    await data.erase(await data.plan(house.company_id, client.phone))
    answer.set()
    await until(lambda: lost_leases() > lost)
    await house.settles()

    assert await rows_of(house, sessions, messages, replies, accepted_updates) == {
        "sessions": 0,
        "messages": 0,
        "replies": 0,
        "accepted_updates": 0,
    }
    assert len(client.heard) == heard
    # The next word is a new client's, and is answered.
    assert "Я цифровой помощник" in (await client.says("Добрый день")).text


async def test_a_worker_that_claimed_a_dialogue_before_it_was_erased_does_not_begin_it_again(house, data, until):
    client = house.client("Зинаида")
    await client.says("Здравствуйте")
    await client.shares_contact()
    await house.kill_worker()
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Вы тут?")
    claims = await until(lambda: house.core.work.claim("old", limit=1, ttl=LONG, kind=WorkKind.TURN))

    await data.erase(await data.plan(house.company_id, client.phone))
    with pytest.raises(LeaseLost):
        await house.desk._job(claims[0])

    assert await rows_of(house, sessions, accepted_updates) == {"sessions": 0, "accepted_updates": 0}


async def test_what_the_client_writes_while_they_are_erased_is_answered_as_a_new_clients(
    house, data, until, monkeypatch
):
    client = house.client("Зинаида")
    await client.says("Здравствуйте")
    await client.shares_contact()
    await house.settles()
    plan = await data.plan(house.company_id, client.phone)
    delete, heard = data._delete, len(client.heard)

    async def come():
        return (await rows_of(house, accepted_updates))["accepted_updates"] > before

    async def and_meanwhile(*arguments, **named):
        house.clock.advance(timedelta(seconds=1))
        await house.vendors.telegram.people.send_text(client.bot_id, client.user, "А сколько стоит окрашивание?")
        await until(come)
        return await delete(*arguments, **named)

    before = (await rows_of(house, accepted_updates))["accepted_updates"]
    monkeypatch.setattr(data, "_delete", and_meanwhile)
    await data.erase(plan)
    await house.vendors.telegram.people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > heard)

    assert "Я цифровой помощник" in client.heard[-1]
    assert (await rows_of(house, accepted_updates))["accepted_updates"] == 1


async def test_a_reply_that_the_messenger_takes_after_the_erasure_leaves_no_row(house, data):
    client = house.client("Зинаида")
    await client.says("Здравствуйте")
    await client.shares_contact()
    await house.settles()
    outbox, channel = Outbox(house.clock), await house.channel()
    key = f"{client.user.id}:{client.user.id}:"
    dialogue = Dialogue(id=dialogue_id_of(channel.id, key), company_id=house.company_id, channel_id=channel.id, key=key)
    await house.kill_worker()
    async with house.core.database.company(house.company_id) as tx:
        await outbox.put(tx, dialogue, [{"text": "Зинаида, ждём вас"}], turn_id=None)
        [reply] = await outbox.list_waiting(tx, dialogue.id, limit=5)

    await data.erase(await data.plan(house.company_id, client.phone))
    async with house.core.database.company(house.company_id) as tx:
        await outbox.mark_part_sent(tx, reply, "77")

    assert await rows_of(house, replies, sent_messages) == {"replies": 0, "sent_messages": 0}


async def test_a_copy_of_the_state_that_comes_late_is_not_taken(house, data):
    client = house.client("Зинаида")
    await client.says("Здравствуйте")
    await client.shares_contact()
    await house.settles()
    channel = await house.channel()
    states = DialogueStates(house.core.redis, house.core.redis_prefix)
    key = StateKey(
        company_id=house.company_id,
        channel="telegram",
        bot=channel.external_id,
        dialogue=f"{client.user.id}:{client.user.id}:",
    )

    await data.erase(await data.plan(house.company_id, client.phone))
    await states.copy(key, DialogueState(state="confirming", data={"phone": client.phone}, version=9))

    assert client.phone not in await house.core.redis.get(key.redis_key(house.core.redis_prefix))
