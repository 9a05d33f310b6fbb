"""When a client is thanked for a visit, and when invited to the next one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crm.base import Appointment
from db.booking_records import BookedAppointment
from db.outreach_settings import OutreachSettings
from orchestration.writes import visit_of

THANKED_WITHIN = timedelta(days=1)
"""A word of thanks that comes later than this after its time is none."""
LONGEST_AWAY = timedelta(weeks=26)
"""Whoever was away for so long beyond their weeks has gone elsewhere, and is not invited any more."""


def visit_key(booked: BookedAppointment) -> str:
    """Name the visit that a record belongs to: of all its records the client is asked once."""
    named = visit_of(booked.external_id) or booked.external_id
    return named or f"{booked.branch_id} {booked.crm_record_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Records that were booked together, by time."""

    records: tuple[BookedAppointment, ...]

    @property
    def key(self) -> str:
        return visit_key(self.records[0])

    @property
    def starts_at(self) -> datetime:
        return self.records[0].starts_at

    @property
    def ends_at(self) -> datetime:
        return max(one.starts_at + one.duration for one in self.records)

    @property
    def service_names(self) -> tuple[str, ...]:
        return tuple(name for one in self.records for name in one.service_names)

    @property
    def staff_name(self) -> str:
        return ", ".join(dict.fromkeys(one.staff_name for one in self.records if one.staff_name))


def visits_of(records: Sequence[BookedAppointment]) -> list[Visit]:
    """Put records together to visits, by the time at which they begin."""
    by_key: dict[str, list[BookedAppointment]] = {}
    for one in sorted(records, key=lambda record: record.starts_at):
        by_key.setdefault(visit_key(one), []).append(one)
    return [Visit(records=tuple(each)) for each in by_key.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThanksPlan:
    """`due`: visits whose clients are to be thanked now; `next_at`: when the next ones are."""

    due: tuple[Visit, ...] = ()
    next_at: datetime | None = None


def plan_thanks(
    visits: Sequence[Visit], decided: frozenset[str], settings: OutreachSettings, *, now: datetime
) -> ThanksPlan:
    """Say of which visits their clients are to be thanked: so long after they are over, and not much later."""
    at = {visit.key: visit.ends_at + settings.thank_you_after for visit in visits if visit.key not in decided}
    # Where it is off it may be on by then.
    next_at = min((one for one in at.values() if one > now), default=None)
    if not settings.thank_you:
        return ThanksPlan(next_at=next_at)
    due = tuple(visit for visit in visits if visit.key in at and at[visit.key] <= now < at[visit.key] + THANKED_WITHIN)
    return ThanksPlan(due=due, next_at=next_at)


class NotThanked(StrEnum):
    """Why a client is not thanked for a visit: outcomes beside those of the rules for all that goes out unasked."""

    CANCELLED = "cancelled"
    MISSED = "missed"
    """The CRM says that they did not come."""


def not_thanked(theirs: Sequence[Appointment | None]) -> str | None:
    """Return why nobody is thanked for these records as they stand in the CRM; None where there is no reason.

    One record of a visit that took place is enough.
    """
    standing = [one for one in theirs if one is not None and not one.cancelled]
    if not standing:
        return NotThanked.CANCELLED
    return NotThanked.MISSED if all(one.missed for one in standing) else None


def invited_at(
    last_ended_at: datetime, service_names: tuple[str, ...], settings: OutreachSettings, *, now: datetime
) -> datetime | None:
    """Return when a client is invited again; None where they are not: it is off, or they are away for too long."""
    after = settings.win_back_after(service_names)
    if after is None or now > last_ended_at + after + LONGEST_AWAY:
        return None
    return last_ended_at + after
