"""Who works when and what is taken: schedules and documents of some days, as spans of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.one_c.odata.client import ODataClient
from crm.one_c.odata.document import Booked, Form
from crm.one_c.odata.mapping import Mapping, Shifts
from crm.one_c.odata.query import fixed, literal
from crm.one_c.odata.wall_clock import Span, overlap, span_between, wall_of
from crm.one_c.odata.wire import Row
from crm.together import all_of

DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A working time; `staff_id` "" is anybody's."""

    staff_id: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Schedules and standing documents that touch some days."""

    shifts: tuple[Shift, ...]
    booked: tuple[Booked, ...]
    zone: ZoneInfo

    def shifts_of(self, staff_id: str) -> list[Span]:
        return sorted({one.span for one in self.shifts if one.staff_id in (staff_id, "")})

    def taken(self, staff_id: str, *, but: str = "") -> list[Span]:
        """Return a master's taken times, one document left out."""
        return [one.span(self.zone) for one in self.booked if one.staff_id == staff_id and one.key != but]

    def is_free(self, staff_id: str, wanted: Span, *, but: str = "") -> bool:
        """Say whether a time lies within one shift of the master and touches no other document of theirs."""
        inside = any(begins <= wanted[0] and wanted[1] <= ends for begins, ends in self.shifts_of(staff_id))
        return inside and not any(overlap(wanted, one) for one in self.taken(staff_id, but=but))


class Diary:
    def __init__(self, client: ODataClient, mapping: Mapping, form: Form, zone: ZoneInfo) -> None:
        self._client = client
        self._map = mapping
        self._form = form
        self._zone = zone

    async def read(self, first: date, last: date) -> Days:
        """Read some days, and what reaches into them from the evening before."""
        begins, ends = datetime.combine(first, time(0)), datetime.combine(last, time(0)) + DAY

        async def shifts() -> list[Shift] | list[Booked]:
            return await self._shifts(begins, ends)

        async def booked() -> list[Shift] | list[Booked]:
            return await self.list_booked(begins, ends)

        found = await all_of([shifts, booked], at_once=2)
        return Days(
            shifts=tuple(one for one in found[0] if isinstance(one, Shift)),
            booked=tuple(one for one in found[1] if isinstance(one, Booked)),
            zone=self._zone,
        )

    async def list_booked(self, begins: datetime, ends: datetime) -> list[Booked]:
        """Return the standing documents that may touch a time between two wall clocks."""
        found = await self._client.list_rows(
            "appointments",
            self._map.appointments.object,
            self._form.read,
            select=self._form.select,
            where=self._form.between(begins, ends),
        )
        return [one for one in found if not one.cancelled]

    async def others_at(self, booked: Booked) -> list[Booked]:
        """Return the master's other standing documents that overlap this one."""
        mine = booked.span(self._zone)
        around = await self.list_booked(wall_of(mine[0], self._zone), wall_of(mine[1], self._zone))
        return [
            one
            for one in around
            if one.key != booked.key and one.staff_id == booked.staff_id and overlap(one.span(self._zone), mine)
        ]

    async def _shifts(self, begins: datetime, ends: datetime) -> list[Shift]:
        named = self._map.schedule.register_
        if named is None:
            return list(self._weekly(begins, ends))
        fields = [named.staff, *named.start.fields, *named.end.fields]
        low, high = begins - DAY, ends
        found = await self._client.list_rows(
            "schedule",
            named.object,
            lambda row: self._shift(row, named),
            select=fields,
            where=[
                *fixed(named.where),
                f"{named.start.field} ge {literal(low)}",
                f"{named.start.field} lt {literal(high)}",
            ],
            order=(named.staff, *named.start.fields),
        )
        return [one for one in found if one is not None]

    def _shift(self, row: Row, named: Shifts) -> Shift | None:
        """Read a record. An end not after its start is in the next day; an empty record is a day off."""
        starts, ends = row.moment(named.start), row.moment(named.end)
        if starts == ends and not starts.time():
            return None
        if ends <= starts:
            ends += DAY
        return Shift(staff_id=row.key(named.staff), span=span_between(starts, ends, self._zone))

    def _weekly(self, begins: datetime, ends: datetime) -> Iterator[Shift]:
        weekly = self._map.schedule.weekly or {}
        day = begins.date() - DAY
        while day < ends.date():
            hours = weekly.get(WEEKDAYS[day.weekday()])  # type: ignore[call-overload]
            if hours is not None:
                opens, closes = (datetime.combine(day, one) for one in hours)
                later = closes if closes > opens else closes + DAY
                yield Shift(staff_id="", span=span_between(opens, later, self._zone))
            day += DAY


def starts_within(shift: Span, length: timedelta, step: timedelta, taken: Sequence[Span]) -> Iterator[datetime]:
    """Yield the starts, on the grid that begins with the shift, whose whole time is inside it and free. In UTC."""
    starts = shift[0]
    while starts + length <= shift[1]:
        if not any(overlap((starts, starts + length), one) for one in taken):
            yield starts
        starts += step
