"""Endless tasks end, whatever a library does with the cancellation."""

from __future__ import annotations

import asyncio

from bot.tasks import end


async def test_a_task_that_lost_its_first_cancellation_ends_all_the_same():
    started = asyncio.Event()
    swallowed = []

    async def stubborn() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.append(True)
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await started.wait()

    await end(task)

    assert swallowed == [True]
    assert task.cancelled()


async def test_what_an_ended_task_raised_is_its_own():
    async def broken() -> None:
        raise ValueError

    await end(asyncio.create_task(broken()))
