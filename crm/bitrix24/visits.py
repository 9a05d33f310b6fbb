"""A client's visits as a portal keeps them: bookings (booked.py), or deals whose field books (deals.py)."""

from __future__ import annotations

import re
from datetime import date
from typing import Protocol

from crm.base import Appointment, NewAppointment, Phone, RecordId, Slot
from crm.errors import CRMNotFound


class Visits(Protocol):
    """What the CRM port promises of appointments (crm/base.py)."""

    async def create(self, new: NewAppointment) -> Appointment: ...

    async def find(self, external_id: str, *, day: date) -> Appointment | None: ...

    async def get(self, record_id: RecordId) -> Appointment: ...

    async def list_of(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]: ...

    async def move(self, record_id: RecordId, slot: Slot) -> Appointment: ...

    async def cancel(self, record_id: RecordId) -> None: ...


def number_of(record_id: RecordId) -> int:
    """Return the id; visits here are numbered, so another CRM's id names nothing."""
    if not re.fullmatch(r"[0-9]{1,12}", record_id):
        raise CRMNotFound(f"no visit {record_id!r}")
    return int(record_id)
