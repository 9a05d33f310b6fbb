"""The service's words as ours: zones, rules, services, appointments. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from crm.base import (
    Appointment,
    AppointmentService,
    BookingRules,
    Client,
    ClientId,
    Phone,
    Product,
    RecordId,
    Service,
    ServiceId,
    Staff,
    StaffId,
    Terms,
)
from crm.one_c.service.times import moment_of
from crm.one_c.service.wire import (
    WireAppointment,
    WireCard,
    WireInfo,
    WireProduct,
    WireService,
    WireStaff,
    WireTerms,
)
from crm.phones import to_phone
from crm.prices import price_of


def zone_of(info: WireInfo, *, fallback: ZoneInfo) -> ZoneInfo:
    """Return the zone that the service names, else the one of our own settings."""
    if not info.timezone:
        return fallback
    try:
        return ZoneInfo(info.timezone)
    except (KeyError, ValueError, OSError):
        return fallback


def currency_of(info: WireInfo) -> str | None:
    """Return the ISO 4217 code; None where the service names none, so that no price is told."""
    code = info.currency.strip().upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def rules_of(info: WireInfo, *, zone: ZoneInfo) -> BookingRules:
    return BookingRules(
        time_zone=zone,
        title=info.title.strip(),
        lead_time=timedelta(minutes=info.lead_time_min or 0),
        may_move=info.may_move is not False,
        may_cancel=info.may_cancel is not False,
        move_deadline=_minutes(info.move_deadline_min),
        cancel_deadline=_minutes(info.cancel_deadline_min),
    )


def terms_of(wire: WireTerms, currency: str | None) -> Terms:
    return Terms(price=price_of(wire.price, wire.price_max, currency), duration=_minutes(wire.duration_min or None))


def service_of(wire: WireService, *, currency: str | None) -> Service:
    own = {StaffId(one.staff_id): terms_of(one, currency) for one in wire.by_staff}
    return Service(
        id=ServiceId(wire.id),
        title=wire.name.strip(),
        terms=terms_of(wire, currency),
        by_staff={staff_id: terms for staff_id, terms in own.items() if terms != Terms()},
        category=wire.category.strip() or None,
        description=wire.description.strip() or None,
    )


def staff_of(wire: WireStaff) -> Staff:
    return Staff(id=StaffId(wire.id), name=wire.name.strip(), specialization=wire.specialization.strip() or None)


def card_of(wire: WireCard, phone: Phone) -> Client:
    return Client(id=ClientId(wire.id), name=wire.name.strip(), phone=to_phone(wire.phone) or phone)


def product_of(wire: WireProduct, *, currency: str | None) -> Product:
    return Product(
        id=wire.id,
        title=wire.name.strip(),
        price=price_of(wire.price, wire.price_max, currency),
        description=wire.description.strip() or None,
    )


def appointment_of(
    wire: WireAppointment,
    *,
    zone: ZoneInfo,
    currency: str | None,
    titles: Mapping[str, str],
    names: Mapping[str, Staff],
) -> Appointment:
    """Build an appointment. `titles` and `names` fill in what the service tells by id alone."""
    stated = staff_of(wire.staff)
    return Appointment(
        id=RecordId(wire.id),
        starts_at=moment_of(wire.start, zone),
        duration=timedelta(minutes=wire.duration_min),
        staff=stated if stated.name else names.get(stated.id, stated),
        services=tuple(
            AppointmentService(
                id=ServiceId(one.id),
                title=one.name.strip() or titles.get(one.id, ""),
                price=price_of(one.price, one.price_max, currency),
            )
            for one in wire.services
        ),
        client_name=wire.client.name.strip() if wire.client else "",
        phone=to_phone(wire.client.phone) if wire.client else None,
        comment=wire.comment,
        external_id=wire.external_id or None,
        cancelled=wire.cancelled,
    )


def _minutes(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(minutes=value)
