"""1C's times have no zone: they are the base's wall clock. Made moments of, and back, over clock changes too."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def moment_of(stated: datetime, zone: ZoneInfo) -> datetime:
    """Return a stated time as an aware one of the zone.

    A wall clock that is shown twice is the first of the two; one that is never shown is moved on by what was skipped.
    A time that states its own offset is taken at its word.
    """
    aware = stated if stated.tzinfo else stated.replace(tzinfo=zone)
    return aware.astimezone(UTC).astimezone(zone)


def can_be_stated(moment: datetime) -> bool:
    """Say whether the wall clock of an aware time names just this moment when it is read back."""
    return moment.astimezone(UTC) == moment.replace(fold=0).astimezone(UTC)


def is_shown(stated: datetime, zone: ZoneInfo) -> bool:
    """Say whether the zone's clocks ever show this time: one that states its own offset they do."""
    return stated.tzinfo is not None or moment_of(stated, zone).replace(tzinfo=None, fold=0) == stated


def wall_clock(moment: datetime) -> str:
    return moment.replace(tzinfo=None, microsecond=0).isoformat()


def not_after(moment: datetime, zone: ZoneInfo) -> str:
    """Return a wall clock that nothing written since the moment lies before, though clocks may go back in between."""
    local = moment.astimezone(zone)
    first, second = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    return wall_clock(local - (second - first))
