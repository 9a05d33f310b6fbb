"""What a company's file may say, field by field, as pydantic models. Across fields: bot/company_checks.py."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.company_hours import read_hours
from bot.company_outreach import read_quiet, read_reminders
from db.catalogue import Booking, Hours, PriceRange
from db.people_settings import PeopleSettings
from db.privacy import LONGEST_DAYS, Retention
from db.quiet_hours import DEFAULT_QUIET, QuietHours
from db.records import ChannelType
from handlers.base import channel_type
from locales import languages

_PRICE = re.compile(r"(\d{1,9}(?:\.\d{1,2})?)(?:-(\d{1,9}(?:\.\d{1,2})?))?")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # A folder of zones, such as `Europe`, is an OSError.
        raise ValueError(f"{name!r} is no IANA time zone, such as Europe/Moscow") from error
    return name


def read_price(value: Any) -> Any:
    """Read `2500`, `2500.50` or `1800-2200` (a range) into minor units."""
    if value is None or isinstance(value, PriceRange):
        return value
    found = _PRICE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a price is written 2500 or, as a range, 1800-2200")
    low, high = (round(float(part) * 100) if part else None for part in found.groups())
    if low is None or (high is not None and high <= low):
        raise ValueError("the range's upper price must be above the lower one")
    return PriceRange(low=low, high=high)


def _language(code: str) -> str:
    if code not in languages():
        raise ValueError(f"there are no texts in {code!r}; the languages are {', '.join(sorted(languages()))}")
    return code


Words = Annotated[str, Field(min_length=1, max_length=4000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Zone = Annotated[str, AfterValidator(_zone)]
Price = Annotated[PriceRange | None, BeforeValidator(read_price)]
OpeningHours = Annotated[Hours | None, BeforeValidator(read_hours)]
Minutes = Annotated[int, Field(gt=0, le=24 * 60)]
Gap = Annotated[int, Field(ge=0, le=240)]
Seconds = Annotated[Decimal, Field(ge=0, le=30, decimal_places=3)]
Dollars = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2)]
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]
Weeks = Annotated[int, Field(ge=2, le=52)]
Link = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]
Language = Annotated[str, AfterValidator(_language)]
Reminders = Annotated[tuple[timedelta, ...] | None, BeforeValidator(read_reminders)]
Quiet = Annotated[QuietHours, BeforeValidator(read_quiet)]
ChannelHere = Annotated[ChannelType, BeforeValidator(channel_type)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, str_strip_whitespace=True)


class OverrideYaml(_Part):
    branch: Key | None = None
    master: Name | None = None
    price: Price = None
    duration: Minutes | None = None


class ServiceYaml(_Part):
    name: Name
    crm_id: Name | None = None
    description: Words | None = None
    price: Price = None
    duration: Minutes | None = None
    booking: Booking = Booking.AGENT
    link: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    ask_before: list[Words] = []
    overrides: list[OverrideYaml] = []


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
    crm_account_id: Name | None = None
    staff_chat: Name | None = None


Mode = Literal["always", "off_hours", "draft", "if_unanswered"]


class BranchYaml(PlaceYaml):
    key: Key
    name: Name
    mode: Mode | None = None


class CrmYaml(BaseModel):
    """`type`, and the CRM's own open options beside it."""

    model_config = ConfigDict(extra="allow")

    type: str


class BudgetYaml(_Part):
    """US dollars a month for the model."""

    soft: Dollars | None = None
    hard: Dollars | None = None


_KEEP = Retention()


class KeepDaysYaml(_Part):
    """For how many days what clients leave is kept."""

    texts: Days = _KEEP.texts
    media: Days = _KEEP.media
    summaries: Days = _KEEP.summaries
    clients: Days = _KEEP.clients


class PrivacyYaml(_Part):
    operator: Words | None = None
    policy_url: Link | None = None
    notice: bool | None = None
    notice_text: Annotated[str, Field(min_length=1, max_length=700)] | None = None
    hide_from_model: bool | None = None
    keep_days: KeepDaysYaml = KeepDaysYaml()


class OutreachYaml(_Part):
    """What the agent writes of its own accord."""

    waiting_list: bool = True
    thank_you: bool = True
    thank_you_after_hours: Annotated[int, Field(ge=1, le=12)] = 3
    win_back_weeks: Weeks | None = None
    win_back_services: dict[Name, Weeks] = {}


_PEOPLE = PeopleSettings()


class PeopleYaml(_Part):
    """When the company's people take part in what the agent does."""

    modes: dict[Literal["telegram", "whatsapp"], Mode] = {}
    answer_minutes: Annotated[int, Field(ge=1, le=240)] = _PEOPLE.answer_minutes
    ring_minutes: Annotated[int, Field(ge=1, le=240)] = _PEOPLE.ring_minutes
    hand_back_hours: Annotated[int, Field(ge=1, le=72)] = _PEOPLE.hand_back_hours
    topics: Annotated[list[Name], Field(max_length=50)] = []
    crm_phrase: Annotated[str, Field(min_length=3, max_length=40)] | None = None


class CompanyYaml(PlaceYaml):
    name: Name
    slug: Key | None = None
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    plan: Name = "free"
    description: Words | None = None
    business_type: Name | None = None
    target_audience: Words | None = None
    highlights: Words | None = None
    language: Language = "ru"
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "RUB"
    mode: Mode | None = None
    people: PeopleYaml = PeopleYaml()
    model: Name | None = None
    quiet_seconds: Seconds | None = None
    longest_gap_minutes: Gap | None = None
    budget: BudgetYaml = BudgetYaml()
    tell_clients_of_crm_changes: bool = True
    reminders: Reminders = None
    quiet_hours: Quiet = DEFAULT_QUIET
    privacy: PrivacyYaml = PrivacyYaml()
    outreach: OutreachYaml = OutreachYaml()
    most_open_bookings: Annotated[int, Field(ge=1, le=100)] = 5
    instructions: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    services: list[ServiceYaml] = []
    products: list[ProductYaml] = []
    faq: list[QuestionYaml] = []
    policies: dict[Name, Words] = {}
    branches: list[BranchYaml] = []
    crm: CrmYaml | None = None
    channels: list[ChannelHere] = []
