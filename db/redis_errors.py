"""Counts what Redis failed at: everything that asks it goes on without, so that nothing else would tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from prometheus_client import Counter
from redis.asyncio.retry import Retry
from redis.exceptions import RedisError

T = TypeVar("T")

ERRORS = Counter("ai_admin_redis_errors", "Commands that Redis did not answer, each try counted.")


class CountingRetry(Retry):
    """The client's retries, each failure counted."""

    async def call_with_retry(
        self, do: Callable[[], Awaitable[T]], fail: Callable[..., Any], *rest: Any, **more: Any
    ) -> T:
        async def counted() -> T:
            try:
                return await do()
            except RedisError as error:
                if isinstance(error, self._supported_errors):
                    ERRORS.inc()
                raise

        return await super().call_with_retry(counted, fail, *rest, **more)
