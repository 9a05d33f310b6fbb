"""A portal without the booking module: resources of the calendar, which a field of deals books.

`calendar.*` and `crm.deal.userfield.list` are after the REST documentation ("Resource Booking: Overview of Methods").
How that field is written it does not say; here it is read as the product's own code reads it (calendar module,
lib/userfield/resourcebooking.php): a value `resource|ID|WHEN|SECONDS|SERVICE` with the wall clock of the field's zone,
in the site's format, a number for a booking that stays, and what is not named is released. Overlaps are not refused.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sandbox.bitrix24.calling import Json, Refused
from sandbox.bitrix24.portal import Portal
from sandbox.diary import Entry

FIELD = "UF_CRM_1709565075"
RUSSIAN_FORMAT, AMERICAN_FORMAT = "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"
_DAYS = {0: "MO", 1: "TU", 2: "WE", 3: "TH", 4: "FR", 5: "SA", 6: "SU"}
_NOT_READ = datetime.combine(date(1970, 1, 1), time.min)
Method = Callable[[Json], object]


@dataclass(slots=True)
class ResourceField:
    """The deals' field of type `resourcebooking`, and the bookings that it holds: one of a deal.

    A visit's number in the diary is its deal's. `site_format`: how the portal writes times; what it cannot read lands
    in 1970. `settings` are changed by a test as an administrator may.
    """

    portal: Portal
    site_format: str = RUSSIAN_FORMAT
    settings: Json = field(default_factory=dict)
    empty_releases: bool = True
    """Whether a value that names nothing releases the booking: nobody documents it."""
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By deal: the booking's number and its calendar event's."""
    whole_days: list[tuple[str, date, date]] = field(default_factory=list)
    """Masters who are away for whole days, the last included."""
    _bookings: itertools.count[int] = field(default_factory=lambda: itertools.count(10))
    _events: itertools.count[int] = field(default_factory=lambda: itertools.count(1408))

    def value_of(self, deal: int) -> list[int]:
        """Return the field as it is read: numbers of bookings."""
        entry = self.portal.diary.entries.get(str(deal))
        return [self.numbers[str(deal)][0]] if entry is not None and not entry.cancelled else []

    def save(self, deal: Json, values: object) -> None:
        """Take what a call wrote into the field."""
        if not isinstance(values, list):
            raise TypeError("a multiple field is written as a list")
        number, entry = str(deal["id"]), self.portal.diary.entries.get(str(deal["id"]))
        written = [str(one) for one in values if "|" in str(one)]
        kept = [one for one in values if str(one).isdigit() and int(one) in self.value_of(deal["id"])]
        if written:
            [value] = written  # two resources of one visit are not what this portal's people do
            self._book(deal, value, entry)
        elif not kept and entry is not None and not entry.cancelled and self.empty_releases:
            entry.cancelled = True
            self.portal.diary.write(entry)
            del self.numbers[number]

    def number(self, deal: str) -> None:
        self.numbers[deal] = next(self._bookings), next(self._events)

    def rows(self) -> list[Json]:
        """Return the calendar's entries of resources."""
        named = {name: number for number, name in self.portal.resources().items()}
        standing = [one for one in self.portal.diary.entries.values() if not one.cancelled]
        away = [self._away(named[master], first, last) for master, first, last in self.whole_days]
        return [self._row(one, named[one.master]) for one in standing if one.master in named] + away

    def _book(self, deal: Json, value: str, entry: Entry | None) -> None:
        kind, resource, when, seconds, service = value.split("|")
        if kind != "resource":
            raise ValueError("this portal's masters are resources")
        try:
            start = datetime.strptime(when, self.site_format)  # noqa: DTZ007
        except ValueError:
            start = _NOT_READ
        master, contact = self.portal.resources()[int(resource)], str((deal.get("contactIds") or [""])[0])
        if entry is None or entry.cancelled or entry.master != master:
            self.number(str(deal["id"]))
        card = self.portal.diary.cards.get(contact)
        made = Entry(
            id=str(deal["id"]),
            master=master,
            services=self.portal.services_in(service or str(deal.get("title"))),
            start=start,
            client=card.name if card else "",
            phone=card.phone if card else "",
            comment=str(deal.get("comments") or ""),
            lasts=timedelta(seconds=int(seconds)),
        )
        self.portal.diary.write(made)

    def _row(self, entry: Entry, resource: int) -> Json:
        zone, ends = self.portal.zone, self.portal.diary.end_of(entry)
        booking, event = self.numbers[entry.id]
        stamps = [int(wall.replace(tzinfo=zone).timestamp()) for wall in (entry.start, ends)]
        return self._shape(
            event,
            booking,
            resource,
            (entry.start, ends),
            (stamps[0], stamps[1]),
            skip="N",
            name=", ".join(entry.services),
        )

    def _away(self, resource: int, first: date, last: date) -> Json:
        """An entry of whole days counts its stamps from midnight UTC (as the documents' sample does)."""
        walls = [datetime.combine(one, time.min) for one in (first, last)]
        stamps = [int(wall.replace(tzinfo=UTC).timestamp()) for wall in walls]
        return self._shape(
            900 + resource, 900 + resource, resource, (walls[0], walls[1]), (stamps[0], stamps[1]), skip="Y"
        )

    def _shape(
        self,
        event: int,
        booking: int,
        resource: int,
        walls: tuple[datetime, datetime],
        stamps: tuple[int, int],
        *,
        skip: str,
        name: str = "",
    ) -> Json:
        days = timedelta(days=1) if skip == "Y" else timedelta(0)
        return {
            "ID": str(event),
            "PARENT_ID": str(event),
            "DELETED": "N",
            "CAL_TYPE": "resource",
            "OWNER_ID": "0",
            "NAME": "Бронирование",
            "DATE_FROM": walls[0].strftime(self.site_format),
            "DATE_TO": walls[1].strftime(self.site_format),
            "TZ_FROM": self.portal.business.time_zone,
            "TZ_TO": self.portal.business.time_zone,
            "DATE_FROM_TS_UTC": str(stamps[0]),
            "DATE_TO_TS_UTC": str(stamps[1]),
            "DT_SKIP_TIME": skip,
            "DT_LENGTH": int((walls[1] - walls[0] + days).total_seconds()),
            "EVENT_TYPE": "#resourcebooking#",
            "DESCRIPTION": f"Услуга: {name}" if name else "",
            "SECTION_ID": str(resource),
            "SECT_ID": str(resource),
            "RESOURCE_BOOKING_ID": str(booking),
        }


class Calendars:
    """`calendar.*` (scope calendar) and the description of the field (scope crm)."""

    def __init__(self, portal: Portal, booked: ResourceField) -> None:
        self._portal = portal
        self._field = booked

    def methods(self) -> dict[str, Method]:
        return {
            "calendar.resource.list": self.resources,
            "calendar.resource.booking.list": self.bookings,
            "calendar.settings.get": self.settings,
            "crm.deal.userfield.list": self.fields,
        }

    def resources(self, _: Json) -> object:
        named = self._portal.resources().items()
        return [{"ID": str(number), "NAME": name, "CREATED_BY": "1"} for number, name in named]

    def bookings(self, body: Json) -> object:
        """By resources and dates, or by the field's numbers: never both."""
        chosen = body.get("filter") or {}
        if "resourceIdList" in chosen:
            if "resourceTypeIdList" in chosen:
                raise ValueError("one of the two filters, not both")
            wanted = {str(one) for one in chosen["resourceIdList"]}
            found = [row for row in self._field.rows() if row["RESOURCE_BOOKING_ID"] in wanted]
            return [row | {"RESOURCE_BOOKING_ID": int(row["RESOURCE_BOOKING_ID"])} for row in found]
        if not chosen.get("resourceTypeIdList"):
            why = "The required parameter \"filter['resourceTypeIdList']\" is not set for the method"
            raise Refused(400, "", f'{why} "calendar.resource.booking.list"')
        resources = {str(one) for one in chosen["resourceTypeIdList"]}
        since, until = _midnight(chosen["from"]), _midnight(chosen["to"]) + timedelta(days=1)
        return [
            row
            for row in self._field.rows()
            if row["SECTION_ID"] in resources
            and int(row["DATE_FROM_TS_UTC"]) < until.timestamp()
            and int(row["DATE_TO_TS_UTC"]) >= since.timestamp()
        ]

    def settings(self, _: Json) -> object:
        """The portal's working time is one for all days; a business that differs by weekday is told by its longest."""
        hours = self._portal.business.hours
        opens, closes = min(one for one, _ in hours.values()), max(one for _, one in hours.values())
        return {
            "work_time_start": _clock(opens),
            "work_time_end": _clock(closes),
            "year_holidays": "1.01,2.01,7.01",
            "year_workdays": "31.12",
            "week_holidays": [_DAYS[day] for day in range(7) if day not in hours],
            "week_start": "MO",
        } | self._field.settings.get("calendar", {})

    def fields(self, body: Json) -> object:
        if (body.get("filter") or {}).get("USER_TYPE_ID") not in (None, "resourcebooking"):
            return []
        selected = [
            {"type": "resource", "id": str(number), "title": name} for number, name in self._portal.resources().items()
        ]
        settings = {
            "USE_USERS": "N",
            "USE_RESOURCES": "Y",
            "SELECTED_RESOURCES": selected,
            "FULL_DAY": "N",
            "ALLOW_OVERBOOKING": "N",
            "TIMEZONE": self._portal.business.time_zone,
            "USE_USER_TIMEZONE": "N",
        } | self._field.settings.get("field", {})
        row = {
            "ID": "5567",
            "ENTITY_ID": "CRM_DEAL",
            "FIELD_NAME": FIELD,
            "USER_TYPE_ID": "resourcebooking",
            "MULTIPLE": "Y",
            "SETTINGS": settings,
            "EDIT_FORM_LABEL": "Запись к мастеру",
        }
        more = [row | {"FIELD_NAME": name, "ID": "5568"} for name in self._field.settings.get("more", [])]
        return [row, *more]


def _midnight(day: str) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(day)):
        raise ValueError(f"a date is written as 2026-03-04, not {day!r}")
    return datetime.combine(date.fromisoformat(day), time.min, UTC)


def _clock(moment: time) -> str:
    """Write a time of day as the calendar's settings do: 9, 9.30."""
    return f"{moment.hour}.{moment.minute:02}" if moment.minute else str(moment.hour)
