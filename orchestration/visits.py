"""Visits of several services: chains of free times, composed from what each service has free. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter

from crm.base import Slot

LONGEST_GAP = timedelta(minutes=15)
"""How long a client may wait between two parts of a visit where the company's file does not say."""
MOST_STEPS = 30_000
"""How often a search may look at a slot: a fraction of a second."""

_starts_at = attrgetter("starts_at")


def compose_visits(
    choices: Sequence[Sequence[Slot]], *, longest_gap: timedelta, in_order: bool = False, most_steps: int = MOST_STEPS
) -> list[tuple[Slot, ...]]:
    """Return visits of one slot out of each choice, by time: the best one for each moment at which one can begin.

    A slot of a visit begins when the one before has ended, or at most `longest_gap` later. `in_order`: in the order of
    the choices; else in any. The best one is over first; of those it is the one nearest to the order of the choices,
    then to that of the masters' ids. A slot without a length is in no visit: nobody knows when the next could begin.
    Where there are so many free times that `most_steps` do not suffice, late visits are missing, never early ones.
    """
    search = _Search(choices, longest_gap, in_order=in_order, most_steps=most_steps)
    visits = []
    with suppress(_Spent):
        for visit in search.visits():
            visits.append(visit)
    return visits


class _Spent(Exception):
    """The search has looked at as much as it may."""


@dataclass(frozen=True, slots=True, order=True)
class _Rest:
    """The rest of a visit. The least one is the best."""

    ends_at: datetime
    order: tuple[int, ...] = ()
    staff: tuple[str, ...] = ()
    begins: tuple[datetime, ...] = ()
    slots: tuple[Slot, ...] = field(default=(), compare=False)

    def after(self, number: int, slot: Slot) -> _Rest:
        return _Rest(
            ends_at=self.ends_at,
            order=(number, *self.order),
            staff=(slot.staff.id, *self.staff),
            begins=(slot.starts_at, *self.begins),
            slots=(slot, *self.slots),
        )


class _Search:
    """Solves each moment at which a part may end once for each set of services that are done by then."""

    def __init__(
        self, choices: Sequence[Sequence[Slot]], longest_gap: timedelta, *, in_order: bool, most_steps: int
    ) -> None:
        self._choices = [_distinct(slots) for slots in choices]
        self._longest_gap = longest_gap
        self._in_order = in_order
        self._steps_left = most_steps
        self._solved: dict[tuple[frozenset[int], datetime], _Rest | None] = {}

    def visits(self) -> Iterator[tuple[Slot, ...]]:
        """Yield the best visit of each moment, by time. Raises _Spent."""
        for moment in sorted({slot.starts_at for slots in self._choices for slot in slots}):
            best = self._best(frozenset(), moment, moment)
            if best is not None and best.slots:
                yield best.slots

    def _best(self, done: frozenset[int], earliest: datetime, latest: datetime) -> _Rest | None:
        """Return the best way to go on with what is not done, beginning between the moments; None: there is none."""
        if len(done) == len(self._choices):
            return _Rest(ends_at=earliest)
        best: _Rest | None = None
        for number in self._next_after(done):
            slots = self._choices[number]
            for slot in slots[
                bisect_left(slots, earliest, key=_starts_at) : bisect_right(slots, latest, key=_starts_at)
            ]:
                found = self._rest_after(done | {number}, slot.starts_at + slot.duration)
                with_slot = found.after(number, slot) if found is not None else None
                if with_slot is not None and (best is None or with_slot < best):
                    best = with_slot
        return best

    def _rest_after(self, done: frozenset[int], ended: datetime) -> _Rest | None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise _Spent
        key = (done, ended)
        if key not in self._solved:
            self._solved[key] = self._best(done, ended, ended + self._longest_gap)
        return self._solved[key]

    def _next_after(self, done: frozenset[int]) -> Sequence[int]:
        if self._in_order:
            return (len(done),)
        return [number for number in range(len(self._choices)) if number not in done]


def _distinct(slots: Sequence[Slot]) -> list[Slot]:
    """Sort by time. Of masters who are free for the same stretch the first is enough: what follows is the same."""
    by_staff = sorted((slot for slot in slots if slot.duration), key=lambda slot: slot.staff.id, reverse=True)
    return sorted({(slot.starts_at, slot.duration): slot for slot in by_staff}.values(), key=_starts_at)
