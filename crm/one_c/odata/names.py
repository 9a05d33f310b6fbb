"""The shapes of what a mapping may say: names of objects and fields, moments, lengths, fixed values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

IDENTIFIER = r"[^\W\d]\w*"
FieldName = Annotated[str, StringConstraints(pattern=rf"^{IDENTIFIER}$", max_length=80)]
"""A field as OData shows it: a reference to one kind of object ends in `_Key`, a composite one does not."""
CatalogName = Annotated[str, StringConstraints(pattern=rf"^(Catalog|ChartOfCharacteristicTypes)_{IDENTIFIER}$")]
DocumentName = Annotated[str, StringConstraints(pattern=rf"^(Document|Task|BusinessProcess)_{IDENTIFIER}$")]
RegisterName = Annotated[str, StringConstraints(pattern=rf"^InformationRegister_{IDENTIFIER}$")]
RowsName = Annotated[str, StringConstraints(pattern=rf"^(InformationRegister|Catalog|Document)_{IDENTIFIER}$")]
"""A register, or a tabular part by its whole name (`Catalog_X_Part`)."""
Values = Mapping[FieldName, bool | int | Decimal | str]
"""Fixed values by field. A text that looks like a guid stands for a reference."""


class Strict(BaseModel):
    """An unknown key is an error that names its place: a slip of the pen must not pass as a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Moment(Strict):
    """A date with its time in one field, or the day in `field` and the time of day in `time` (a date of the year 1)."""

    field: FieldName
    time: FieldName | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,) if self.time is None else (self.field, self.time)


class Length(Strict):
    """How long something takes. `time`: a date of the year 1 whose time of day is the length (0001-01-01T01:30:00)."""

    field: FieldName
    format: Literal["minutes", "seconds", "hours", "time"] = "minutes"


MomentField = Annotated[Moment, BeforeValidator(lambda value: {"field": value} if isinstance(value, str) else value)]
LengthField = Annotated[Length, BeforeValidator(lambda value: {"field": value} if isinstance(value, str) else value)]

_SECONDS = {"minutes": 60, "seconds": 1, "hours": 3600}
FIRST_DAY = datetime(1, 1, 1)  # noqa: DTZ001 - 1C's dates have no zone


def length_of_number(number: Decimal, unit: str) -> timedelta | None:
    """Return a stored number as a length; None for zero, which 1C writes where nothing was filled in."""
    return timedelta(seconds=float(number * _SECONDS[unit])) if number > 0 else None


def length_of_time(moment: datetime) -> timedelta | None:
    return (moment - moment.replace(hour=0, minute=0, second=0)) or None


def stored_length(length: timedelta, unit: str) -> str | int | float:
    """Return a length as the base keeps it."""
    if unit == "time":
        return (FIRST_DAY + length).isoformat(timespec="seconds")
    number = length.total_seconds() / _SECONDS[unit]
    return int(number) if number == int(number) else number


def stored_moment(moment: Moment, wall: datetime) -> dict[str, str]:
    """Return a wall-clock moment as the base keeps it."""
    if moment.time is None:
        return {moment.field: wall.isoformat(timespec="seconds")}
    day = datetime.combine(wall.date(), time(0))
    clock = datetime.combine(FIRST_DAY.date(), wall.time())
    return {moment.field: day.isoformat(timespec="seconds"), moment.time: clock.isoformat(timespec="seconds")}
