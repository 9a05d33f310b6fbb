"""When a company writes to its clients unasked, as its file writes it: how long before a visit, and never at night."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

from db.quiet_hours import DEFAULT_QUIET, QuietHours

OFF = "off"
NOT_ANSWERED = "nobody has said whether the CRM reminds clients itself, so none is reminded"
MOST_LEADS = 3
SHORTEST, LONGEST = timedelta(minutes=45), timedelta(days=7)
_LEAD = re.compile(r"([1-9]\d{0,3})(m|h|d)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_QUIET = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")


def read_reminders(value: Any) -> Any:
    """Read `off` as no leads, `[24h, 2h]` as leads, the longest first. None: the owner has not said."""
    if value is None or isinstance(value, tuple):
        return value
    if value == OFF:
        return ()
    if not isinstance(value, list) or not value:
        raise ValueError("reminders are off (the CRM sends them itself), or a list of how long before: [24h, 2h]")
    leads = {_lead(one) for one in value}
    if len(leads) < len(value):
        raise ValueError("one of these is there twice")
    if len(leads) > MOST_LEADS:
        raise ValueError(f"at most {MOST_LEADS} reminders of one visit")
    return tuple(sorted(leads, reverse=True))


def write_reminders(leads: Sequence[timedelta] | None) -> list[str] | str | None:
    """Write the canonical form: whole hours as hours."""
    if leads is None:
        return None
    return [_written(lead) for lead in leads] or OFF


def read_quiet(value: Any) -> Any:
    """Read `21:00-9:00`."""
    if value is None or isinstance(value, QuietHours):
        return value or DEFAULT_QUIET
    found = _QUIET.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("quiet hours are written 21:00-9:00")
    hour, minute, until_hour, until_minute = map(int, found.groups())
    quiet = QuietHours(begins=time(hour, minute), until=time(until_hour, until_minute))
    if quiet.begins == quiet.until:
        raise ValueError("quiet hours cannot be the whole day: nothing could ever be said")
    return quiet


def write_quiet(quiet: QuietHours) -> str:
    """Write the canonical form."""
    return "-".join(f"{one.hour}:{one:%M}" for one in (quiet.begins, quiet.until))


def _lead(value: Any) -> timedelta:
    found = _LEAD.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r}: how long before a visit is written 24h, 90m or 2d")
    lead = int(found[1]) * _UNITS[found[2]]
    if not SHORTEST <= lead <= LONGEST:
        raise ValueError(f"{value!r}: at least 45m and at most 7d before a visit")
    return lead


def _written(lead: timedelta) -> str:
    minutes = round(lead.total_seconds() / 60)
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"
