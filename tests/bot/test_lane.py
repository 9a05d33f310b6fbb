"""A lane of the worker: what fails is retried and then given up, what is lost is let go, what is stopped is drained."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.lane import LEASE, DeadLetters, Lane
from db.engine import Database
from db.models import work
from db.records import Accepted, WorkKind

LONG = timedelta(minutes=10)


class ScriptedJob:
    """Does what it is told with each claim, and writes down what was asked of it."""

    def __init__(self, core):
        self.core = core
        self.asked = asyncio.Queue()
        self.act = self.finish
        self.errors = []
        self.given_up = []
        self.cancelled = asyncio.Event()

    async def finish(self, claim):
        async with self.core.database.company(claim.company_id) as tx:
            await self.core.work.done(tx, claim)

    async def hang(self, claim):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    async def __call__(self, claim):
        self.asked.put_nowait(claim)
        await self.act(claim)

    async def failed(self, claim, error):
        self.errors.append(str(error))

    async def give_up(self, claim):
        self.given_up.append(claim)
        await self.finish(claim)
        self.asked.put_nowait(claim)


@pytest.fixture
def job(core):
    return ScriptedJob(core)


async def write(core, channel, key="1"):
    update = Accepted(update_key=key, dialogue_key=f"{key}:{key}:", payload=b"{}")
    await core.intake.accept(channel, [update], quiet=timedelta(0))


@asynccontextmanager
async def running(core, job, **options):
    lane = Lane(
        WorkKind.TURN, job, core.work, core.doorbell, core.clock, owner="w", **{"places": 4, "lease": LEASE} | options
    )
    task = asyncio.create_task(lane.run())
    try:
        yield lane
    finally:
        lane.stop()
        await task


async def raises(claim):
    raise RuntimeError("cannot")


async def test_what_fails_is_tried_again_later_and_given_up_after_its_tries(core, channel, job, clock):
    job.act = raises
    await write(core, channel)

    async with asyncio.timeout(60):
        for _ in range(4):
            async with running(core, job, dead_letters=DeadLetters(tries=3)):
                claim = await job.asked.get()
            clock.advance(LONG)

    assert job.errors == ["cannot"] * 3
    assert [claim.attempts for claim in job.given_up] == [3]
    assert claim in job.given_up
    assert await core.work.next_due_in(WorkKind.TURN) is None


async def test_lost_leases_are_no_failures_and_many_are_allowed(core, channel, job, clock):
    await write(core, channel)
    for _ in range(6):
        await core.work.claim("killed", limit=1, ttl=LEASE, kind=WorkKind.TURN)
        clock.advance(LEASE + timedelta(seconds=1))

    async with asyncio.timeout(30), running(core, job):
        claim = await job.asked.get()

    assert (claim.attempts, claim.lost_leases) == (0, 6)
    assert job.given_up == []


async def test_one_that_kills_its_workers_again_and_again_is_given_up_too(core, channel, job, clock):
    await write(core, channel)
    for _ in range(3):
        await core.work.claim("killed", limit=1, ttl=LEASE, kind=WorkKind.TURN)
        clock.advance(LEASE + timedelta(seconds=1))

    async with asyncio.timeout(30), running(core, job, dead_letters=DeadLetters(lost_leases=3)):
        await job.asked.get()

    assert [claim.lost_leases for claim in job.given_up] == [3]


async def test_a_job_whose_lease_another_worker_took_is_cancelled(core, channel, job, clock):
    job.act = job.hang
    await write(core, channel)
    short = timedelta(milliseconds=300)

    async with asyncio.timeout(30), running(core, job, lease=short):
        claim = await job.asked.get()
        # Taken over as by a worker whose clock is ahead: the row has another fence now.
        async with core.database.company(channel.company_id) as tx:
            await tx.connection.execute(update(work).values(fence=claim.fence + 1))
        await job.cancelled.wait()


async def test_a_job_whose_lease_ran_out_unrenewed_is_cancelled(core, channel, job, clock):
    job.act = job.hang
    await write(core, channel)
    gone = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    there = core.work._database

    async with asyncio.timeout(30), running(core, job, lease=timedelta(milliseconds=300)):
        await job.asked.get()
        core.work._database = gone
        clock.advance(timedelta(seconds=1))
        await job.cancelled.wait()
        core.work._database = there
    await gone.close()


async def test_a_stopped_lane_finishes_what_runs_and_takes_nothing_new(core, channel, job):
    go_on = asyncio.Event()

    async def slow(claim):
        await go_on.wait()
        await job.finish(claim)

    job.act = slow
    await write(core, channel)

    async with asyncio.timeout(30), running(core, job) as lane:
        await job.asked.get()
        lane.stop()
        await write(core, channel, "2")
        go_on.set()

    [left] = await core.work.claim("other", limit=5, ttl=LEASE, kind=WorkKind.TURN)
    assert (left.attempts, left.lost_leases) == (0, 0)


async def test_what_does_not_finish_in_time_is_given_back_at_once(core, channel, job):
    job.act = job.hang
    await write(core, channel)

    async with asyncio.timeout(30), running(core, job, drain=timedelta(milliseconds=50)):
        await job.asked.get()

    [again] = await core.work.claim("other", limit=5, ttl=LEASE, kind=WorkKind.TURN)
    assert (again.attempts, again.lost_leases) == (0, 0)
