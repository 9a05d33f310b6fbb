"""What a company's file may say, field by field, as pydantic models: every error is found at once."""

from __future__ import annotations

import re
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from crm.errors import CRMNotConfigured
from crm.registry import get_manifest
from db.records import Booking, ChannelType, Hours, Interval, PriceRange

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SECRETS = ("token", "password", "secret", "api_key")
_TIMES = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")
_PRICE = re.compile(r"(\d+(?:\.\d{1,2})?)(?:-(\d+(?:\.\d{1,2})?))?")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Moscow") from error
    return name


def read_price(value: Any) -> Any:
    """Read `2500`, `2500.50` or `1800-2200` (a range) into minor units."""
    if value is None or isinstance(value, PriceRange):
        return value
    found = None if isinstance(value, bool) else _PRICE.fullmatch(str(value))
    if found is None:
        raise ValueError("a price is written 2500 or, as a range, 1800-2200")
    low, high = (round(float(part) * 100) if part else None for part in found.groups())
    if low is None or (high is not None and high <= low):
        raise ValueError("the range's upper price must be above the lower one")
    return PriceRange(low=low, high=high)


def read_hours(value: Any) -> Any:
    """Read `{mon-fri: 9:00-21:00, sat: closed, exceptions: {2026-12-31: 10:00-15:00}}`."""
    if value is None or isinstance(value, Hours):
        return value
    if not isinstance(value, dict):
        raise ValueError("hours are written by weekday: mon-fri: 9:00-21:00")
    weekly: dict[int, tuple[Interval, ...]] = {}
    for name, times in value.items():
        if name == "exceptions":
            continue
        for day in _days(str(name)):
            if day in weekly:
                raise ValueError(f"{_WEEKDAYS[day]} is said twice")
            weekly[day] = _intervals(times)
    exceptions = {}
    for day, times in (value.get("exceptions") or {}).items():
        try:
            exceptions[day if isinstance(day, date) else date.fromisoformat(str(day))] = _intervals(times)
        except ValueError as error:
            raise ValueError(f"exception {day}: {error}") from error
    return Hours(weekly={day: weekly[day] for day in sorted(weekly)}, exceptions=dict(sorted(exceptions.items())))


def _days(name: str) -> range:
    first, _, last = name.partition("-")
    if first not in _WEEKDAYS or (last or first) not in _WEEKDAYS:
        raise ValueError(f"{name!r} is no weekday; write mon, tue … sun, or mon-fri")
    days = range(_WEEKDAYS.index(first), _WEEKDAYS.index(last or first) + 1)
    if not days:
        raise ValueError(f"{name!r} runs backwards")
    return days


def _intervals(value: Any) -> tuple[Interval, ...]:
    if value == "closed":
        return ()
    intervals = []
    for part in str(value).split(","):
        found = _TIMES.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"{value!r}: hours are written 9:00-21:00, 9:00-13:00, 14:00-18:00, or closed")
        from_hour, from_minute, to_hour, to_minute = map(int, found.groups())
        minutes = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if minutes[1] <= minutes[0] or minutes[1] > 24 * 60 or minutes[0] >= 24 * 60:
            raise ValueError(f"{part.strip()!r} ends before it begins")
        intervals.append(Interval(opens=time(from_hour, from_minute), closes=time(to_hour % 24, to_minute)))
    for before, after in pairwise(intervals):
        if before.closes > after.opens:
            raise ValueError(f"{value!r}: intervals overlap, or are out of order")
    return tuple(intervals)


Words = Annotated[str, Field(min_length=1, max_length=4000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Zone = Annotated[str, AfterValidator(_zone)]
Price = Annotated[PriceRange | None, BeforeValidator(read_price)]
OpeningHours = Annotated[Hours | None, BeforeValidator(read_hours)]
Minutes = Annotated[int, Field(gt=0, le=24 * 60)]
Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, str_strip_whitespace=True)


class OverrideYaml(_Part):
    branch: Key | None = None
    master: Name | None = None
    price: Price = None
    duration: Minutes | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.branch is None and self.master is None:
            raise ValueError("an override names a branch, a master, or both")
        return self


class ServiceYaml(_Part):
    name: Name
    crm_id: Text | None = None
    description: Words | None = None
    price: Price = None
    duration: Minutes | None = None
    booking: Booking = Booking.AGENT
    link: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    ask_before: list[Words] = []
    overrides: list[OverrideYaml] = []

    @model_validator(mode="after")
    def _linked(self) -> Self:
        if self.booking is Booking.LINK and self.link is None:
            raise ValueError("booking: link needs a link")
        return self


class ProductYaml(_Part):
    name: Name
    description: Words | None = None
    price: Price = None


class QuestionYaml(_Part):
    question: Words
    answer: Words


class PlaceYaml(_Part):
    """What belongs to a branch; a company with one branch writes it at the top level."""

    address: Name | None = None
    phone: Name | None = None
    time_zone: Zone | None = None
    hours: OpeningHours = None
    crm_account_id: Text | None = None
    staff_chat: Text | None = None


class BranchYaml(PlaceYaml):
    key: Key
    name: Name


class CrmYaml(BaseModel):
    """`type`, and the CRM's own open options beside it."""

    model_config = ConfigDict(extra="allow")

    type: str

    @model_validator(mode="after")
    def _known(self) -> Self:
        try:
            manifest = get_manifest(self.type)
        except CRMNotConfigured as error:
            raise ValueError(str(error)) from error
        known = {field.name for field in manifest.fields if not field.secret}
        secret = {field.name for field in manifest.fields if field.secret}
        for name in self.model_extra or {}:
            if name in secret or any(word in name for word in _SECRETS):
                raise ValueError(f"{name} is a secret and does not belong in a file: `ai-admin crm set` asks for it")
            if name not in known:
                raise ValueError(f"{name}: {manifest.title} knows {', '.join(sorted(known)) or 'no options'}")
        return self


class CompanyYaml(PlaceYaml):
    name: Name
    slug: Key | None = None
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    plan: Name = "free"
    description: Words | None = None
    business_type: Name | None = None
    target_audience: Words | None = None
    highlights: Words | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "ru"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "RUB"
    mode: Literal["always", "off_hours", "draft", "if_unanswered"] = "always"
    model: Name | None = None
    quiet_seconds: Annotated[float, Field(ge=0, le=30)] | None = None
    instructions: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    services: list[ServiceYaml] = []
    products: list[ProductYaml] = []
    faq: list[QuestionYaml] = []
    policies: dict[Name, Words] = {}
    branches: list[BranchYaml] = []
    crm: CrmYaml | None = None
    channels: list[ChannelType] = []

    @field_validator("services")
    @classmethod
    def _told_apart(cls, services: list[ServiceYaml]) -> list[ServiceYaml]:
        seen: set[str] = set()
        for service in services:
            if service.name.casefold() in seen:
                raise ValueError(f"the service {service.name!r} is there twice")
            seen.add(service.name.casefold())
        return services

    @model_validator(mode="after")
    def _places(self) -> Self:
        at_top = [name for name in PlaceYaml.model_fields if getattr(self, name) is not None]
        if self.branches and at_top:
            raise ValueError(f"{', '.join(at_top)}: with branches, these stand in each branch, not at the top level")
        keys = [branch.key for branch in self.branches]
        if len(set(keys)) < len(keys):
            raise ValueError("branches: two have the same key")
        known = {*keys} or {"main"}
        for service in self.services:
            for override in service.overrides:
                if override.branch is not None and override.branch not in known:
                    raise ValueError(f"{service.name}: there is no branch {override.branch!r}")
        return self
