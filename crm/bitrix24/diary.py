"""Where a portal keeps who works when and what is taken: its online booking, or (calendar.py) its calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from crm.bitrix24.access import Access
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.wire import WireBooking, WireBookings, WireHours, WireResource, WireResources, WireSlots


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Aware times at which resources are not free. `id`: the booking's; empty where no booking is the reason."""

    id: str
    resource_ids: tuple[str, ...]
    begins: datetime
    ends: datetime

    def meets(self, other: Taken) -> bool:
        """Say whether both want one resource at one time; those that only touch do not."""
        shared = set(self.resource_ids) & set(other.resource_ids)
        return bool(shared) and self.begins < other.ends and other.begins < self.ends


class Diary(Protocol):
    async def load_resources(self) -> tuple[WireResource, ...]:
        """Return the masters."""

    async def load_hours(self, resource_ids: Sequence[str]) -> dict[str, tuple[WireHours, ...]]:
        """Return when each of them works."""

    async def list_taken(self, first: date, last: date, resource_ids: Sequence[str]) -> tuple[Taken, ...]:
        """Return what stands on these local days, for these resources at least."""


class BookingDiary:
    """`booking.v1`: resources with hours of their own."""

    def __init__(self, client: Bitrix24Client, access: Access, *, zone: ZoneInfo) -> None:
        self._client = client
        self._access = access
        self._zone = zone

    async def load_resources(self) -> tuple[WireResource, ...]:
        chosen = {} if self._access.resource_type is None else {"typeId": self._access.resource_type}
        body = {"filter": chosen, "order": {"id": "asc"}}
        pages = await self._client.ask_all(
            "booking.v1.resource.list", body, WireResources, lambda page: [one.id for one in page.resource]
        )
        return tuple({one.id: one for page in pages for one in page.resource}.values())

    async def load_hours(self, resource_ids: Sequence[str]) -> dict[str, tuple[WireHours, ...]]:
        bodies = {f"r{one}": {"resourceId": one} for one in resource_ids}
        if not bodies:
            return {}
        found = await self._client.ask_many("booking.v1.resource.slots.list", bodies, WireSlots)
        return {name.removeprefix("r"): one.slots for name, one in found.items()}

    async def list_taken(self, first: date, last: date, resource_ids: Sequence[str]) -> tuple[Taken, ...]:
        """There is no filter by resource: all are returned."""
        return tuple(
            Taken(id=one.id, resource_ids=one.resource_ids, begins=one.period.begins.at, ends=one.period.ends.at)
            for one in await self.list_bookings(first, last)
        )

    async def list_bookings(self, first: date, last: date) -> tuple[WireBooking, ...]:
        begins = datetime.combine(first, time.min, self._zone)
        ends = datetime.combine(last + timedelta(days=1), time.min, self._zone)
        within = {"dateFrom": int(begins.timestamp()), "dateTo": int(ends.timestamp())}
        body = {"filter": {"within": within}, "order": {"id": "ASC"}}
        pages = await self._client.ask_all(
            "booking.v1.booking.list", body, WireBookings, lambda page: [one.id for one in page.booking]
        )
        return tuple({one.id: one for page in pages for one in page.booking}.values())
