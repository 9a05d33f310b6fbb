"""How long a killed worker's dialogues waited for another worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.kills import Kill
from bench.chaos.steps import GATEWAY, REDIS


@dataclass(frozen=True, slots=True)
class _Event:
    at: float
    pid: int
    is_claim: bool
    work: str
    lost_leases: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """`disturbed`: before another worker came, PostgreSQL or a worker was killed or stood frozen."""

    seconds: float
    disturbed: bool


def recoveries(events: Path, kills: Sequence[Kill], freezes: Sequence[Kill], *, frozen_s: float) -> list[Recovery]:
    """Return, for each claim that a killed worker held, how long it was from the kill to the claim by another.

    The next claim of the same work counts one lost lease more than the dead worker's. Where it counts fewer, the dead
    one had still committed; where it counts more, the one that took over died too before it could write that down.
    """
    read = sorted((_event(line) for line in events.read_text().splitlines()), key=lambda event: event.at)
    troubles = [
        *((kill.at, kill.at) for kill in kills if kill.victim not in (GATEWAY, REDIS)),
        *((freeze.at, freeze.at + frozen_s) for freeze in freezes),
    ]
    found = []
    for kill in kills:
        for held in _held(read, kill):
            later = (one for one in read if one.is_claim and one.work == held.work and one.at > kill.at)
            taken = next(later, None)
            if taken is not None and taken.lost_leases == held.lost_leases + 1:
                disturbed = any(began < taken.at and ended > kill.at for began, ended in troubles)
                found.append(Recovery(taken.at - kill.at, disturbed))
    return found


def _held(events: Sequence[_Event], kill: Kill) -> list[_Event]:
    held: dict[str, _Event] = {}
    for event in events:
        if event.at > kill.at:
            break
        if event.is_claim and event.pid == kill.pid:
            held[event.work] = event
        elif event.is_claim or event.pid == kill.pid:
            # Done; or another took it over before, while this one stood frozen.
            held.pop(event.work, None)
    return list(held.values())


def _event(line: str) -> _Event:
    at, pid, what, work, lost = line.split()
    return _Event(float(at), int(pid), what == "claim", work, int(lost))
