"""The vendor's JSON as it comes: `[]` for an empty object, ids and numbers as strings, three shapes of moments."""

from __future__ import annotations

import html
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MOST = 10**9
B = TypeVar("B", Decimal | None, int | None)


def _id(value: object) -> object:
    """Ids are numbers in most places and strings in legacy lists."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _object(value: object) -> object:
    """PHP writes an empty object as an empty list."""
    return None if value == [] else value


def _rows(value: object) -> object:
    """PHP writes a list with gaps as an object whose keys are its numbers."""
    if isinstance(value, dict) and all(isinstance(key, str) and key.isdigit() for key in value):
        return tuple(value.values())
    return () if value is None else value


def _blank(value: object) -> object:
    return None if value == "" else value


def _text(value: object) -> object:
    """Some texts come as numbers (a phone, api_id 0), absent ones as null or false."""
    if value is None or value is False:
        return ""
    return str(value) if isinstance(value, int) else value


def wall_clock(text: object) -> datetime | None:
    """Return the local time in `2026-03-04T15:30:00+03:00`, `...+0300` or `2026-03-04 15:30:00`, its offset dropped.

    The offset may lie: branches run with a wrong account zone and staff type their wall clock into it. None for an
    absent one. Raises ValueError.
    """
    if text in (None, ""):
        return None
    return datetime.fromisoformat(str(text).strip()).replace(tzinfo=None)


def _moment(value: object) -> object:
    """Read a moment with its offset; one without says nothing certain."""
    if not isinstance(value, str) or not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _bounded(value: B) -> B:
    """Refuse what no price and no length can be: arithmetic would break on it."""
    if value is not None and abs(value) > MOST:
        raise ValueError("beyond every price and length")
    return value


Id = Annotated[str, BeforeValidator(_id), Field(min_length=1)]
OptionalId = Annotated[str | None, BeforeValidator(_id)]
Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[Decimal | None, BeforeValidator(_blank), AfterValidator(_bounded)]
Whole = Annotated[int | None, BeforeValidator(_blank), AfterValidator(_bounded)]
Flag = Annotated[bool, BeforeValidator(lambda value: False if value in (None, "") else value)]
WallClock = Annotated[datetime | None, BeforeValidator(wall_clock)]
EmptyObject = BeforeValidator(lambda value: {} if value == [] else value)
T = TypeVar("T")
Rows = Annotated[tuple[T, ...], BeforeValidator(_rows)]
Needed = Annotated[tuple[T, ...], BeforeValidator(lambda value: None if value is None else _rows(value))]
"""A list whose absence is no empty list."""


class Wire(BaseModel):
    """Unknown fields are let pass: the vendor adds them without notice."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WireService(Wire):
    id: Id
    title: Text = ""
    category_id: Text = ""
    price_min: Number = None
    price_max: Number = None
    comment: Text = ""
    prepaid: Text = ""
    seance_length: Whole = None


class WireCategory(Wire):
    id: Id
    title: Text = ""


class WireBookServices(Wire):
    """`book_services`: the categories' key differs between the document's table and its sample.

    An answer without the list itself is another answer, not an empty catalogue.
    """

    services: Needed[WireService]
    categories: Rows[WireCategory] = Field(default=(), validation_alias=AliasChoices("category", "categories"))


class WireStaff(Wire):
    """`book_staff`: `bookable` says whether there is any free time at all."""

    id: Id
    name: Text = ""
    specialization: Text = ""
    bookable: Annotated[bool, BeforeValidator(lambda value: True if value in (None, "") else value)] = True
    weight: Number = None


class WireDates(Wire):
    booking_dates: Needed[date]


class WireSeance(Wire):
    """A free time. `moment` is handed back to the vendor letter for letter; it may be missing or a number."""

    time: Text = ""
    moment: Text = Field(default="", validation_alias="datetime")
    seance_length: Whole = None

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        self.starts_at(date.min)
        return self

    def starts_at(self, day: date) -> datetime:
        """Return the wall clock on the day that was asked for."""
        stated = None if self.moment.isdigit() else wall_clock(self.moment)
        return stated or datetime.combine(day, time.fromisoformat(self.time.zfill(5)))


class WireForm(Wire):
    is_default: Flag = False
    url: Text = ""


class WireCompany(Wire):
    """The branch. `timezone` is a number of hours or an IANA name, by endpoint; `timezone_name` is newer."""

    id: Id
    title: Text = ""
    country: Text = ""
    timezone: Text = ""
    timezone_name: Text = ""
    currency_short_title: Text = ""
    allow_change_record: bool | None = None
    allow_change_record_delay_step: Whole = None
    allow_delete_record: bool | None = None
    allow_delete_record_delay_step: Whole = None
    bookforms: Rows[WireForm] = ()


class WireClient(Wire):
    """The client in a record; the answer to a write leaves the id out."""

    name: Text = ""
    phone: Text = ""
    email: Text = ""


class WireCard(WireClient):
    """The client's own card."""

    id: Id


class WireRecordService(Wire):
    id: Id
    title: Text = ""
    cost: Number = None
    first_cost: Number = None
    discount: Number = None
    amount: Number = None


class WireRecordStaff(Wire):
    id: Id
    name: Text = ""
    specialization: Text = ""


class WireLabel(Wire):
    id: Id


class WireRecord(Wire):
    """An appointment. A record in a group event has its `activity_id`; `sms_before` counts hours."""

    id: Id
    staff_id: OptionalId = None
    services: Rows[WireRecordService] = ()
    staff: Annotated[WireRecordStaff | None, BeforeValidator(_object)] = None
    client: Annotated[WireClient | None, BeforeValidator(_object)] = None
    moment: WallClock = Field(default=None, validation_alias="datetime")
    local: WallClock = Field(default=None, validation_alias="date")
    stated: Text = Field(default="", validation_alias=AliasChoices("datetime"))
    comment: Text = ""
    attendance: Whole = None
    visit_attendance: Whole = None
    seance_length: Whole = None
    length: Whole = None
    sms_before: Whole = None
    api_id: Text = ""
    deleted: Flag = False
    activity_id: Text = ""
    custom_color: Text = ""
    custom_fields: Annotated[dict[str, Any] | None, BeforeValidator(_object)] = None
    record_labels: Rows[WireLabel] = ()
    last_changed: Annotated[datetime | None, BeforeValidator(_moment)] = Field(
        default=None, validation_alias="last_change_date"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        self.starts_at()
        if self.staff is None and self.staff_id is None:
            raise ValueError("neither staff nor staff_id")
        return self

    def starts_at(self) -> datetime:
        """Return the wall clock."""
        stated = self.moment or self.local
        if stated is None:
            raise ValueError("neither datetime nor date")
        return stated

    def as_stated(self) -> str:
        """Return the moment as a write takes it, with the offset that the vendor itself gave it, wrong as it may be."""
        return datetime.fromisoformat(self.stated.strip()).isoformat() if self.stated.strip() else ""

    @property
    def duration(self) -> timedelta:
        return timedelta(seconds=self.seance_length or self.length or 0)

    @property
    def master_id(self) -> str:
        return self.staff.id if self.staff else self.staff_id or ""


def plain(text: str) -> str:
    """Return a text without the HTML that comments and descriptions carry."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
