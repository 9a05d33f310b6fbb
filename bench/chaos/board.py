"""A board in shared memory: which step each process is in just now. It outlives the process that wrote it."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

_CELL = 8


class Board:
    """Two numbers for each seat and step: how many are inside, how many ever entered.

    A seat is a role's place ("worker 1"), whoever sits there after a restart. Only the process in a seat writes to its
    cells; the processes that were forked from the maker of the board read them all.
    """

    def __init__(self, seats: Sequence[str], steps: Sequence[str]) -> None:
        self.seats = tuple(seats)
        self.steps = tuple(steps)
        self._memory = mmap.mmap(-1, 2 * _CELL * len(self.seats) * len(self.steps))
        self._cells = memoryview(self._memory).cast("q")

    def enter(self, seat: int, step: int) -> None:
        cell = self._cell(seat, step)
        self._cells[cell] += 1
        self._cells[cell + 1] += 1

    def leave(self, seat: int, step: int) -> None:
        self._cells[self._cell(seat, step)] -= 1

    def inside(self, seat: int, step: int) -> int:
        return self._cells[self._cell(seat, step)]

    def entered(self, seat: int, step: int) -> int:
        return self._cells[self._cell(seat, step) + 1]

    def vacate(self, seat: int) -> None:
        """Forget what a dead process was inside of."""
        for step in range(len(self.steps)):
            self._cells[self._cell(seat, step)] = 0

    def _cell(self, seat: int, step: int) -> int:
        return 2 * (seat * len(self.steps) + step)
