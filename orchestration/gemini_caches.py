"""Explicit caches of Gemini: a large prompt's stable part is stored there once, and paid for less at every call.

Only with API version v1beta, and only from a size on at which the storage is worth its price
(https://ai.google.dev/gemini-api/docs/caching). A cache is made in the background: the turn that
finds none goes without.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import structlog

from orchestration.ports import ToolDeclaration

log = structlog.get_logger()

LIFETIME_S = 3600
_GIVEN_UP_BEFORE_S, _AGAIN_AFTER_S = 300, 600
_MOST = 1000


@dataclass(slots=True)
class _Kept:
    name: str | None
    until: float
    """Until when it is used; without a name, until when none is tried to be made."""


@dataclass(slots=True)
class GeminiCaches:
    """`make` stores a stable part for `LIFETIME_S` and returns its name. `from_chars`: smaller ones go without."""

    make: Callable[[str, str, Sequence[ToolDeclaration]], Awaitable[str]]
    from_chars: int
    now: Callable[[], float] = time.monotonic
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)
    _being_made: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def find(self, model: str, stable: str, tools: Sequence[ToolDeclaration]) -> str | None:
        """Return the cache's name; None where there is none yet: it is then made for the next calls."""
        if len(stable) < self.from_chars:
            return None
        key = _key(model, stable, tools)
        kept = self._kept.get(key)
        if kept is not None and self.now() < kept.until:
            self._kept.move_to_end(key)
            return kept.name
        if key not in self._being_made:
            task = asyncio.create_task(self._make(key, model, stable, tools))
            self._being_made[key] = task
            task.add_done_callback(lambda _: self._being_made.pop(key, None))
        return None

    def forget(self, name: str) -> None:
        """Say that the provider knows this cache no more."""
        for key in [key for key, kept in self._kept.items() if kept.name == name]:
            del self._kept[key]

    async def settle(self) -> None:
        """Wait until what is being made is made."""
        await asyncio.gather(*self._being_made.values())

    async def close(self) -> None:
        for task in list(self._being_made.values()):
            task.cancel()
        await asyncio.gather(*self._being_made.values(), return_exceptions=True)

    async def _make(self, key: str, model: str, stable: str, tools: Sequence[ToolDeclaration]) -> None:
        try:
            name = await self.make(model, stable, tools)
            kept = _Kept(name, self.now() + LIFETIME_S - _GIVEN_UP_BEFORE_S)
        except Exception as error:
            # Whatever is in the way, the turns go on without it.
            log.warning("cache_not_made", model=model, error=type(error).__name__)
            kept = _Kept(None, self.now() + _AGAIN_AFTER_S)
        self._kept[key] = kept
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)


def _key(model: str, stable: str, tools: Sequence[ToolDeclaration]) -> str:
    return sha256("\0".join([model, stable, *(tool.name for tool in tools)]).encode()).hexdigest()
