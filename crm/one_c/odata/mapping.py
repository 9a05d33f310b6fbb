"""The mapping of one base: which catalogue, register and document carries what. A YAML file, read strictly."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from datetime import time
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from crm.one_c.odata.names import (
    CatalogName,
    DocumentName,
    FieldName,
    LengthField,
    MomentField,
    RegisterName,
    RowsName,
    Strict,
    Values,
)

Status = Annotated[str, StringConstraints(min_length=1)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Services(Strict):
    """`folders`: the catalogue has groups. `category`: the field with the group's key. `prepayment`: true where the
    service is booked by a person only. `default_minutes`: the length where the field is empty or there is none."""

    object: CatalogName
    title: FieldName = "Description"
    folders: bool = False
    where: Values = Field(default_factory=dict)
    category: FieldName | None = None
    description: FieldName | None = None
    duration: LengthField | None = None
    default_minutes: int | None = Field(default=None, gt=0, le=24 * 60)
    prepayment: FieldName | None = None


class Prices(Strict):
    """`slice`: the register is periodic and its last values count. `price_to`: the upper end of a range."""

    object: RegisterName
    slice: bool = True
    service: FieldName
    price: FieldName
    price_to: FieldName | None = None
    staff: FieldName | None = None
    where: Values = Field(default_factory=dict)


class StaffMap(Strict):
    object: CatalogName
    name: FieldName = "Description"
    folders: bool = False
    where: Values = Field(default_factory=dict)
    specialization: FieldName | None = None


class Skills(Strict):
    """Who does what. Without it every master is taken to do every service."""

    object: RowsName
    staff: FieldName
    service: FieldName
    duration: LengthField | None = None
    where: Values = Field(default_factory=dict)


class PhoneRows(Strict):
    """Phones in a tabular part of the card. `shown` as typed, `digits` nothing but digits; `set`: on new rows."""

    part: FieldName
    shown: FieldName
    digits: FieldName | None = None
    where: Values = Field(default_factory=dict)
    set: Values = Field(default_factory=dict)


class Clients(Strict):
    """`phone`: a field of the card, or rows of contact information. `set`: fixed values of a new card."""

    object: CatalogName
    name: FieldName = "Description"
    folders: bool = False
    phone: FieldName | PhoneRows
    where: Values = Field(default_factory=dict)
    set: Values = Field(default_factory=dict)


class StatusMap(Strict):
    """The first of `cancelled` is the one that we write. `done`: over, so no longer a client's standing visit."""

    field: FieldName
    new: Status | None = None
    cancelled: tuple[Status, ...] = ()
    done: tuple[Status, ...] = ()


class ServiceRows(Strict):
    """The tabular part with the services. `staff`: where the master stands in the rows and not in the header."""

    part: FieldName
    service: FieldName
    staff: FieldName | None = None
    price: FieldName | None = None
    sum: FieldName | None = None
    quantity: FieldName | None = None
    set: Values = Field(default_factory=dict)


class Appointments(Strict):
    """The document of a visit. `where` tells it from others of its kind and is written into a new one too."""

    object: DocumentName
    start: MomentField
    end: MomentField | None = None
    duration: LengthField | None = None
    staff: FieldName | None = None
    client: FieldName
    services: ServiceRows
    comment: FieldName | None = None
    external_id: FieldName | None = None
    changed: FieldName | None = None
    status: StatusMap | None = None
    cancel: Literal["status", "mark"]
    posting: bool = False
    where: Values = Field(default_factory=dict)
    set: Values = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.end is None) == (self.duration is None):
            raise ValueError("one of end and duration has to be named, not both")
        if (self.staff is None) == (self.services.staff is None):
            raise ValueError("the master stands in staff or in services.staff: one of the two has to be named")
        if self.cancel == "status" and (self.status is None or not self.status.cancelled):
            raise ValueError("cancel by status wants status.field and status.cancelled")
        return self


class Shifts(Strict):
    """A register with a record for each working time of a master."""

    object: RegisterName
    staff: FieldName
    start: MomentField
    end: MomentField
    where: Values = Field(default_factory=dict)


def _hours(value: object) -> object:
    """Read `10:00-20:00`."""
    if isinstance(value, str) and value.count("-") == 1:
        return tuple(part.strip() for part in value.split("-"))
    return value


Hours = Annotated[tuple[time, time], BeforeValidator(_hours)]


class Schedule(Strict):
    """Either a register, or one week for all masters: where the configuration keeps no schedules that can be read."""

    register_: Shifts | None = Field(default=None, alias="register")
    weekly: AnyMapping[Weekday, Hours] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.register_ is None) == (self.weekly is None):
            raise ValueError("one of register and weekly has to be given, not both")
        return self


class Rules(Strict):
    """What the base does not say. A deadline counts back from the visit's start; None: none."""

    step_minutes: int = Field(default=30, ge=5, le=240)
    lead_minutes: int = Field(default=0, ge=0)
    may_move: bool = True
    may_cancel: bool = True
    move_deadline_minutes: int | None = Field(default=None, ge=0)
    cancel_deadline_minutes: int | None = Field(default=None, ge=0)


class Mapping(Strict):
    """`certainty` says how sure the names are. `own_keys`: whether the base takes the key that a new document is sent
    with, which makes a repeat harmless. `allowed_only`: leave out catalogue rows that row restrictions hide; never done
    for documents, as a hidden one would be free time."""

    version: Literal[1]
    title: str
    certainty: Literal["example", "guessed", "partly", "verified"]
    note: str = ""
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = "RUB"
    own_keys: Literal["honoured", "ignored", "unknown"] = "unknown"
    allowed_only: bool = False
    services: Services
    prices: Prices | None = None
    staff: StaffMap
    skills: Skills | None = None
    clients: Clients
    appointments: Appointments
    schedule: Schedule
    rules: Rules = Rules()
