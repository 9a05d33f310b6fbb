"""The way in: stored once, committed before yes, many callers in one commit, nobody over its rate."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy import select

from db.engine import Database
from db.errors import DatabaseUnavailable, TooManyUpdates
from db.intake import Intake, IntakeBudgets
from db.limits import Budget, RateLimits
from db.models import accepted_updates
from db.records import Accepted

FREE = Budget(rate=1000, per=timedelta(seconds=1), burst=100_000)
UNLIMITED = IntakeBudgets(company=FREE, address=FREE)


class CountingDatabase(Database):
    """Counts the transactions of the intake."""

    commits = 0

    def intake(self):
        self.commits += 1
        return super().intake()


@pytest.fixture
async def database(core):
    opened = CountingDatabase(core.owner_url)
    yield opened
    await opened.close()


@pytest.fixture
async def intake(core, database):
    opened = Intake(database, core.clock, core.doorbell, core.limits, UNLIMITED)
    yield opened
    await opened.close()


def update(key, dialogue="5:5:"):
    return Accepted(update_key=str(key), dialogue_key=dialogue, payload=b"{}")


async def stored(core, channel):
    async with core.database.company(channel.company_id) as tx:
        rows = await tx.connection.execute(
            select(accepted_updates.c.update_key)
            .where(accepted_updates.c.company_id == channel.company_id)
            .order_by(accepted_updates.c.accepted_at, accepted_updates.c.id)
        )
        return [row[0] for row in rows]


async def accept(intake, channel, *updates):
    return await intake.accept(channel, updates, quiet=timedelta(0))


async def test_callers_at_the_same_time_share_a_commit_and_each_hears_its_own_count(
    core, database, intake, make_channel
):
    first, second = await make_channel("first"), await make_channel("second")

    counts = await asyncio.gather(
        *(accept(intake, first, update(number)) for number in range(40)),
        *(accept(intake, second, update(number), update(number + 100)) for number in range(40)),
        accept(intake, first, update(7)),
    )

    assert counts == [1] * 40 + [2] * 40 + [0]
    assert len(await stored(core, first)) == 40
    assert len(await stored(core, second)) == 80
    assert database.commits <= 3


async def test_one_caller_alone_waits_for_nobody(core, database, intake, make_channel):
    channel = await make_channel("alone")

    for number in range(3):
        assert await accept(intake, channel, update(number)) == 1

    assert database.commits == 3


async def test_the_order_in_which_they_came_is_kept(core, intake, make_channel):
    channel = await make_channel("order")

    await asyncio.gather(*(accept(intake, channel, update(number)) for number in range(200)))

    assert await stored(core, channel) == [str(number) for number in range(200)]


async def test_one_that_cannot_be_stored_does_not_take_the_others_with_it(core, intake, make_channel):
    channel = await make_channel("mixed")

    outcomes = await asyncio.gather(
        accept(intake, channel, update(1)),
        accept(intake, channel, update("nul\x00")),
        accept(intake, channel, update(2)),
        return_exceptions=True,
    )

    assert (outcomes[0], outcomes[2]) == (1, 1)
    assert isinstance(outcomes[1], Exception)
    assert await stored(core, channel) == ["1", "2"]


async def test_a_caller_that_went_away_spoils_nothing(core, intake, make_channel):
    channel = await make_channel("gone")
    leaving = asyncio.create_task(accept(intake, channel, update(1)))
    staying = asyncio.create_task(accept(intake, channel, update(2)))
    await asyncio.sleep(0)

    leaving.cancel()

    assert await staying == 1


async def test_a_company_over_its_rate_is_refused_and_the_others_are_not(core, database, make_channel):
    few = Budget(rate=1, per=timedelta(hours=1), burst=3)
    intake = Intake(database, core.clock, core.doorbell, core.limits, IntakeBudgets(company=few, address=FREE))
    flood, calm = await make_channel("flood"), await make_channel("calm")

    outcomes = await asyncio.gather(
        *(accept(intake, flood, update(number)) for number in range(5)),
        accept(intake, calm, update(1)),
        return_exceptions=True,
    )

    await intake.close()

    assert outcomes[:3] == [1, 1, 1]
    assert all(isinstance(one, TooManyUpdates) and one.wait > timedelta(minutes=50) for one in outcomes[3:5])
    assert outcomes[5] == 1
    assert await stored(core, flood) == ["0", "1", "2"]


async def test_an_address_over_its_rate_is_refused_whatever_company_it_writes_to(core, database, make_channel):
    few = Budget(rate=1, per=timedelta(hours=1), burst=2)
    intake = Intake(database, core.clock, core.doorbell, core.limits, IntakeBudgets(company=FREE, address=few))
    first, second = await make_channel("one"), await make_channel("two")
    now = {"quiet": timedelta(0)}

    outcomes = await asyncio.gather(
        intake.accept(first, [update(1)], address="192.0.2.1", **now),
        intake.accept(second, [update(2)], address="192.0.2.1", **now),
        intake.accept(second, [update(3)], address="192.0.2.1", **now),
        intake.accept(second, [update(4)], address="192.0.2.2", **now),
        return_exceptions=True,
    )

    await intake.close()

    assert [outcomes[0], outcomes[1], outcomes[3]] == [1, 1, 1]
    assert isinstance(outcomes[2], TooManyUpdates)
    assert await stored(core, second) == ["2", "4"]


async def test_without_redis_the_rates_are_open(core, database, make_channel):
    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    few = Budget(rate=1, per=timedelta(hours=1), burst=1)
    intake = Intake(
        database, core.clock, core.doorbell, RateLimits(gone, "p:"), IntakeBudgets(company=few, address=few)
    )
    channel = await make_channel("open")

    assert [await accept(intake, channel, update(number)) for number in range(3)] == [1, 1, 1]
    await intake.close()
    await gone.aclose()


async def test_without_a_database_nothing_is_accepted(core, make_channel):
    channel = await make_channel("down")
    closed = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    intake = Intake(closed, core.clock, core.doorbell, core.limits, UNLIMITED)

    with pytest.raises(DatabaseUnavailable):
        await accept(intake, channel, update(1))
    await closed.close()
    assert await stored(core, channel) == []
