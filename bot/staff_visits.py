"""What staff book in the CRM for a client of ours becomes an appointment of ours, so that its client is reminded of it.

Where the company reminds its clients, and of a master's day that cannot be held; only of clients whose number a
messenger has proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from crm.base import Appointment
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.care import ask_for_care
from db.engine import Transaction
from db.outreach import Outreach
from db.records import Branch, ChannelId, new_id
from db.reminders import ask_to_remind
from orchestration.writes import is_ours

log = structlog.get_logger()


def strange(found: Iterable[Appointment], *, now: datetime) -> list[Appointment]:
    """Return what is ahead, stands, and was not made by us: our own is kept by the turn that makes it."""
    return [
        one for one in found if one.starts_at > now and not one.cancelled and one.phone and not is_ours(one.external_id)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVisits:
    """Works within the caller's transaction."""

    appointments: Appointments
    outreach: Outreach

    async def adopt(
        self,
        tx: Transaction,
        branch: Branch,
        found: Sequence[Appointment],
        channels: Sequence[ChannelId],
        *,
        now: datetime,
        reminds: bool = True,
    ) -> list[BookedAppointment]:
        """Keep those whose clients can be written to, and return them; `reminds`: ask that they are reminded."""
        adopted = []
        phones = {one.phone for one in found if one.phone}
        owners = await self.outreach.find_owners(tx, sorted(phones), channels)
        for one in found:
            dialogue = owners.get(one.phone or "")
            if dialogue is None:
                continue
            booked = BookedAppointment(
                id=new_id(),
                company_id=dialogue.company_id,
                branch_id=branch.id,
                dialogue_id=dialogue.id,
                crm_record_id=one.id,
                external_id=one.external_id or "",
                starts_at=one.starts_at,
                duration=one.duration,
                service_names=tuple(service.title for service in one.services if service.title),
                staff_name=one.staff.name,
                staff_id=one.staff.id or None,
                client_name=one.client_name,
                visitor_name=None,
                phone=one.phone or "",
                phone_proved=True,
                by_staff=True,
            )
            kept = await self.appointments.save(tx, booked)
            if reminds:
                await ask_to_remind(tx, kept, now=now)
                await ask_for_care(tx, kept)
            adopted.append(kept)
            log.info("staff_visit_adopted", branch_id=str(branch.id))
        return adopted
