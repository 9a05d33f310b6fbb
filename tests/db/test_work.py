"""The work engine: claimed by one, under a lease, fenced; rung once or often, never lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from db.errors import LeaseLost
from db.records import (
    Accepted,
    WorkKind,
    dialogue_id_of,
)
from db.work import ring

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


async def done(core, held, **more):
    async with core.database.company(held.company_id) as tx:
        await core.work.done(tx, held, **more)


async def test_updates_of_two_dialogues_are_two_pieces_of_work(core, channel):
    await accept(core, channel, update("1", "5:5:"), update("2", "6:6:"), update("3", "5:5:"))

    claims = await claim(core)

    assert sorted(str(one.dialogue_id) for one in claims) == sorted(
        str(dialogue_id_of(channel.id, key)) for key in ("5:5:", "6:6:")
    )


async def test_a_dialogue_is_held_by_one_worker_at_a_time(core, channel):
    await accept(core, channel, update("1"))

    first, second = await asyncio.gather(claim(core, "one"), claim(core, "two"))

    assert len(first) + len(second) == 1
    assert await claim(core, "three") == []


async def test_messages_that_come_during_a_turn_make_exactly_one_further_claim(core, channel):
    await accept(core, channel, update("1"))
    [held] = await claim(core)
    for key in ("2", "3", "4"):
        await accept(core, channel, update(key))
    assert await claim(core) == []

    await done(core, held)
    [again] = await claim(core)
    await done(core, again)

    assert await claim(core) == []


async def test_the_quiet_time_holds_a_turn_back(core, channel, clock):
    await accept(core, channel, update("1"), quiet=timedelta(seconds=1))

    assert await claim(core) == []
    assert await core.work.next_due_in(TURN) == timedelta(seconds=1)
    clock.advance(timedelta(seconds=1))
    assert len(await claim(core)) == 1


async def test_an_earlier_ring_is_not_put_off_by_a_later_one(core, channel, clock):
    dialogue = dialogue_id_of(channel.id, "5:5:")
    for delay in (10, 1, 20):
        async with core.database.company(channel.company_id) as tx:
            due = clock() + timedelta(seconds=delay)
            await ring(tx, dialogue_id=dialogue, channel_id=channel.id, kind=WorkKind.TURN, due_at=due)

    assert await core.work.next_due_in(TURN) == timedelta(seconds=1)


async def test_a_lost_lease_is_taken_over_counted_and_the_late_commit_is_refused_whole(core, channel, clock):
    await accept(core, channel, update("1"))
    [zombie] = await claim(core, "zombie")
    clock.advance(LEASE + timedelta(seconds=1))

    [taken] = await claim(core, "living")

    async def commit_late():
        async with core.database.company(channel.company_id) as tx:
            stored = await core.inbox.list_waiting(tx, zombie.dialogue_id, limit=1)
            await core.inbox.mark_done(tx, [stored[0].id], turn_id=None)
            await core.work.done(tx, zombie)

    with pytest.raises(LeaseLost):
        await commit_late()

    assert taken.lost_leases == 1
    assert taken.fence == zombie.fence + 1
    assert await waiting(core, channel) == ["1"]
    await done(core, taken)


async def test_a_renewed_lease_is_kept_and_only_ones_own(core, channel, clock):
    await accept(core, channel, update("1"))
    [held] = await claim(core)
    clock.advance(timedelta(seconds=8))
    assert await core.work.renew([held], ttl=LEASE) == {held}
    clock.advance(timedelta(seconds=8))
    assert await claim(core, "two") == []

    clock.advance(timedelta(seconds=8))
    [taken] = await claim(core, "two")
    assert await core.work.renew([held], ttl=LEASE) == set()
    assert await core.work.renew([taken], ttl=LEASE) == {taken}
    assert await core.work.renew([], ttl=LEASE) == set()


async def test_a_claim_given_back_is_due_again_and_failures_are_counted(core, channel, clock):
    await accept(core, channel, update("1"))
    [held] = await claim(core)

    assert await core.work.release(held, due_at=clock() + timedelta(seconds=5), failed=True)
    assert await claim(core) == []
    clock.advance(timedelta(seconds=5))
    [again] = await claim(core)

    assert again.attempts == 1
    assert not await core.work.release(held, due_at=clock(), failed=True)


async def test_the_worker_sees_work_of_all_companies_the_longest_waiting_first(core, channel, clock, make_channel):
    other = await make_channel("other")
    await accept(core, other, update("1"))
    clock.advance(timedelta(seconds=1))
    await accept(core, channel, update("1"))

    [first] = await claim(core, limit=1)
    [second] = await claim(core, limit=1)

    assert (first.company_id, second.company_id) == (other.company_id, channel.company_id)


async def test_who_serves_one_dialogue_claims_and_awaits_nothing_else(core, channel):
    await accept(core, channel, update("1", dialogue="5:5:"), update("2", dialogue="6:6:"))
    only = dialogue_id_of(channel.id, "6:6:")

    [held] = await core.work.claim("one", limit=10, ttl=LEASE, kind=TURN, only=only)

    assert held.dialogue_id == only
    assert await core.work.claim("one", limit=10, ttl=LEASE, kind=TURN, only=only) == []
    assert await core.work.next_due_in(TURN, only=only) is None
    assert [one.dialogue_id for one in await claim(core)] == [dialogue_id_of(channel.id, "5:5:")]


async def test_the_bell_of_one_dialogue_is_heard_by_nobody_else(core, channel):
    own = core.doorbell.of(dialogue_id_of(channel.id, "5:5:"))
    moment = timedelta(milliseconds=10)

    await own.ring(WorkKind.TURN)

    assert not await core.doorbell.wait(WorkKind.TURN, moment)
    assert await own.wait(WorkKind.TURN, moment)
