"""The worker: its lanes side by side, each with places of its own, under one name in the leases."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Sequence

from bot.lane import Lane


class Worker:
    """Runs lanes until it is stopped."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes

    async def run(self) -> None:
        """Work until `stop()`, then drain: every lane finishes what runs, up to a limit, and gives the rest back."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run())

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        for lane in self._lanes:
            lane.stop()


def new_owner() -> str:
    """Name this worker in its leases, for whoever looks at the table."""
    return f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"
