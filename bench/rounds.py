"""Rounds: contenders measured in turn, so that what the machine does to one it does to all.

A ratio is taken within a round, and the median of the rounds is what is told. The floor is measured twice in each
round: what those two differ by is what this machine cannot tell apart (the A/A spread).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from statistics import median

AGAIN = "again"
"""The floor's second measure of a round."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Measures by contender, one a round, in the order of the rounds."""

    floor: str
    measured: Mapping[str, list[float]]

    def ratio(self, name: str, *, to: str | None = None) -> float:
        """Return the median of the rounds' ratios to the floor, or to another contender."""
        against = self.measured[to or self.floor]
        return median(mine / theirs for mine, theirs in zip(self.measured[name], against, strict=True))

    def value(self, name: str) -> float:
        """Return the median of a contender's own measures."""
        return median(self.measured[name])

    @property
    def spread(self) -> float:
        """Return how far from 1 the floor is from itself, in the worst round."""
        pairs = zip(self.measured[self.floor], self.measured[AGAIN], strict=True)
        return max(abs(1 - again / first) for first, again in pairs)

    def decides(self, name: str, bar: float, *, to: str | None = None) -> bool | None:
        """Say whether a ratio reaches the bar; None where it is nearer to it than this machine can tell."""
        found = self.ratio(name, to=to)
        if abs(found - bar) <= bar * self.spread:
            return None
        return found >= bar


async def in_turn(measures: Mapping[str, Callable[[], Awaitable[float]]], *, floor: str, rounds: int) -> Rounds:
    """Measure every contender once a round, and the floor once more at the round's end."""
    measured: dict[str, list[float]] = {name: [] for name in (*measures, AGAIN)}
    for _ in range(rounds):
        for name, measure in measures.items():
            measured[name].append(await measure())
        measured[AGAIN].append(await measures[floor]())
    return Rounds(floor, measured)
