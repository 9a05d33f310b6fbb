"""Opening hours as a company's file writes them: weekday intervals with dated exceptions, read and written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from db.catalogue import Hours, Interval

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EXCEPTIONS = "exceptions"


def read_hours(value: Any) -> Any:
    """Read `{mon-fri: 9:00-21:00, sat: closed, exceptions: {2026-12-31: 10:00-15:00}}`.

    Raises ValidationError with every fault, each at its own key, which pydantic sets into the place of the field.
    """
    if value is None or isinstance(value, Hours):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("hours are written by weekday: mon-fri: 9:00-21:00")
    reading = _Reading()
    reading.read_week({name: times for name, times in value.items() if name != _EXCEPTIONS})
    reading.read_exceptions(value.get(_EXCEPTIONS))
    if reading.faults:
        raise ValidationError.from_exception_data("hours", reading.faults)
    return Hours(weekly=dict(sorted(reading.weekly.items())), exceptions=dict(sorted(reading.exceptions.items())))


class _Reading:
    def __init__(self) -> None:
        self.weekly: dict[int, tuple[Interval, ...]] = {}
        self.exceptions: dict[date, tuple[Interval, ...]] = {}
        self.faults: list[InitErrorDetails] = []

    def read_week(self, week: Mapping[str, Any]) -> None:
        for name, times in week.items():
            intervals = self._intervals((name,), times)
            for day in self._days(name):
                if day in self.weekly:
                    self._fault((name,), f"{_WEEKDAYS[day]} is said twice")
                self.weekly[day] = intervals

    def read_exceptions(self, value: Any) -> None:
        if value is None:
            return
        if not isinstance(value, Mapping):
            self._fault((_EXCEPTIONS,), "exceptions are written by date: 2026-12-31: 9:00-15:00")
            return
        for name, times in value.items():
            place = (_EXCEPTIONS, name)
            intervals = self._intervals(place, times)
            try:
                if not _DATE.fullmatch(name):
                    raise ValueError(name)
                self.exceptions[date.fromisoformat(name)] = intervals
            except ValueError:
                self._fault(place, f"there is no day {name!r}; a date is written 2026-12-31")

    def _days(self, name: str) -> range:
        first, _, last = name.partition("-")
        if first not in _WEEKDAYS or (last or first) not in _WEEKDAYS:
            self._fault((name,), f"{name!r} is no weekday; write mon, tue … sun, or mon-fri")
            return range(0)
        days = range(_WEEKDAYS.index(first), _WEEKDAYS.index(last or first) + 1)
        if not days:
            self._fault((name,), f"{name!r} runs backwards")
        return days

    def _intervals(self, place: tuple[str, ...], value: Any) -> tuple[Interval, ...]:
        if value == "closed":
            return ()
        read: list[tuple[int, int]] = []
        for part in str(value if value is not None else "").split(","):
            try:
                read.append(_minutes(part.strip()))
            except ValueError as error:
                self._fault(place, str(error))
        if any(before[1] > after[0] for before, after in pairwise(read)):
            self._fault(place, f"{value!r}: intervals overlap, or are out of order")
        return tuple(Interval(opens=_time(opens), closes=_time(closes)) for opens, closes in read)

    def _fault(self, place: tuple[str, ...], text: str) -> None:
        error = PydanticCustomError("hours", "{text}", {"text": text})
        self.faults.append(InitErrorDetails(type=error, loc=place, input=None))


def _minutes(part: str) -> tuple[int, int]:
    found = _TIMES.fullmatch(part)
    if found is None:
        raise ValueError(f"{part!r}: hours are written 9:00-21:00, 9:00-13:00, 14:00-18:00, or closed")
    from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
    opens, closes = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if closes <= opens:
        raise ValueError(f"{part!r} ends before it begins")
    if closes > 24 * 60:
        raise ValueError(f"{part!r} ends after 24:00")
    return opens, closes


def _time(minutes: int) -> time:
    """Return the time of day; 24:00 is the next midnight."""
    return time(minutes // 60 % 24, minutes % 60)


def write_hours(hours: Hours | None) -> dict[str, Any] | None:
    """Write the canonical form: equal neighbouring days as one."""
    if hours is None:
        return None
    written: dict[str, Any] = {name: _write_intervals(times) for name, times in _grouped(hours)}
    if hours.exceptions:
        written[_EXCEPTIONS] = {day: _write_intervals(times) for day, times in sorted(hours.exceptions.items())}
    return written


def _grouped(hours: Hours) -> Iterator[tuple[str, Sequence[Interval]]]:
    days = sorted(hours.weekly)
    while days:
        first = last = days.pop(0)
        while days and days[0] == last + 1 and hours.weekly[days[0]] == hours.weekly[first]:
            last = days.pop(0)
        name = _WEEKDAYS[first] if first == last else f"{_WEEKDAYS[first]}-{_WEEKDAYS[last]}"
        yield name, hours.weekly[first]


def _write_intervals(intervals: Sequence[Interval]) -> str:
    if not intervals:
        return "closed"
    return ", ".join(
        f"{one.opens.hour}:{one.opens:%M}-{one.closes.hour or (24 if one.closes.minute == 0 else 0)}:{one.closes:%M}"
        for one in intervals
    )
