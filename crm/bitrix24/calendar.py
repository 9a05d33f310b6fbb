"""The diary of a portal without the booking module: resources of its calendar, booked by a field of deals.

After "Resource Booking: Overview of Methods" and "calendar.settings.get" (REST documentation). The calendar knows no
hours by resource: they come from the settings, or are the calendar's working time less its holidays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from crm.base import Cache
from crm.bitrix24.access import CALENDAR, Access
from crm.bitrix24.client import BATCH, Bitrix24Client
from crm.bitrix24.diary import BookingDiary, Taken
from crm.bitrix24.field import BookingField, field_of, find_field
from crm.bitrix24.hours import hours_of, working_time_of
from crm.bitrix24.wire import WireHours, WireResource
from crm.bitrix24.wire_calendar import (
    WireCalendarBooking,
    WireCalendarBookings,
    WireCalendarResources,
    WireCalendarSettings,
    WireField,
)
from crm.kept import Kept

KEPT = timedelta(minutes=10)
A_DAY = timedelta(days=1)
_FIELD = TypeAdapter(WireField)
_SETTINGS = TypeAdapter(WireCalendarSettings)


class CalendarDiary:
    """Reads the calendar; the field's and the calendar's settings are kept some minutes."""

    def __init__(self, client: Bitrix24Client, cache: Cache, access: Access, *, zone: ZoneInfo) -> None:
        self._client = client
        self._kept = Kept(cache, access.scope)
        self._access = access
        self._zone = zone

    async def get_field(self) -> BookingField:
        """Return the field of deals that books. Raises CRMNotConfigured with what to set."""
        wire = await self._kept.get("field", _FIELD, self._load_field, ttl=KEPT)
        return field_of(wire, zone=self._zone)

    async def load_resources(self) -> tuple[WireResource, ...]:
        """Return those of the calendar's resources that the field offers."""
        offered = (await self.get_field()).resource_ids
        pages = await self._client.ask_all(
            "calendar.resource.list", {}, WireCalendarResources, lambda page: [one.id for one in page.rows]
        )
        found = {one.id: one.name for page in pages for one in page.rows}
        return tuple(WireResource(id=id_, name=name) for id_, name in found.items() if not offered or id_ in offered)

    async def load_hours(self, resource_ids: Sequence[str]) -> dict[str, tuple[WireHours, ...]]:
        zone, step = self._zone.key, self._access.step
        if self._access.hours is not None:
            return dict.fromkeys(resource_ids, hours_of(self._access.hours, zone=zone, step=step))
        return dict.fromkeys(resource_ids, working_time_of(await self._settings(), zone=zone, step=step))

    async def list_taken(self, first: date, last: date, resource_ids: Sequence[str]) -> tuple[Taken, ...]:
        """A day more is asked for at both ends: the portal counts days by a clock that it does not tell."""
        if not resource_ids:
            return ()
        resources = [int(one) for one in resource_ids]
        window = {"from": (first - A_DAY).isoformat(), "to": (last + A_DAY).isoformat()}
        rows = await self._list({"resourceTypeIdList": resources, **window})
        return (*(self._taken(row) for row in rows), *await self._holidays(first, last, resource_ids))

    async def list_bookings(self, numbers: Sequence[str]) -> dict[str, Taken]:
        """Return those of the bookings that a deal's field names which stand, by number."""
        found: dict[str, Taken] = {}
        for place in range(0, len(numbers), BATCH):
            rows = await self._list({"resourceIdList": [int(one) for one in numbers[place : place + BATCH]]})
            found |= {row.number: self._taken(row) for row in rows if row.number is not None}
        return found

    async def _list(self, chosen: dict[str, object]) -> list[WireCalendarBooking]:
        body = {"filter": chosen}
        pages = await self._client.ask_all(
            "calendar.resource.booking.list", body, WireCalendarBookings, lambda page: [one.entry for one in page.rows]
        )
        rows = {row.entry: row for page in pages for row in page.rows}
        return [row for row in rows.values() if row.deleted != "Y"]

    def _taken(self, row: WireCalendarBooking) -> Taken:
        begins, ends = (datetime.fromtimestamp(stamp, UTC) for stamp in (row.begins, row.ends))
        if row.whole_days == "Y":
            begins, ends = self._midnight(begins.date()), self._midnight(ends.date() + A_DAY)
        resources = (row.resource_id,) if row.kind == "resource" else ()
        return Taken(id=row.number or "", resource_ids=resources, begins=begins, ends=ends)

    async def _holidays(self, first: date, last: date, resource_ids: Sequence[str]) -> list[Taken]:
        """Close the calendar's holidays, where its working time is what holds."""
        if self._access.hours is not None:
            return []
        settings = await self._settings()
        closed = {tuple(map(int, one)) for one in re.findall(r"(\d{1,2})\.(\d{1,2})", settings.year_holidays)}
        days = [first + A_DAY * shift for shift in range((last - first).days + 1)]
        return [
            Taken(id="", resource_ids=tuple(resource_ids), begins=self._midnight(day), ends=self._midnight(day + A_DAY))
            for day in days
            if (day.day, day.month) in closed
        ]

    async def _settings(self) -> WireCalendarSettings:
        async def load() -> WireCalendarSettings:
            return await self._client.ask("calendar.settings.get", {}, WireCalendarSettings)

        return await self._kept.get("calendar", _SETTINGS, load, ttl=KEPT)

    async def _load_field(self) -> WireField:
        return await find_field(self._client, self._access.booking_field)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._zone).astimezone(UTC)


def diary_of(client: Bitrix24Client, cache: Cache, access: Access, *, zone: ZoneInfo) -> BookingDiary | CalendarDiary:
    """Return the diary that the settings name."""
    if access.mode == CALENDAR:
        return CalendarDiary(client, cache, access, zone=zone)
    return BookingDiary(client, access, zone=zone)
