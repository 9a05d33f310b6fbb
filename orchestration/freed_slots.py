"""Which of the CRM's free times a freed stretch of a master's time has made possible, for one who waits. Pure, but for
the one question to the CRM."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from crm.base import BaseCRMAdapter, ServiceId, Slot, StaffId
from db.booking_records import StaffTime
from db.outreach_records import FreedTime, WaitingEntry
from db.records import Branch


async def read_slots(
    crm: BaseCRMAdapter, entry: WaitingEntry, at: datetime, *, zone: ZoneInfo, now: datetime
) -> list[Slot]:
    """Ask the CRM for the free times of that day that the client could have, never as they were kept.

    Raises CRMError; CRMNotFound where a service or master is offered no more.
    """
    return wanted(await read_free(crm, entry, at, zone=zone, now=now), entry, zone)


async def read_free(
    crm: BaseCRMAdapter, entry: WaitingEntry, at: datetime, *, zone: ZoneInfo, now: datetime
) -> list[Slot]:
    """Ask for all free times of that day for the same services and master, whatever times of day suit the client."""
    day = at.astimezone(zone).date()
    staff_id = StaffId(entry.staff_id) if entry.staff_id else None
    rules = await crm.get_rules()
    services = [ServiceId(id_) for id_ in entry.service_ids]
    slots = await crm.get_fresh_slots(services, first=day, last=day, staff_id=staff_id)
    return [slot for slot in slots if slot.starts_at >= now + rules.lead_time]


def wanted(slots: Sequence[Slot], entry: WaitingEntry, zone: ZoneInfo) -> list[Slot]:
    """Return those at which the client could come."""
    return [slot for slot in slots if _is_wanted(slot, entry, zone)]


def made_possible(slots: Sequence[Slot], freed: FreedTime, claimed: Sequence[StaffTime], branch: Branch) -> Slot | None:
    """Return the slot that the freed time has made possible; None where there is none (any more).

    It lies, at least in part, in the freed time of the same master: it could not be had before. The nearest to the
    freed time's beginning is taken. `claimed`: what somebody is booking right now.
    """
    ends_at = freed.starts_at + freed.duration
    fitting = [
        slot
        for slot in slots
        if slot.starts_at < ends_at
        and slot.starts_at + slot.duration > freed.starts_at
        and freed.staff_name in ("", slot.staff.name)
        and not any(_time_of(slot, branch).overlaps(one) for one in claimed)
    ]
    return min(fitting, key=lambda slot: (abs(slot.starts_at - freed.starts_at), slot.starts_at), default=None)


def same_slot(slots: Sequence[Slot], *, staff_id: str, starts_at: datetime) -> Slot | None:
    """Return the slot at this moment with this master; None where it is gone."""
    return next((one for one in slots if one.starts_at == starts_at and one.staff.id == staff_id), None)


def _is_wanted(slot: Slot, entry: WaitingEntry, zone: ZoneInfo) -> bool:
    at = slot.starts_at.astimezone(zone)
    if not entry.first_day <= at.date() <= entry.last_day:
        return False
    return (entry.earliest is None or at.time() >= entry.earliest) and (
        entry.latest is None or at.time() <= entry.latest
    )


def _time_of(slot: Slot, branch: Branch) -> StaffTime:
    return StaffTime(branch_id=branch.id, staff_id=slot.staff.id, starts_at=slot.starts_at, duration=slot.duration)
