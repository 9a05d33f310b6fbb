"""How long a killed worker's dialogues waited for another worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.chaos.kills import Kill


@dataclass(frozen=True, slots=True)
class _Event:
    at: float
    pid: int
    is_claim: bool
    work: str
    lost_leases: int


def recoveries(events: Path, kills: Sequence[Kill]) -> list[float]:
    """Return, for each claim that a killed worker held, the seconds from the kill to the claim by another.

    A claim whose lease was lost is known by its count of lost leases, which is one more than the dead worker's: work
    that the dead one had still committed starts again from none.
    """
    read = [_event(line) for line in events.read_text().splitlines()]
    found = []
    for kill in kills:
        for held in _held(read, kill):
            taken = next(
                (
                    event.at - kill.at
                    for event in read
                    if event.is_claim
                    and event.work == held.work
                    and event.at > kill.at
                    and event.lost_leases == held.lost_leases + 1
                ),
                None,
            )
            if taken is not None:
                found.append(taken)
    return found


def _held(events: Sequence[_Event], kill: Kill) -> list[_Event]:
    held: dict[str, _Event] = {}
    for event in events:
        if event.pid == kill.pid and event.at <= kill.at:
            if event.is_claim:
                held[event.work] = event
            else:
                held.pop(event.work, None)
    return list(held.values())


def _event(line: str) -> _Event:
    at, pid, what, work, lost = line.split()
    return _Event(float(at), int(pid), what == "claim", work, int(lost))
