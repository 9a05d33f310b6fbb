"""Kept values that know how old they are, so that an old one can still be told while a new one is being read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from crm.ports import Cache

T = TypeVar("T")

VERSION = 1
"""Of the records that are kept: raised with their shape, so that two versions of ours can run side by side."""
MOST_CHARACTERS = 500_000
"""What is larger is not kept: thousands of companies share the memory."""


class Aged:
    """Values of one company's account; `scope` names their place, and nobody else has the same."""

    def __init__(self, cache: Cache, scope: str, clock: Callable[[], datetime]) -> None:
        self._cache = cache
        self._scope = f"kept:v{VERSION}:{scope}"
        self._clock = clock

    async def find(self, key: str, shape: TypeAdapter[T]) -> tuple[timedelta, T] | None:
        """Return a value with its age."""
        kept = await self._cache.get(self._name(key))
        moment, _, text = (kept or "").partition("\n")
        try:
            return self._clock() - datetime.fromisoformat(moment), shape.validate_json(text)
        except (ValueError, ValidationError):
            return None

    async def put(self, key: str, shape: TypeAdapter[T], value: T, *, ttl: timedelta) -> None:
        text = shape.dump_json(value).decode()
        if len(text) <= MOST_CHARACTERS:
            await self._cache.set(self._name(key), f"{self._clock().isoformat()}\n{text}", ttl=ttl)

    async def make_old(self, key: str, *, ttl: timedelta) -> None:
        """Let a value be as old as it can be; it can still be told."""
        moment, _, text = (await self._cache.get(self._name(key)) or "").partition("\n")
        if moment:
            await self._cache.set(self._name(key), f"{(self._clock() - ttl).isoformat()}\n{text}", ttl=ttl)

    def _name(self, key: str) -> str:
        return f"{self._scope}:{key}"


def digest_of(*parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:32]
