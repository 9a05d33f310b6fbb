"""By which clock a client lives, as far as their phone number tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

_OF_COUNTRY = {"KZ": ("Asia/Almaty",)}
"""The library gives numbers of Kazakhstan all zones of Russia too, as +7 is both countries'. It has one offset since
2024."""
_MEANT = {("RU", "Europe/Bucharest"): "Europe/Kaliningrad"}
"""The library's stand-in for Kaliningrad puts the clock forward in summer; Kaliningrad does not."""


def find_zones(phone: str) -> Sequence[ZoneInfo]:
    """Return the zones that a number (E.164) may belong to; none where it tells of no place, or is no number."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ()
    region = phonenumbers.region_code_for_number(number) or ""
    names = _OF_COUNTRY.get(region) or timezone.time_zones_for_number(number)
    return [ZoneInfo(_MEANT.get((region, name), name)) for name in names if name != timezone.UNKNOWN_TIMEZONE]


def zone_of(phone: str | None, home: ZoneInfo, at: datetime) -> ZoneInfo:
    """Return the client's zone at this moment: `home`, the salon's, unless their number leaves no doubt of another."""
    zones = find_zones(phone) if phone else ()
    offset = at.astimezone(home).utcoffset()
    if not zones or any(at.astimezone(zone).utcoffset() == offset for zone in zones):
        return home
    return zones[0]
