"""The widget's JSON as public clients read it. The keys that are relied on are required: an answer without them is
another answer, and never an empty one."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _id(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _by_id(value: object) -> object:
    """PHP writes a map as a list where it is empty, and where its keys happen to count from 0."""
    if isinstance(value, dict):
        return tuple(value.values())
    return value


def _map(value: object) -> object:
    return {} if value == [] else value


Id = Annotated[str, BeforeValidator(_id), Field(min_length=1)]


class Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class WireService(Wire):
    """`time` counts minutes, `price` whole rubles (both as public clients read them, not verified)."""

    id: Id
    name: Annotated[str, Field(min_length=1)]
    price: Decimal | None = None
    time: int | None = None


class WireCategory(Wire):
    name: str = ""
    services: Annotated[tuple[WireService, ...], BeforeValidator(_by_id)]


class WireCatalogue(Wire):
    list: Annotated[tuple[WireCategory, ...], BeforeValidator(_by_id)]


class WireMaster(Wire):
    id: Id
    username: Annotated[str, Field(min_length=1)]
    post: str | None = None


class WireMasters(Wire):
    masters: Annotated[tuple[WireMaster, ...], BeforeValidator(_by_id)]


class WireDays(Wire):
    dates_true: tuple[str, ...]


class WireTimes(Wire):
    """Free starts by master's id, the branch's wall clock."""

    masters: Annotated[tuple[WireMaster, ...], BeforeValidator(_by_id)]
    times: Annotated[dict[str, tuple[datetime, ...]], BeforeValidator(_map)]


class WireHold(Wire):
    record_id: Id


class WireDone(Wire):
    id: Id
    name: str
    cost: Decimal | None = None


class WireBooking(Wire):
    id: Id
    time: datetime
    time_to: datetime
    employees: Annotated[tuple[WireMaster, ...], BeforeValidator(_by_id), Field(min_length=1)]
    services: Annotated[tuple[WireDone, ...], BeforeValidator(_by_id), Field(min_length=1)]


class WireBookings(Wire):
    bookings: Annotated[tuple[WireBooking, ...], BeforeValidator(_by_id), Field(min_length=1)]


class WireAnything(Wire):
    """An answer of which only the success counts."""

    model_config = ConfigDict(frozen=True, extra="allow")
    fields: dict[str, Any] = {}
