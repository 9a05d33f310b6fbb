"""The vendor's words as ours: money, zones, services, appointments. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from crm.base import (
    Appointment,
    AppointmentService,
    BookingRules,
    Prepayment,
    RecordId,
    Service,
    ServiceId,
    Staff,
    StaffId,
    Terms,
)
from crm.phones import to_phone
from crm.prices import price_of
from crm.yclients.wire import WireCompany, WireRecord, WireRecordStaff, WireService, WireStaff, plain

CAME, NO_SHOW, CONFIRMED = 1, -1, 2
"""A record's `attendance`: staff say how the visit went, or that its client has said to come."""
# The API gives the currency's sign, not its ISO code; where it gives none, the branch's country says it.
BY_SIGN: Mapping[str, str] = MappingProxyType(
    {"р": "RUB", "руб": "RUB", "₽": "RUB", "₸": "KZT", "тг": "KZT", "₴": "UAH", "br": "BYN", "€": "EUR", "$": "USD"}
    | {"֏": "AMD", "₾": "GEL", "₼": "AZN", "£": "GBP", "₪": "ILS", "сум": "UZS", "сом": "KGS"}
)
BY_COUNTRY: Mapping[str, str] = MappingProxyType(
    {"россия": "RUB", "russia": "RUB", "казахстан": "KZT", "kazakhstan": "KZT", "беларусь": "BYN", "belarus": "BYN"}
    | {"латвия": "EUR", "литва": "EUR", "эстония": "EUR", "армения": "AMD", "грузия": "GEL", "узбекистан": "UZS"}
    | {"азербайджан": "AZN", "украина": "UAH", "киргизия": "KGS", "кыргызстан": "KGS", "израиль": "ILS"}
)


def currency_of(company: WireCompany, *, flavour: str) -> str | None:
    """Return the ISO 4217 code; None where the CRM names a currency or country that is not known here."""
    sign = company.currency_short_title.strip().rstrip(".").lower()
    country = company.country.strip().lower()
    if sign:
        return BY_SIGN.get(sign) or (sign.upper() if len(sign) == 3 and sign.isascii() and sign.isalpha() else None)
    if country:
        return BY_COUNTRY.get(country)
    return "RUB" if flavour == "yclients" else None


def zone_of(company: WireCompany, *, fallback: ZoneInfo) -> ZoneInfo:
    """Return the branch's IANA zone as the CRM names it, else the one of our own settings."""
    for name in (company.timezone_name, company.timezone):
        if "/" in name or name.upper() == "UTC":
            try:
                return ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                continue
    return fallback


def widget_of(company: WireCompany) -> str | None:
    """Return the address of the branch's online booking page, its default one first."""
    forms = sorted(company.bookforms, key=lambda form: not form.is_default)
    return next((form.url for form in forms if form.url.startswith(("https://", "http://"))), None)


def rules_of(company: WireCompany, *, zone: ZoneInfo) -> BookingRules:
    """Return the branch's policy. Lead time has no field: the vendor leaves such times out of the free ones."""
    return BookingRules(
        time_zone=zone,
        title=company.title,
        may_move=company.allow_change_record is not False,
        may_cancel=company.allow_delete_record is not False,
        move_deadline=_seconds(company.allow_change_record_delay_step),
        cancel_deadline=_seconds(company.allow_delete_record_delay_step),
    )


def terms_of(wire: WireService, currency: str | None) -> Terms:
    return Terms(
        price=price_of(wire.price_min, wire.price_max, currency), duration=_seconds(wire.seance_length or None)
    )


def service_of(
    wire: WireService,
    *,
    terms: Terms,
    by_staff: Mapping[StaffId, Terms],
    category: str | None,
    booking_url: str | None,
) -> Service:
    """Build a service. Where every master takes the same time, that time holds for any."""
    times = {one.duration for one in by_staff.values()}
    general = Terms(price=terms.price, duration=terms.duration or (times.pop() if len(times) == 1 else None))
    differing = {
        staff_id: Terms(
            price=one.price if one.price != general.price else None,
            duration=one.duration if one.duration != general.duration else None,
        )
        for staff_id, one in by_staff.items()
    }
    return Service(
        id=ServiceId(wire.id),
        title=plain(wire.title),
        terms=general,
        by_staff={staff_id: one for staff_id, one in differing.items() if one != Terms()},
        category=category,
        description=plain(wire.comment) or None,
        prepayment=_PREPAYMENTS.get(wire.prepaid, Prepayment.NONE),
        booking_url=booking_url,
    )


_PREPAYMENTS = MappingProxyType({"allowed": Prepayment.ALLOWED, "required": Prepayment.REQUIRED})


def staff_of(wire: WireStaff | WireRecordStaff) -> Staff:
    return Staff(id=StaffId(wire.id), name=plain(wire.name), specialization=plain(wire.specialization) or None)


def appointment_of(
    wire: WireRecord,
    *,
    zone: ZoneInfo,
    currency: str | None,
    titles: Mapping[str, str] | None = None,
    staff: Staff | None = None,
) -> Appointment:
    """Build an appointment. `titles` and `staff` fill what the answer to a write may leave out."""
    client = wire.client
    known = staff_of(wire.staff) if wire.staff and wire.staff.name else staff
    return Appointment(
        id=RecordId(wire.id),
        starts_at=wire.starts_at().replace(tzinfo=zone),
        duration=wire.duration,
        staff=known or Staff(id=StaffId(wire.master_id), name=""),
        services=tuple(
            AppointmentService(
                id=ServiceId(one.id),
                title=plain(one.title) or (titles or {}).get(one.id, ""),
                price=price_of(one.cost, one.cost, currency),
            )
            for one in wire.services
        ),
        client_name=client.name if client else "",
        phone=to_phone(client.phone) if client else None,
        comment=wire.comment,
        external_id=wire.api_id if wire.api_id not in ("", "0") else None,
        cancelled=wire.deleted,
        missed=NO_SHOW in (wire.attendance, wire.visit_attendance),
    )


def _seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)
