"""A discrete-event simulation's machinery: processes that are generators, a clock of its own, and servers with a queue.

A process yields what it waits for: a number of seconds, or a `Server` place. Nothing here looks at the wall clock.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Server:
    """So many places, first come, first served. `busy_s`: seconds that places were held, all together."""

    places: int
    held: int = 0
    busy_s: float = 0.0
    queue: deque[Process] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Take:
    """Wait for a place."""

    server: Server


@dataclass(frozen=True, slots=True)
class Give:
    """Leave a place that was held for so many seconds."""

    server: Server
    held_s: float


Process = Generator[float | Take | Give, None, None]


class World:
    """Runs processes by their times; `now` is in seconds from the start."""

    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Process]] = []

    def start(self, process: Process, *, after_s: float = 0.0) -> None:
        heapq.heappush(self._due, (self.now + after_s, next(self._numbers), process))

    def run(self) -> None:
        """Run until nobody waits for a time any more."""
        while self._due:
            self.now, _, process = heapq.heappop(self._due)
            self._step(process)

    def _step(self, process: Process) -> None:
        for wanted in process:
            if isinstance(wanted, Take):
                if wanted.server.held == wanted.server.places:
                    wanted.server.queue.append(process)
                    return
                wanted.server.held += 1
            elif isinstance(wanted, Give):
                wanted.server.busy_s += wanted.held_s
                if wanted.server.queue:
                    # The place goes on to who waits, at this very moment.
                    self.start(wanted.server.queue.popleft())
                else:
                    wanted.server.held -= 1
            else:
                self.start(process, after_s=wanted)
                return


def served(server: Server, seconds: float) -> Process:
    """Wait for a place, and hold it for so long."""
    yield Take(server)
    yield seconds
    yield Give(server, seconds)
