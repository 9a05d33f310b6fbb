"""What leaves this package of bookings: confirmed writes to a CRM, and the appointments they made. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from db.records import BranchId, CompanyId, DialogueId


class IntentKind(StrEnum):
    CREATE = "create"
    MOVE = "move"
    CANCEL = "cancel"


class IntentStatus(StrEnum):
    CONFIRMED = "confirmed"
    """The client said yes; the CRM has not been called."""
    CALLED = "called"
    """The CRM was called; its answer is not known yet: look up before anything else."""
    DONE = "done"
    REFUSED = "refused"
    """The CRM said no."""
    UNKNOWN = "unknown"
    """It cannot be found out; a person was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A write to a CRM that a client confirmed, recorded before it is made.

    `external_id` goes into the CRM with the write and finds it again. `action` is the confirmed action as JSON.
    """

    id: UUID
    company_id: CompanyId
    dialogue_id: DialogueId
    branch_id: BranchId
    kind: IntentKind
    external_id: str
    action: Mapping[str, Any]
    status: IntentStatus
    created_at: datetime
    called_at: datetime | None = None
    crm_record_id: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffTime:
    """A stretch of one master's time at one branch. `staff_id` is the CRM's."""

    branch_id: BranchId
    staff_id: str
    starts_at: datetime
    duration: timedelta

    def overlaps(self, other: StaffTime) -> bool:
        """Say whether both want the same master at the same time."""
        return (
            (self.branch_id, self.staff_id) == (other.branch_id, other.staff_id)
            and self.starts_at < other.starts_at + other.duration
            and other.starts_at < self.starts_at + self.duration
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedAppointment:
    """An appointment that a dialogue of ours made, as it stood in the CRM when last read."""

    id: UUID
    company_id: CompanyId
    branch_id: BranchId
    dialogue_id: DialogueId
    crm_record_id: str
    external_id: str
    starts_at: datetime
    duration: timedelta
    service_names: tuple[str, ...]
    staff_name: str
    client_name: str
    visitor_name: str | None
    phone: str
    phone_proved: bool
    cancelled: bool = False
    staff_id: str | None = None
    """Who the master is in the CRM; None: not known."""
    by_staff: bool = False
    """Staff made it in the CRM, not a dialogue of ours; `dialogue_id` is where its client was last heard."""
    confirmed_for: datetime | None = None
    """The time that the client has said to come at."""
    crm_told_of: datetime | None = None
    """The time of which the CRM was told that they come."""

    @property
    def is_confirmed(self) -> bool:
        """Say whether the client has said that they come, to the time that it is at now."""
        return self.confirmed_for == self.starts_at


class ReminderState(StrEnum):
    """What became of one reminder of an appointment at one time."""

    PLANNED = "planned"
    SENT = "sent"
    """It is in the outbox of the client's dialogue."""
    SKIPPED = "skipped"
    """It is never sent: too late, at night, nobody to be reached, or told with another part of the visit."""
