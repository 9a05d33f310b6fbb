"""Answers of a CRM that are kept for some minutes, read back in their own shape."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TypeVar

from pydantic import SecretStr, TypeAdapter, ValidationError

from crm.ports import Cache

T = TypeVar("T")

_renewed: ContextVar[set[str] | None] = ContextVar("crm_renewed", default=None)


@contextmanager
def renewing() -> Iterator[None]:
    """Let whatever is asked for inside be loaded anew, once, and kept."""
    token = _renewed.set(set())
    try:
        yield
    finally:
        _renewed.reset(token)


class Kept:
    """Kept answers of one account. `scope` names its place in the cache: make it with `scope_of`."""

    def __init__(self, cache: Cache, scope: str) -> None:
        self._cache = cache
        self._scope = scope

    async def get(self, key: str, shape: TypeAdapter[T], load: Callable[[], Awaitable[T]], *, ttl: timedelta) -> T:
        """Return what is kept under the key, else load it and keep it."""
        name = f"{self._scope}:{key}"
        renewed = _renewed.get()
        kept = await self._cache.get(name) if renewed is None or name in renewed else None
        if kept is not None:
            try:
                return shape.validate_json(kept)
            except ValidationError:
                pass  # written by another version of ours: ask again
        value = await load()
        await self._cache.set(name, shape.dump_json(value).decode(), ttl=ttl)
        if renewed is not None:
            renewed.add(name)
        return value

    async def forget(self, key: str) -> None:
        await self._cache.delete(f"{self._scope}:{key}")


class NoCache:
    """Keeps nothing: a check asks the CRM itself."""

    async def get(self, key: str) -> str | None:
        return None

    async def set(self, key: str, value: str, *, ttl: timedelta) -> None:
        return

    async def delete(self, key: str) -> None:
        return


def scope_of(crm: str, account_id: str, open_parts: Sequence[str], secrets: Sequence[SecretStr]) -> str:
    """Name an account's place in the cache: with a digest of its address and credentials, so nobody reads another's."""
    text = "\n".join((*open_parts, *(secret.get_secret_value() for secret in secrets)))
    return f"crm:{crm}:{account_id}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
