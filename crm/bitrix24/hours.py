"""A week's hours where the portal keeps none by resource: as an admin types them, or its calendar's working time."""

from __future__ import annotations

import re

from crm.bitrix24.wire import WireHours
from crm.bitrix24.wire_calendar import WireCalendarSettings
from crm.errors import CRMNotConfigured, CRMUnavailable

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BY_TWO = {one[:2].upper(): one for one in DAYS}
_PART = re.compile(
    r"(?P<days>[A-Za-z]{3}(?:[-,][A-Za-z]{3})*)\s+(?P<opens>\d{1,2}:\d\d)\s*-\s*(?P<closes>\d{1,2}:\d\d)"
)


def hours_of(text: str, *, zone: str, step: int) -> tuple[WireHours, ...]:
    """Read `Mon-Fri 09:00-21:00; Sat,Sun 10:00-20:00`. Raises CRMNotConfigured for anything else."""
    found = [_part_of(part.strip(), zone, step) for part in text.split(";") if part.strip()]
    if not found:
        raise CRMNotConfigured("bitrix24: the field hours is empty")
    return tuple(found)


def working_time_of(settings: WireCalendarSettings, *, zone: str, step: int) -> tuple[WireHours, ...]:
    """Read the calendar's working time: one for all days that are not its weekend."""
    closed = {_BY_TWO.get(one) for one in settings.week_holidays}
    opens, closes = _minutes(settings.work_time_start), _minutes(settings.work_time_end)
    if opens is None or closes is None:
        raise CRMUnavailable("calendar.settings.get: the working time cannot be read: set the field hours")
    return (_hours([day for day in DAYS if day not in closed], opens, closes, zone, step),)


def _part_of(part: str, zone: str, step: int) -> WireHours:
    found = _PART.fullmatch(part)
    opens, closes = (_minutes(found[name]) for name in ("opens", "closes")) if found else (None, None)
    if found is None or opens is None or closes is None or opens >= closes:
        raise CRMNotConfigured("bitrix24: the field hours must look like Mon-Fri 09:00-21:00; Sat,Sun 10:00-20:00")
    days: list[str] = []
    for span in found["days"].split(","):
        names = [name.title() for name in span.split("-")]
        if len(names) > 2 or not set(names) <= set(DAYS):
            raise CRMNotConfigured("bitrix24: the field hours names days as Mon, Tue, Wed, Thu, Fri, Sat, Sun")
        first, last = DAYS.index(names[0]), DAYS.index(names[-1])
        days += [DAYS[(first + shift) % 7] for shift in range((last - first) % 7 + 1)]
    return _hours(days, opens, closes, zone, step)


def _minutes(text: str) -> int | None:
    """Read a time of day as 9, 9.30 or 09:30; None where it is none."""
    found = re.fullmatch(r"(\d{1,2})(?:[.:](\d{1,2}))?", text.strip())
    minutes = int(found[1]) * 60 + int(found[2] or 0) if found else None
    return minutes if minutes is not None and minutes <= 24 * 60 else None


def _hours(days: list[str], opens: int, closes: int, zone: str, step: int) -> WireHours:
    shape = {"from": opens, "to": closes, "timezone": zone, "weekDays": days, "slotSize": step}
    return WireHours.model_validate(shape)
