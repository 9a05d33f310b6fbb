"""What a business's staff see and do in their CRM's own screens, whatever the CRM: for the demo's page and for tests.

It is no part of any vendor's API, and nothing of ours calls it in production.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from sandbox.business import Business
from sandbox.faults import Fault

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An appointment as it stands in the CRM. `starts`: the branch's wall clock, without a zone."""

    id: str
    starts: datetime
    minutes: int
    master: str
    services: tuple[str, ...]
    client: str
    phone: str
    comment: str = ""
    external_id: str = ""
    cancelled: bool = False
    confirmed: bool = False
    """Its client has said to come; a CRM without a field for that never has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What an admin types to connect a company: the CRM's type and its fields."""

    type: str
    options: Mapping[str, str]
    secrets: Mapping[str, str]
    account_id: str | None = None
    wrong_secrets: Mapping[str, str] = field(default_factory=dict)
    """The same fields with values that this CRM refuses."""


OPERATIONS = ("catalogue", "times", "clients", "read", "list", "day", "create", "move", "cancel")
"""What a planted failure may hit: reading services; free times; finding a client; one record; a client's records; those
of a day; and the three writes themselves (the call that writes, not the readings before it)."""


class CRMSandbox(Protocol):
    """A CRM's local server with one business in it, seen from the inside.

    `calls` holds what was asked (`method`, `path`); `violations` what was refused as malformed: a test that ends with
    one has found a fault of ours.
    """

    @property
    def url(self) -> str: ...

    @property
    def business(self) -> Business: ...

    @property
    def calls(self) -> Sequence[Json]: ...

    @property
    def violations(self) -> Sequence[Json]: ...

    @property
    def changed(self) -> asyncio.Condition: ...

    @property
    def seq(self) -> int:
        """Count the changes; `changed` is told of each."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return the address."""

    async def stop(self) -> None: ...

    def connection(self) -> Connection:
        """Return what connects a company to this server."""

    def fail(self, operation: str, **fault: Any) -> Fault:
        """Plant a failure in the next calls of one of OPERATIONS (see Fault). KeyError: this CRM has no such call."""

    def list_visits(self) -> tuple[Visit, ...]:
        """Return everything that was ever booked and is still kept, by time; the cancelled ones say so."""

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        """Book as staff do, without any check; return the record's id. `starts` is the wall clock."""

    def move_by_hand(self, record_id: str, starts: datetime) -> None: ...

    def cancel_by_hand(self, record_id: str) -> None: ...

    def add_client(self, name: str, phone: str) -> str:
        """Write a client's card with the phone as it is typed; return its id."""


def shown_day(sandbox: CRMSandbox, day: date) -> Json:
    """Return a day's columns: each master who works with the standing visits."""
    business = sandbox.business
    opening = business.hours.get(day.weekday())
    visits = [one for one in sandbox.list_visits() if not one.cancelled and one.starts.date() == day]
    columns = [
        {
            "name": master.name,
            "specialization": master.specialization,
            "records": [_shown(visit) for visit in visits if visit.master == master.name],
        }
        for master in business.masters
        if master.bookable and not master.fired
    ]
    hours = f"{opening[0]:%H:%M}-{opening[1]:%H:%M}" if opening else None
    return {"title": business.title, "day": day.isoformat(), "hours": hours, "columns": columns}


def _shown(visit: Visit) -> Json:
    return {
        "id": visit.id,
        "time": visit.starts.strftime("%H:%M"),
        "minutes": visit.minutes,
        "services": ", ".join(visit.services),
        "client": visit.client,
        "comment": visit.comment,
    }


def double_bookings(sandbox: CRMSandbox) -> int:
    """Count the pairs of standing visits of one master that overlap."""
    standing = [visit for visit in sandbox.list_visits() if not visit.cancelled]
    return sum(
        one.master == other.master
        and abs((one.starts - other.starts).total_seconds())
        < 60 * (one.minutes if one.starts <= other.starts else other.minutes)
        for index, one in enumerate(standing)
        for other in standing[index + 1 :]
    )
