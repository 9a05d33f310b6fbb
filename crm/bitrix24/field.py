"""The deals' field of type `resourcebooking`, by which a portal without the booking module is booked.

The one place that knows how the field is written, **which the vendor's REST documentation does not say**. It is taken
from the product's own code (calendar module, lib/userfield/resourcebooking.php), not tried with a live portal: a value
`resource|ID|WHEN|SECONDS|SERVICE`, the wall clock of the field's zone in the site's format of dates; the same resource
again changes its booking, another one takes its place, `empty` (what the portal's own form sends) releases it. Whoever
writes it reads what came of it, and takes it back where that is not what was meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.wire_calendar import WireField, WireFields
from crm.errors import CRMNotConfigured

TYPE = "resourcebooking"
RELEASED = "empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingField:
    """`zone`: whose wall clock is written into it (`zone_is_named`: the field says so). `resource_ids`: which of the
    calendar's resources it offers; none: all."""

    name: str
    title: str
    zone: ZoneInfo
    resource_ids: frozenset[str]
    zone_is_named: bool

    def value_of(self, *, resource_id: str, starts_at: datetime, lasts: timedelta, service: str) -> str:
        when = starts_at.astimezone(self.zone).strftime("%d.%m.%Y %H:%M:%S")
        return f"resource|{resource_id}|{when}|{round(lasts.total_seconds())}|{service.replace('|', '/')}"


async def find_field(client: Bitrix24Client, chosen: str | None) -> WireField:
    """Return the chosen field, or the only one there is. Raises CRMNotConfigured with what to set."""
    pages = await client.ask_pages("crm.deal.userfield.list", {"filter": {"USER_TYPE_ID": TYPE}}, WireFields)
    fields = [one for page in pages for one in page.rows if one.kind == TYPE and chosen in (None, one.name)]
    if not fields:
        raise CRMNotConfigured(f"bitrix24: deals have no field of type {TYPE}" + (f" named {chosen}" if chosen else ""))
    if len(fields) > 1:
        names = ", ".join(one.name for one in fields)
        raise CRMNotConfigured(f"bitrix24: deals have several fields of type {TYPE}: set booking_field, of {names}")
    return fields[0]


def field_of(wire: WireField, *, zone: ZoneInfo) -> BookingField:
    """Read a field's settings; `zone` is taken where it names none: then the server's own holds, which nobody tells.

    Raises CRMNotConfigured where it books by whole days, or by each user's own clock.
    """
    settings = wire.settings
    if settings.full_day == "Y":
        raise CRMNotConfigured(f"bitrix24: the field {wire.name} books whole days: turn that off in its settings")
    if settings.user_zone == "Y":
        raise CRMNotConfigured(f"bitrix24: the field {wire.name} follows each user's time zone: give it one of its own")
    try:
        named = ZoneInfo(settings.timezone) if settings.timezone else zone
    except (KeyError, ValueError, OSError):
        raise CRMNotConfigured(f"bitrix24: the field {wire.name} has a time zone that nobody knows") from None
    offered = frozenset(one.id for one in settings.resources if one.type == "resource")
    return BookingField(
        name=wire.name,
        title=wire.title or wire.name,
        zone=named,
        resource_ids=offered,
        zone_is_named=bool(settings.timezone),
    )
