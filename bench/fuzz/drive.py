"""Batch after batch, played in the loop that the system runs in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count as counted
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given

from bench.fuzz.near import Chance, thoughts

Play = Callable[[Chance], Awaitable[None]]


async def drive(play: Play, *, count: int, seed: int) -> None:
    """Play `count` batches; the same seed makes the same ones. What `play` raises is raised.

    Each batch has a seed of its own: Hypothesis likes to draw again what it has drawn before.
    """
    loop, numbers = asyncio.get_running_loop(), counted()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        # Nothing is shrunk: faults are counted, and kept as they came.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(thoughts)
    def each(thought: tuple[list[Any], list[str]]) -> None:
        values, words = thought
        chance = Chance(f"{seed}:{next(numbers)}", values, words)
        asyncio.run_coroutine_threadsafe(_played(play, chance), loop).result()

    # Hypothesis' engine is not asynchronous: it waits in a thread of its own.
    await asyncio.to_thread(each)


async def _played(play: Play, chance: Chance) -> None:
    await play(chance)
