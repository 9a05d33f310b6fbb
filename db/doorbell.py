"""The doorbell: a Redis list that spares workers the poll. The truth is the `work` table; a lost ring costs 1 s."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from db.records import DialogueId, WorkKind

log = structlog.get_logger()

POLL = timedelta(seconds=1)
"""How often workers look for work without a ring; what is due no sooner needs none."""
_MOST_RINGS = 1000
_MOST_AT_ONCE = 8


class Doorbell:
    """A list for each kind of work. One ring wakes one worker (a published message would wake all)."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    def of(self, dialogue_id: DialogueId) -> Doorbell:
        """Return a bell for one dialogue alone: whoever else waits for work does not hear it."""
        return Doorbell(self._redis, f"{self._prefix}{dialogue_id}:")

    async def ring(self, kind: WorkKind, *, times: int = 1) -> None:
        """Ring after the commit, for several workers where there is much to do. Never raises: the poll finds it too."""
        key = self._key(kind)
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.rpush(key, *["1"] * min(times, _MOST_AT_ONCE))
                pipeline.ltrim(key, -_MOST_RINGS, -1)
                await pipeline.execute()
        except RedisError as error:
            log.warning("bell_not_rung", error=type(error).__name__)

    async def wait(self, kind: WorkKind, within: timedelta) -> bool:
        """Wait for a ring, at most so long; say whether there was one."""
        seconds = max(within.total_seconds(), 0.01)
        try:
            rung: Any = self._redis.blpop([self._key(kind)], timeout=seconds)
            return await rung is not None
        except RedisError as error:
            log.warning("bell_not_heard", error=type(error).__name__)
            await asyncio.sleep(seconds)
            return False

    def _key(self, kind: WorkKind) -> str:
        # One key a call, so that a Redis Cluster takes it.
        return f"{self._prefix}bell:{kind}"
