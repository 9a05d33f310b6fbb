"""What Redis holds of a client: keys that name a dialogue, a chat or a number. All of them end by themselves, too."""

from __future__ import annotations

from collections.abc import Collection

from redis.asyncio import Redis
from redis.exceptions import RedisError

from db.dialogue_state import StateKey, forget_state

_SCANNED_AT_ONCE = 1000


class RedisTraces:
    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    async def delete(self, names: Collection[str], states: Collection[StateKey]) -> int | None:
        """Delete the keys that have one of these names in them; return how many, None where Redis does not answer.

        A worker that has committed a moment ago may still be copying its dialogue's state: for a minute no such copy is
        taken.
        """
        gone = 0
        try:
            for state in states:
                await forget_state(self._redis, state.redis_key(self._prefix))
            spared = {state.redis_key(self._prefix) for state in states}
            for name in names:
                pattern = f"{_literal(self._prefix)}*{_literal(name)}*"
                async for key in self._redis.scan_iter(match=pattern, count=_SCANNED_AT_ONCE):
                    if key not in spared:
                        gone += await self._redis.delete(key)
        except RedisError:
            return None
        return gone + len(spared)


def _literal(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "*?[]\\^" else sign for sign in text)
