"""A business as any CRM may keep it, so that every local CRM holds the same salon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessService:
    """Prices in whole units of the currency. `masters`: by name. Not `online`: kept by the CRM, not open to clients."""

    title: str
    low: int
    high: int
    minutes: int
    masters: tuple[str, ...]
    category: str = "Услуги"
    prepaid: bool = False
    online: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessMaster:
    """`bookable` False: no person (a waiting list) or not open to clients; `fired`: gone, kept for old records."""

    name: str
    specialization: str = ""
    bookable: bool = True
    fired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """One branch. `hours` maps a weekday (0 is Monday) to opening and closing, in its own zone."""

    title: str
    time_zone: str
    address: str
    services: tuple[BusinessService, ...]
    masters: tuple[BusinessMaster, ...]
    hours: Mapping[int, tuple[time, time]]
    currency: str = "RUB"
    grid_minutes: int = 30

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
