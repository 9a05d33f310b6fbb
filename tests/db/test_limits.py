"""Rates, paces and caches in Redis; and that nothing stops without it."""

from __future__ import annotations

from datetime import timedelta

from db.cache import Cache
from db.limits import Budget, RateLimits
from db.records import (
    WorkKind,
)


async def test_a_rate_lets_a_burst_through_and_then_says_how_long_to_wait(core):
    limits = RateLimits(core.redis, core.redis_prefix)
    spend = [await limits.spend("k", Budget(1, timedelta(hours=1), 3)) for _ in range(4)]

    assert spend[:3] == [None, None, None]
    assert timedelta(minutes=59) < spend[3] <= timedelta(hours=1)
    assert await limits.spend("other", Budget(1, timedelta(hours=1), 1)) is None


async def test_those_who_wait_in_a_queue_are_told_a_moment_each(core):
    limits = RateLimits(core.redis, core.redis_prefix)
    hourly = Budget(1, timedelta(hours=1), 1)
    waits = [await limits.spend("k", hourly, queue=True) for _ in range(4)]

    assert waits[0] is None
    for hours, wait in enumerate(waits[1:], start=1):
        assert timedelta(hours=hours, minutes=-1) < wait <= timedelta(hours=hours)


async def test_a_held_budget_lets_nothing_through_and_then_only_its_steady_rate(core):
    limits = RateLimits(core.redis, core.redis_prefix)
    budget = Budget(1, timedelta(seconds=100), 50)
    await limits.hold("k", budget, timedelta(hours=1))
    await limits.hold("k", budget, timedelta(minutes=1))
    waits = [await limits.spend("k", budget, queue=True) for _ in range(2)]

    assert timedelta(minutes=59) < waits[0] <= timedelta(hours=1)
    assert timedelta(seconds=99) < waits[1] - waits[0] < timedelta(seconds=101)
    assert await limits.spend("other", budget) is None


async def test_without_redis_limits_are_open_and_bells_and_caches_are_silent(core):
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    from db.doorbell import Doorbell

    gone = Redis(port=1, retry=Retry(NoBackoff(), 0))
    cache = Cache(gone, "p:")

    limits, hourly = RateLimits(gone, "p:"), Budget(1, timedelta(hours=1), 1)
    await limits.hold("k", hourly, timedelta(hours=1))
    assert await limits.spend("k", hourly) is None
    assert await limits.spend("k", hourly, strict=True) is not None, "what guards a secret is not tried meanwhile"
    await Doorbell(gone, "p:").ring(WorkKind.TURN)
    assert not await Doorbell(gone, "p:").wait(WorkKind.TURN, timedelta(milliseconds=10))
    await cache.set("k", "v", ttl=timedelta(seconds=1))
    assert await cache.get("k") is None
    await cache.delete("k")
    await gone.aclose()


async def test_a_cache_keeps_and_drops(core):
    cache = Cache(core.redis, core.redis_prefix)
    await cache.set("k", "слово", ttl=timedelta(minutes=1))
    assert await cache.get("k") == "слово"
    await cache.delete("k")
    assert await cache.get("k") is None
