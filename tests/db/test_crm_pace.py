"""Vendors' limits on calls in Redis: kept by all, and shared out in turn by company."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from db.crm_pace import CrmPace, Ticket
from db.records import new_id


@dataclass(frozen=True)
class Limit:
    name: str
    rate: int
    per: timedelta
    burst: int


SECOND = Limit("vendor:second", 4, timedelta(seconds=1), 1)
MINUTE = Limit("vendor:minute", 180, timedelta(minutes=1), 20)
VENDOR = (SECOND, MINUTE)
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True)
class Made:
    """A call that went out."""

    company: str
    asked: float
    at: float
    ahead: int

    @property
    def waited(self) -> float:
        return self.at - self.asked


@dataclass
class Street:
    """Companies that ask, one moment after another, by a clock that nobody waits for."""

    redis: Redis
    prefix: str = field(default_factory=lambda: f"test:{new_id().hex}:")
    now: datetime = START
    made: list[Made] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pace = CrmPace(self.redis, self.prefix, clock=lambda: self.now)
        self._events: list[tuple[float, int, float, Ticket, timedelta]] = []
        self._order = itertools.count()

    def asks(
        self, company: str, *, at: float, times: int = 1, ahead: int = 0, line: str = "direct", limits=VENDOR
    ) -> None:
        for _ in range(times):
            ticket = self.pace.ticket(limits, line=line, company=company, ahead=ahead)
            self._push(at, at, ticket, PATIENCE)

    async def passes(self, *, dead: frozenset[str] = frozenset()) -> None:
        """Let time pass until everybody was served or refused; the `dead` ask once and never come back."""
        while self._events:
            at, _, asked, ticket, left = heapq.heappop(self._events)
            self.now = START + timedelta(seconds=at)
            turn = await self.pace.ask(ticket, patience=left)
            if turn.go:
                self.made.append(Made(ticket.company, asked, at, ticket.ahead))
            elif not turn.queued:
                self.refused.append(ticket.company)
            elif ticket.company not in dead:
                self._push(at + turn.wait.total_seconds(), asked, ticket, left - turn.wait)

    def waits(self, company: str) -> list[float]:
        return [one.waited for one in self.made if one.company == company]

    def _push(self, at: float, asked: float, ticket: Ticket, left: timedelta) -> None:
        heapq.heappush(self._events, (at, next(self._order), asked, ticket, left))


@pytest.fixture
async def redis(servers) -> AsyncIterator[Redis]:
    client = Redis.from_url(servers.servers.redis_url, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
def street(redis: Redis) -> Street:
    return Street(redis)


async def test_both_limits_hold_over_all_companies(street):
    for second in range(60):
        street.asks("greedy", at=second, times=3)
        street.asks("modest", at=second + 0.5, times=2)
    await street.passes()
    moments = sorted(one.at for one in street.made)

    assert all(later - earlier >= 0.249 for earlier, later in itertools.pairwise(moments))
    assert len([moment for moment in moments if moment < 60]) <= 180 + 20


async def test_one_who_asks_when_there_is_room_waits_for_nothing(street):
    street.asks("elita", at=0)
    street.asks("elita", at=1)
    await street.passes()

    assert street.waits("elita") == [0, 0]


async def test_a_greedy_company_keeps_nobody_waiting_longer_than_their_share(street):
    """40 calls stand before it, and yet the other's call is the next but one."""
    street.asks("greedy", at=0, times=60)
    for second in (1, 3, 5, 7):
        street.asks("modest", at=second + 0.1)
    await street.passes()

    # Two companies share 3 calls a second at the least: a call of each, and the moment that was under way.
    assert len(street.waits("modest")) == 4
    assert max(street.waits("modest")) <= 3 * 60 / 180
    assert "modest" not in street.refused


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    others=st.integers(1, 6),
    calls_of_others=st.integers(1, 30),
    moments=st.lists(st.floats(0, 8), min_size=1, max_size=3),
)
def test_who_asks_now_and_then_waits_for_one_call_of_each_other_company(servers, others, calls_of_others, moments):
    async def play() -> list[float]:
        redis = Redis.from_url(servers.servers.redis_url, decode_responses=True)
        street = Street(redis)
        for number in range(others):
            street.asks(f"greedy-{number}", at=0, times=calls_of_others)
        for moment in moments:
            street.asks("modest", at=moment)
        await street.passes()
        await redis.aclose()
        assert "modest" not in street.refused
        return street.waits("modest")

    # Its own calls that come together stand behind one another, each round a call of every company.
    interval, rounds = 60 / 180, len(moments)
    assert max(asyncio.run(play())) <= (others + 1) * interval * rounds + 0.26


async def test_who_asks_for_still_more_gets_no_more(street):
    for second in range(20):
        street.asks("thrice", at=second, times=9)
        street.asks("twice", at=second, times=6)
    await street.passes()
    busy = [one.company for one in street.made if 2 < one.at < 20]

    assert len(busy) / 4 < busy.count("thrice") <= busy.count("twice") + 1


async def test_a_booking_goes_before_readings_also_of_its_own_company(street):
    street.asks("elita", at=0, times=12)
    street.asks("boroda", at=0, times=12)
    street.asks("elita", at=1, times=4, ahead=8)
    await street.passes()
    bookings = [one for one in street.made if one.ahead]

    assert max(one.waited for one in bookings) <= 5 * 0.34
    assert len(street.made) == 28


async def test_bookings_without_end_starve_no_reading(street):
    for second in range(12):
        street.asks("greedy", at=second, times=4, ahead=8)
    street.asks("modest", at=1.1)
    await street.passes()

    assert len(street.waits("modest")) == 1
    assert street.waits("modest")[0] <= (8 + 2) * 0.34


async def test_a_refresh_lets_readings_go_first(street):
    street.asks("elita", at=0, times=6, ahead=-8)
    street.asks("boroda", at=0.1, times=4)
    await street.passes()
    last_reading = max(one.at for one in street.made if one.company == "boroda")

    assert [one.ahead for one in street.made if 0.1 < one.at <= last_reading] == [0, 0, 0, 0]
    assert len(street.waits("elita")) == 6


async def test_what_would_wait_too_long_is_refused_at_once(street):
    street.asks("greedy", at=0, times=100)
    await street.passes()

    assert len(street.made) + len(street.refused) == 100
    assert max(street.waits("greedy")) <= PATIENCE.total_seconds()
    assert 30 <= len(street.made) <= 50


async def test_whoever_died_in_the_queue_holds_the_others_up_for_a_second_at_most(street):
    street.asks("alive", at=0)
    street.asks("dead", at=0, times=2)
    street.asks("alive", at=0.01)
    await street.passes(dead=frozenset({"dead"}))

    assert len(street.waits("alive")) == 2
    assert max(street.waits("alive")) <= 1 + 3 * 0.26


async def test_each_outgoing_address_and_each_vendor_is_counted_apart(street):
    street.asks("elita", at=0, line="line-1")
    street.asks("elita", at=0, line="line-2")
    street.asks("elita", at=0, limits=(Limit("other:second", 4, timedelta(seconds=1), 1),))
    await street.passes()

    assert street.waits("elita") == [0, 0, 0]


async def test_a_caller_sleeps_until_its_turn_and_gives_up_past_its_limit(redis):
    slept: list[float] = []
    now = START

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += timedelta(seconds=seconds)

    pace = CrmPace(redis, f"test:{new_id().hex}:", clock=lambda: now, sleep=sleep)
    for _ in range(3):
        await pace.wait([SECOND], line="direct", company="elita", ahead=0)
    assert slept == [0.25, 0.25]

    hourly = [Limit("slow", 1, timedelta(hours=1), 1)]
    await pace.wait(hourly, line="direct", company="elita", ahead=0)
    with pytest.raises(TimeoutError):
        await pace.wait(hourly, line="direct", company="elita", ahead=0)
    assert slept == [0.25, 0.25]


async def test_whoever_is_cancelled_leaves_the_queue(redis):
    now, waiting = START, asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    prefix = f"test:{new_id().hex}:"
    pace = CrmPace(redis, prefix, clock=lambda: now, sleep=sleep)
    await pace.wait([SECOND], line="direct", company="elita", ahead=0)
    task = asyncio.create_task(pace.wait([SECOND], line="direct", company="elita", ahead=0))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await redis.keys(f"{prefix}*:queue") == []


async def test_by_redis_own_clock_the_first_call_goes_and_the_next_waits(redis):
    pace = CrmPace(redis, f"test:{new_id().hex}:")
    hourly = [Limit("slow", 1, timedelta(hours=1), 1)]
    first, second = (pace.ticket(hourly, line="direct", company="elita", ahead=0) for _ in range(2))

    assert (await pace.ask(first, patience=timedelta(days=1))).go
    turn = await pace.ask(second, patience=timedelta(days=1))
    assert not turn.go
    assert timedelta(minutes=59) < turn.wait <= timedelta(hours=1)


async def test_without_redis_the_limits_are_open():
    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    pace = CrmPace(gone, "p:")
    for _ in range(3):
        await pace.wait([Limit("slow", 1, timedelta(hours=1), 1)], line="direct", company="elita", ahead=0)
    await gone.aclose()
