"""What a company sells and when it is open, as frozen records. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum


class Booking(StrEnum):
    """Who books a service."""

    AGENT = "agent"
    PERSON = "person"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Open from `opens` to `closes`, local time of the branch; `closes` may be 24:00, written as 00:00."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Working hours: intervals by weekday (0 is Monday) and dated exceptions (no interval: closed)."""

    weekly: Mapping[int, tuple[Interval, ...]] = field(default_factory=dict)
    exceptions: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)

    def on(self, day: date) -> tuple[Interval, ...]:
        """Return the intervals of a day; empty where closed."""
        if day in self.exceptions:
            return self.exceptions[day]
        return self.weekly.get(day.weekday(), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRange:
    """A price in minor units of the company's currency; `high` None: exact, not a range."""

    low: int
    high: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOverride:
    """Another price or duration at one branch, with one master, or both; None: any."""

    branch: str | None = None
    master: str | None = None
    price: PriceRange | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueService:
    """A service as the company describes it; `crm_id` ties it to the CRM's (None: found by name)."""

    name: str
    crm_id: str | None = None
    description: str | None = None
    price: PriceRange | None = None
    duration: timedelta | None = None
    booking: Booking = Booking.AGENT
    link: str | None = None
    ask_before: tuple[str, ...] = ()
    overrides: tuple[ServiceOverride, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueProduct:
    name: str
    description: str | None = None
    price: PriceRange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that clients ask often, and the company's answer."""

    question: str
    answer: str
