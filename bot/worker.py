"""The worker: its lanes side by side, each with places of its own, under one name in the leases."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Sequence
from typing import Protocol


class Part(Protocol):
    """What a worker is made of: a lane, or what has no work of its own in the table."""

    async def run(self) -> None:
        """Work until `stop()`."""

    def stop(self) -> None:
        """Ask `run` to come to its end."""


class Worker:
    """Runs its parts until it is stopped."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts

    async def run(self) -> None:
        """Work until `stop()`, then drain: every lane finishes what runs, up to a limit, and gives the rest back."""
        async with asyncio.TaskGroup() as group:
            for part in self._parts:
                group.create_task(part.run())

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        for part in self._parts:
            part.stop()


def new_owner() -> str:
    """Name this worker in its leases, for whoever looks at the table."""
    return f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"
