"""Ending tasks that run for ever."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel and wait until they are done; what they raised is theirs.

    One cancel is not enough: `asyncio.timeout` may swallow it where it comes just before the block is entered
    (https://github.com/python/cpython/issues/134471), and redis-py enters one of zero seconds at every command.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=1.0)
    await asyncio.gather(*tasks, return_exceptions=True)
