"""Hypothesis' examples, played one after another in the loop that the system runs in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st

Example = TypeVar("Example")


async def drive(
    examples: st.SearchStrategy[Example], play: Callable[[Example], Awaitable[None]], *, count: int, seed: int
) -> None:
    """Play `count` examples; the same seed draws the same ones. What `play` raises is raised."""
    loop = asyncio.get_running_loop()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        # Nothing is shrunk: faults are counted, and kept as they came.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(examples)
    def each(example: Any) -> None:
        asyncio.run_coroutine_threadsafe(_played(play, example), loop).result()

    # Hypothesis' engine is not asynchronous: it waits in a thread of its own.
    await asyncio.to_thread(each)


async def _played(play: Callable[[Example], Awaitable[None]], example: Example) -> None:
    await play(example)
