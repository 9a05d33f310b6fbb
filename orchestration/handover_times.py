"""What a dialogue that a person answers waits for, and until when. Pure functions of moments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from db.records import Branch
from orchestration.working_hours import is_open, opens_at

RING_AFTER = timedelta(minutes=10)
"""How long a client waits in working hours until staff are rung again, and the owner after that."""
HAND_BACK_AFTER = timedelta(hours=2)
_CLOSED_FOR_LONG = timedelta(days=1)


class Step(Enum):
    RING_STAFF = "ring_staff"
    RING_OWNER = "ring_owner"
    """The client is told at the same time, once."""
    HAND_BACK = "hand_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """`client_waits_since` None: the last word was a person's, at `person_at`. `rung`: how often staff were again."""

    client_waits_since: datetime | None
    person_at: datetime | None
    rung: int


def next_step(
    waits: Waits,
    branch: Branch | None,
    now: datetime,
    *,
    ring_after: timedelta = RING_AFTER,
    hand_back_after: timedelta = HAND_BACK_AFTER,
) -> tuple[Step | None, datetime | None]:
    """Return what is to be done now, and when to look again.

    Nothing is handed back while the client's last word waits for a person's: silence counts from a person's answer.
    """
    if waits.client_waits_since is not None:
        steps = (Step.RING_STAFF, Step.RING_OWNER)
        if waits.rung >= len(steps):
            return None, None
        due = _at_work(branch, waits.client_waits_since) + ring_after * (waits.rung + 1)
        if due > now:
            return None, due
        if not is_open(branch, now):
            return None, _at_work(branch, now) + ring_after
        return steps[waits.rung], now + ring_after
    if waits.person_at is None:
        return None, None
    due = waits.person_at + hand_back_after
    return (Step.HAND_BACK, None) if due <= now else (None, due)


def _at_work(branch: Branch | None, moment: datetime) -> datetime:
    """Return when somebody could first have answered; where that is not known, a day later."""
    return opens_at(branch, moment) or moment + _CLOSED_FOR_LONG
