"""The portal's words as ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm.base import (
    Appointment,
    AppointmentService,
    Client,
    NewAppointment,
    Phone,
    RecordId,
    Service,
    ServiceId,
    Staff,
    StaffId,
    Terms,
)
from crm.bitrix24.access import Access
from crm.bitrix24.wire import WireBooking, WireContact, WirePrice, WireResource, WireService
from crm.prices import amount_of, price_of, sum_of

OURS = "ai-admin"
"""Whose `originId` it is, on contacts, deals and leads."""

_MARK = re.compile(r"\s*\[(?P<id>[\w-]{1,80})(?: (?P<services>[0-9,]+))?\]\s*$")
"""Our line at the end of a booking's description: our id, and the services, for which a booking has no field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A service with what the portal's catalogue says of it; `masters` None: anybody does it."""

    service: Service
    masters: frozenset[str] | None

    def done_by(self, resource_id: str) -> bool:
        return self.masters is None or resource_id in self.masters


def offered_of(
    wire: WireService, price: WirePrice | None, *, duration_property: int | None, masters_property: int | None
) -> Offered:
    minutes = next((int(one) for one in wire.values_of(duration_property) if one.isdigit() and int(one)), None)
    return Offered(
        service=Service(
            id=ServiceId(wire.id),
            title=wire.name.strip(),
            terms=Terms(
                price=price_of(price.price, None, price.currency) if price else None,
                duration=timedelta(minutes=minutes) if minutes else None,
            ),
        ),
        masters=frozenset(wire.values_of(masters_property)) if masters_property is not None else None,
    )


def staff_of(wire: WireResource) -> Staff:
    return Staff(id=StaffId(wire.id), name=wire.name.strip(), specialization=(wire.description or "").strip() or None)


def description_of(new: NewAppointment) -> str:
    """Write what staff read, and our mark at its end."""
    mark = f"[{new.external_id} {','.join(new.slot.service_ids)}]"
    return f"{new.comment.strip()}\n\n{mark}".strip()


def name_of(services: Sequence[Service], client_name: str) -> str:
    return ", ".join((*(one.title for one in services), client_name))


def visit_fields(new: NewAppointment, card: Client, services: Sequence[Service], *, access: Access) -> dict[str, Any]:
    """Build the deal or lead of a visit; our id stands where the CRM keeps another system's, and can be asked for."""
    fields: dict[str, Any] = {
        "title": name_of(services, card.name),
        "originatorId": OURS,
        "originId": new.external_id,
        "comments": new.comment,
    }
    price = sum_of([one.terms.price for one in services])
    if price is not None:
        fields |= {"opportunity": amount_of(price.low), "currencyId": price.low.currency}
    if access.visit_as == "deal":
        fields |= {"contactIds": [int(card.id)], "categoryId": access.funnel, "isManualOpportunity": "Y"}
        fields["begindate"] = new.slot.starts_at.astimezone(UTC).isoformat()
    if access.stage is not None:
        fields["stageId"] = access.stage
    return fields


def period_of(begins: datetime, lasts: timedelta, zone: ZoneInfo) -> dict[str, Any]:
    """Write a time as the portal takes it: seconds since 1970, and the name of a zone to show it in."""
    start = int(begins.timestamp())
    return {
        "from": {"timestamp": start, "timezone": zone.key},
        "to": {"timestamp": start + int(lasts.total_seconds()), "timezone": zone.key},
    }


def mark_of(booking: WireBooking) -> tuple[str | None, tuple[ServiceId, ...]]:
    """Return our id and the services from the mark; None and nothing in a booking that staff made."""
    found = _MARK.search(booking.description or "")
    if found is None:
        return None, ()
    ids = tuple(ServiceId(one) for one in (found["services"] or "").split(",") if one)
    return found["id"], ids


def appointment_of(
    booking: WireBooking,
    *,
    zone: ZoneInfo,
    staff: Mapping[str, Staff],
    services: Mapping[ServiceId, Service],
    contact: WireContact | None = None,
    phone: Phone | None = None,
) -> Appointment:
    """Build an appointment. Of one that staff made, the services are those whose titles its name holds."""
    external_id, ids = mark_of(booking)
    done = [services[one] for one in ids if one in services]
    if not done:
        done = [one for one in services.values() if one.title in (booking.name or "")]
    master = booking.resource_ids[0] if booking.resource_ids else ""
    begins, ends = booking.period.begins.at, booking.period.ends.at
    return Appointment(
        id=RecordId(booking.id),
        starts_at=begins.astimezone(zone),
        duration=ends - begins,
        staff=staff.get(master) or Staff(id=StaffId(master), name=""),
        services=tuple(AppointmentService(id=one.id, title=one.title, price=one.terms.price) for one in done),
        client_name=contact.title if contact else "",
        phone=phone,
        comment=_MARK.sub("", booking.description or "").strip(),
        external_id=external_id,
    )


def at_wall(day: datetime, zone: ZoneInfo) -> datetime | None:
    """Put a wall clock into its zone; None where clocks skip it that day."""
    aware = day.replace(tzinfo=zone)
    there = datetime.fromtimestamp(aware.timestamp(), zone)
    return aware if there.replace(tzinfo=None) == day else None
