"""The doorbell: a Redis list that spares workers the poll. The truth is the `work` table; a lost ring costs 1 s."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

_MOST_RINGS = 1000


class Doorbell:
    """One ring wakes one worker (a published message would wake all); one key, so that a Redis Cluster takes it."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key

    async def ring(self) -> None:
        """Ring after the commit. Never raises: the poll finds the work too."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.rpush(self._key, "1")
                pipeline.ltrim(self._key, -_MOST_RINGS, -1)
                await pipeline.execute()
        except RedisError as error:
            log.warning("bell_not_rung", error=type(error).__name__)

    async def wait(self, within: timedelta) -> bool:
        """Wait for a ring, at most so long; say whether there was one."""
        seconds = max(within.total_seconds(), 0.01)
        try:
            rung: Any = self._redis.blpop([self._key], timeout=seconds)
            return await rung is not None
        except RedisError as error:
            log.warning("bell_not_heard", error=type(error).__name__)
            await asyncio.sleep(seconds)
            return False
