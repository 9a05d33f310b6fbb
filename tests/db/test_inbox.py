"""Accepted updates: stored once, dead ones listed and put back, kept for a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from db.errors import NotFound
from db.models import accepted_updates
from db.records import (
    Accepted,
    WorkKind,
    dialogue_id_of,
    new_id,
)

LEASE = timedelta(seconds=12)
TURN = WorkKind.TURN


def update(key, dialogue="5:5:", payload=b"{}"):
    return Accepted(update_key=key, dialogue_key=dialogue, payload=payload)


async def accept(core, channel, *updates, quiet=timedelta(0)):
    return await core.intake.accept(channel, updates, quiet=quiet)


async def claim(core, owner="one", limit=10):
    return await core.work.claim(owner, limit=limit, ttl=LEASE, kind=TURN)


async def waiting(core, channel, dialogue="5:5:"):
    async with core.database.company(channel.company_id) as tx:
        found = await core.inbox.list_waiting(tx, dialogue_id_of(channel.id, dialogue), limit=50)
    return [one.update_key for one in found]


async def test_an_update_is_stored_once_however_often_it_comes(core, channel):
    assert await accept(core, channel, update("1"), update("1"), update("2")) == 2
    assert await accept(core, channel, update("2"), update("3")) == 1

    assert await waiting(core, channel) == ["1", "2", "3"]


async def test_the_same_update_id_in_two_companies_is_two_updates(core, channel, make_channel):
    other = await make_channel("other")

    assert await accept(core, channel, update("1")) == 1
    assert await accept(core, other, update("1")) == 1


async def test_a_dead_update_is_listed_retried_and_dropped(core, channel):
    await accept(core, channel, update("1"), update("2"))
    [held] = await claim(core)
    async with core.database.company(channel.company_id) as tx:
        one, two = await core.inbox.list_waiting(tx, held.dialogue_id, limit=5)
        await core.inbox.record_failure(tx, one.id, "ValueError: x")
        await core.inbox.bury(tx, one.id, None)
        await core.inbox.mark_done(tx, [two.id], turn_id=new_id())
        await core.work.done(tx, held)

    async with core.database.company(channel.company_id) as tx:
        [dead] = await core.inbox.list_dead(tx)
        assert (dead.update_key, dead.error, dead.attempts) == ("1", "ValueError: x", 1)
        await core.inbox.retry_dead(tx, dead.id)
    assert await waiting(core, channel) == ["1"]
    assert len(await claim(core)) == 1
    async with core.database.company(channel.company_id) as tx:
        await core.inbox.bury(tx, dead.id, "again")
        await core.inbox.drop_dead(tx, dead.id)
        assert await core.inbox.list_dead(tx) == []
        for action in (core.inbox.retry_dead, core.inbox.drop_dead):
            with pytest.raises(NotFound):
                await action(tx, dead.id)


async def test_dedup_keys_outlive_whatsapps_week_and_are_swept_after(core, channel, clock):
    await accept(core, channel, update("1"))
    [held] = await claim(core)
    async with core.database.company(channel.company_id) as tx:
        [stored] = await core.inbox.list_waiting(tx, held.dialogue_id, limit=5)
        await core.inbox.mark_done(tx, [stored.id], turn_id=None)
    for days, swept in ((7, 0), (2, 2)):
        clock.advance(timedelta(days=days))
        async with core.database.company(channel.company_id) as tx:
            assert await core.inbox.sweep(tx, now=clock()) == swept
    async with core.database.company(channel.company_id) as tx:
        assert await tx.connection.scalar(select(func.count()).select_from(accepted_updates)) == 0
