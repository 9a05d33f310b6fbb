"""Rates: GCRA in one Lua script over one Redis key, with the server's own time. While Redis is away limits are open."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

# The key holds the theoretical arrival time of the next call; a call is allowed while that lies within the burst's
# tolerance from now (GCRA, as in ITU-T I.371). Answers 0, or the microseconds to wait.
_GCRA = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval = tonumber(ARGV[1])
local tolerance = interval * (tonumber(ARGV[2]) - 1)
local arrival = tonumber(redis.call('GET', KEYS[1]) or now)
if arrival < now then arrival = now end
local wait = arrival - tolerance - now
if wait > 0 then return wait end
arrival = arrival + interval
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
return 0
"""


class RateLimits:
    """Budgets by key, shared by all processes."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._script: Any = redis.register_script(_GCRA)
        self._prefix = prefix

    async def spend(self, key: str, *, rate: int, per: timedelta, burst: int) -> timedelta | None:
        """Take one of `rate` per `per`, with `burst` at once allowed. None: allowed; else how long to wait."""
        interval = per / rate
        try:
            wait = await self._script(
                keys=[f"{self._prefix}rate:{{{key}}}"], args=[round(interval / timedelta(microseconds=1)), burst]
            )
        except RedisError as error:
            log.warning("limit_open", error=type(error).__name__)
            return None
        return timedelta(microseconds=int(wait)) if int(wait) > 0 else None


class Pace:
    """Waits for a vendor's budget; past `limit` it gives up, so that no client waits behind an endless queue."""

    def __init__(self, limits: RateLimits, *, limit: timedelta = timedelta(seconds=10)) -> None:
        self._limits = limits
        self._limit = limit

    async def wait(self, vendor: str, *, rate: int, per: timedelta, burst: int) -> None:
        """Return when one more call is allowed. Raises TimeoutError."""
        async with asyncio.timeout(self._limit.total_seconds()):
            while True:
                delay = await self._limits.spend(f"vendor:{vendor}", rate=rate, per=per, burst=burst)
                if delay is None:
                    return
                await asyncio.sleep(delay.total_seconds())
