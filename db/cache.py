"""Short-lived answers kept in Redis for all processes. Losing them costs speed, nothing else."""

from __future__ import annotations

from datetime import timedelta

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()


class Cache:
    """Values by key, each for its own time; never raises."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    async def get(self, key: str) -> str | None:
        try:
            value = await self._redis.get(self._prefix + key)
        except RedisError as error:
            log.warning("cache_not_read", error=type(error).__name__)
            return None
        return value if value is None or isinstance(value, str) else bytes(value).decode()

    async def set(self, key: str, value: str, *, ttl: timedelta) -> None:
        try:
            await self._redis.set(self._prefix + key, value, px=ttl)
        except RedisError as error:
            log.warning("cache_not_written", error=type(error).__name__)

    async def delete(self, key: str) -> None:
        try:
            await self._redis.delete(self._prefix + key)
        except RedisError as error:
            log.warning("cache_not_dropped", error=type(error).__name__)
