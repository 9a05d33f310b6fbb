"""The service's JSON as it comes: numbers may be texts, what is not filled in may be null, empty or left out."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _text(value: object) -> object:
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _number(value: object) -> object:
    """1C writes a number as text with its groups apart and a comma: `2 500,50`."""
    if isinstance(value, str):
        value = "".join(value.split()).replace(",", ".")
    return None if value == "" else value


def _moment(value: object) -> object:
    """A date that is not filled in is the first of the first year here, and no time."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    moment = datetime.fromisoformat(value)
    if moment.year == 1:
        raise ValueError("empty")
    return moment


ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
"""What an id looks like by the contract: it goes into addresses, and several into one with commas between."""

Id = Annotated[str, BeforeValidator(_id), Field(pattern=f"^{ID.pattern}$")]
Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[Decimal | None, BeforeValidator(_number)]
Whole = Annotated[int | None, BeforeValidator(_number)]
Minutes = Annotated[int, BeforeValidator(_number), Field(gt=0)]
Flag = Annotated[bool, BeforeValidator(lambda value: False if value in (None, "") else value)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
T = TypeVar("T")
Rows = Annotated[tuple[T, ...], BeforeValidator(lambda value: () if value is None else value)]


class Wire(BaseModel):
    """Unknown fields are let pass: a service may tell more than was asked."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WireItems(Wire, Generic[T]):
    """An answer without the list itself is another answer, not an empty one."""

    items: tuple[T, ...]


class WireInfo(Wire):
    """`timezone` empty: the branch's settings name it. Limits count minutes back from a visit's start."""

    version: Text
    title: Text = ""
    timezone: Text = ""
    currency: Text = ""
    capabilities: Rows[Text] = ()
    lead_time_min: Whole = None
    may_move: bool | None = None
    may_cancel: bool | None = None
    move_deadline_min: Whole = None
    cancel_deadline_min: Whole = None


class WireTerms(Wire):
    price: Number = None
    price_max: Number = None
    duration_min: Whole = None


class WireOwnTerms(WireTerms):
    staff_id: Id


class WireService(WireTerms):
    """`staff_ids` null or left out: every master does it."""

    id: Id
    name: Text = ""
    category: Text = ""
    description: Text = ""
    staff_ids: tuple[Id, ...] | None = None
    by_staff: Rows[WireOwnTerms] = ()

    def is_done_by(self, staff_id: str) -> bool:
        return self.staff_ids is None or staff_id in self.staff_ids


class WireStaff(Wire):
    id: Id
    name: Text = ""
    specialization: Text = ""


class WireSlot(Wire):
    staff_id: Id
    start: Moment
    duration_min: Minutes
    price: Number = None
    price_max: Number = None


class WireCard(Wire):
    id: Id
    name: Text = ""
    phone: Text = ""


class WireProduct(Wire):
    id: Id
    name: Text = ""
    price: Number = None
    price_max: Number = None
    description: Text = ""


class WireDone(Wire):
    """A service of an appointment."""

    id: Id
    name: Text = ""
    price: Number = None
    price_max: Number = None


class WirePerson(Wire):
    name: Text = ""
    phone: Text = ""


class WireAppointment(Wire):
    id: Id
    start: Moment
    duration_min: Minutes
    staff: WireStaff
    services: tuple[WireDone, ...]
    client: WirePerson | None = None
    comment: Text = ""
    external_id: Text = ""
    cancelled: Flag = False
