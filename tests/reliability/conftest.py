"""Waiting under a deadline for what nothing tells of: another process, a row in the database, a server's state."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Until = Callable[..., Awaitable[Any]]


@pytest.fixture
def until() -> Until:
    """Wait until a condition, plain or awaitable, holds; return what it found."""

    async def wait(condition: Callable[[], Any], *, within_s: float = 60) -> Any:
        async with asyncio.timeout(within_s):
            while True:
                found = condition()
                if inspect.isawaitable(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.02)

    return wait
