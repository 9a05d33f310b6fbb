"""When somebody is at work in a branch: now, and when next. Where no hours are known, always."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from db.records import Branch

_DAYS_AHEAD = 14


def is_open(branch: Branch | None, now: datetime) -> bool:
    """Say whether somebody is at work."""
    if branch is None or branch.hours is None:
        return True
    local = now.astimezone(ZoneInfo(branch.time_zone))
    at = local.time()
    # Midnight as the end of a day is written 00:00.
    return any(one.opens <= at and (at < one.closes or not one.closes) for one in branch.hours.on(local.date()))


def opens_at(branch: Branch | None, now: datetime) -> datetime | None:
    """Return when somebody is at work next, in the branch's zone: now, where somebody is; None: not for two weeks."""
    if branch is None or branch.hours is None or is_open(branch, now):
        return now
    zone = ZoneInfo(branch.time_zone)
    local = now.astimezone(zone)
    for ahead in range(_DAYS_AHEAD + 1):
        day = local.date() + timedelta(days=ahead)
        for interval in branch.hours.on(day):
            opening = datetime.combine(day, interval.opens, zone)
            if opening > local:
                return opening
    return None
