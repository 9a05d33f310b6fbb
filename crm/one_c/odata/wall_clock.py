"""1C's dates have no zone: they are the server's wall clock. Here they become moments and back, right over DST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
"""From and to, in UTC."""


def instant(wall: datetime, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """Return the moment of a wall clock, in UTC. One that is shown twice is the first of the two, or the `later`."""
    return wall.replace(tzinfo=zone, fold=1 if later else 0).astimezone(UTC)


def wall_of(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def shown_once(moment: datetime, zone: ZoneInfo) -> bool:
    """Say whether the wall clock of a moment names no other moment: what is written down can be read back."""
    wall = wall_of(moment, zone)
    return instant(wall, zone) == instant(wall, zone, later=True)


def span_between(starts: datetime, ends: datetime, zone: ZoneInfo) -> Span:
    """Return a time between two wall clocks; where one is shown twice, the longest that it may be."""
    return instant(starts, zone), instant(ends, zone, later=True)


def span_of_length(starts: datetime, length: timedelta, zone: ZoneInfo) -> Span:
    return instant(starts, zone), instant(starts, zone, later=True) + length


def overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def not_after(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a wall clock before which nothing written since the moment can lie, though clocks may go back."""
    wall = wall_of(moment, zone)
    return wall - (instant(wall, zone, later=True) - instant(wall, zone))
