"""What is said unasked is not said at night, by the client's own clock. Pure.

Wall-clock times are taken in the client's zone and compared as moments, so that a night in which the clock is changed
is simply an hour shorter or longer.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from db.quiet_hours import QuietHours

EVENING = timedelta(hours=1)
"""What would come at night is said so long before it begins: there is time left for another try."""


def is_night(moment: datetime, quiet: QuietHours, zone: ZoneInfo) -> bool:
    """Say whether a moment lies in the quiet hours of somebody who lives in `zone`."""
    at = moment.astimezone(zone).time()
    if quiet.begins < quiet.until:
        return quiet.begins <= at < quiet.until
    return at >= quiet.begins or at < quiet.until


def evening_before(moment: datetime, quiet: QuietHours, zone: ZoneInfo) -> datetime:
    """Return the moment itself (in UTC), or, where it lies at night, one before that night begins."""
    if not is_night(moment, quiet, zone):
        return moment.astimezone(UTC)
    local = moment.astimezone(zone)
    begun_today = local.time() >= quiet.begins
    day = local.date() if begun_today else local.date() - timedelta(days=1)
    begins = datetime.combine(day, quiet.begins, zone).astimezone(UTC)
    return begins - _margin(quiet)


def morning_after(moment: datetime, quiet: QuietHours, zone: ZoneInfo) -> datetime:
    """Return the moment itself (in UTC), or, where it lies at night, the one at which that night ends."""
    if not is_night(moment, quiet, zone):
        return moment.astimezone(UTC)
    local = moment.astimezone(zone)
    day = local.date() if local.time() < quiet.until else local.date() + timedelta(days=1)
    return datetime.combine(day, quiet.until, zone).astimezone(UTC)


def _margin(quiet: QuietHours) -> timedelta:
    """Return EVENING, or half of a day that is shorter than two of it."""
    minutes = (quiet.begins.hour - quiet.until.hour) * 60 + quiet.begins.minute - quiet.until.minute
    return min(EVENING, timedelta(minutes=minutes % (24 * 60)) / 2)
