"""Calls made side by side, a few at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from crm.errors import CRMError

T = TypeVar("T")
AT_ONCE = 4


async def all_of(calls: Sequence[Callable[[], Awaitable[T]]], *, at_once: int = AT_ONCE) -> list[T]:
    """Make calls side by side and return their results in order; the first CRMError ends all and is raised."""
    gate = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with gate:
            return await call()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(call)) for call in calls]
    except* CRMError as errors:
        failure = errors.exceptions[0]
    else:
        return [task.result() for task in tasks]
    raise failure
