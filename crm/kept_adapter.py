"""What stands round every adapter: the catalogue and free times kept for all processes, and why a CRM is being asked.

The catalogue is read anew when it is ten minutes old. Where somebody does that in the background, whoever asks is given
what is kept, a day old at most; elsewhere they wait for the CRM, and are given what is kept where it does not answer.
Free times are kept for a minute, and dropped with every write and whatever the CRM tells of changes.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from crm.aged import Aged, digest_of
from crm.base import (
    Appointment,
    BaseCRMAdapter,
    BookingRules,
    Capability,
    CheckLine,
    CheckStatus,
    Client,
    Hook,
    MappingLine,
    NewAppointment,
    Phone,
    Product,
    RecordId,
    Service,
    ServiceId,
    Slot,
    Staff,
    StaffId,
)
from crm.errors import CRMRateLimited, CRMUnavailable
from crm.guard import Guard
from crm.kept import renewing
from crm.purpose import Purpose, acting, current_purpose

T = TypeVar("T")
Noticed = Callable[[timedelta], None]
"""Is told, whenever the catalogue is read, how old what is kept of it was."""

FRESH = timedelta(minutes=10)
SOON_OLD = timedelta(minutes=8)
"""What is older than this is worth a refresh in the background."""
TOLD_FOR = timedelta(days=1)
TIMES_FRESH = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Free times as they are kept: JSON has offsets only, so the branch's zone stands beside them."""

    zone: ZoneInfo | None
    slots: tuple[Slot, ...]


_RULES = TypeAdapter(BookingRules)
_SERVICES: TypeAdapter[tuple[Service, ...]] = TypeAdapter(tuple[Service, ...])
_STAFF: TypeAdapter[tuple[Staff, ...]] = TypeAdapter(tuple[Staff, ...])
_PRODUCTS: TypeAdapter[tuple[Product, ...]] = TypeAdapter(tuple[Product, ...])
_TIMES = TypeAdapter(_Times)
_TEXT = TypeAdapter(str)


class KeptAdapter(BaseCRMAdapter):
    """An adapter with its answers kept. `noticed` None: nobody refreshes the catalogue in the background here."""

    def __init__(self, inner: BaseCRMAdapter, aged: Aged, guard: Guard, noticed: Noticed | None = None) -> None:
        self.manifest = inner.manifest
        self._inner = inner
        self._aged = aged
        self._guard = guard
        self._noticed = noticed

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._inner.capabilities

    async def settle(self) -> None:
        await self._inner.settle()

    # ---- the catalogue -------------------------------------------------------------------------------------------

    async def get_rules(self) -> BookingRules:
        return await self._told("rules", _RULES, self._inner.get_rules)

    async def get_services(self) -> tuple[Service, ...]:
        return await self._told("services", _SERVICES, self._inner.get_services)

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        if not service_ids:
            return await self._told("staff", _STAFF, self._inner.get_staff)
        key = f"staff:{digest_of(sorted(service_ids))}"
        found = await self._aged.find(key, _STAFF)
        if found is not None and found[0] < FRESH:
            return found[1]
        staff = await self._inner.get_staff(service_ids)
        await self._aged.put(key, _STAFF, staff, ttl=FRESH)
        return staff

    async def get_products(self) -> tuple[Product, ...]:
        return await self._told("products", _PRODUCTS, self._inner.get_products)

    async def get_booking_page(self, service_ids: Sequence[ServiceId] = (), staff_id: StaffId | None = None) -> str:
        if service_ids or staff_id is not None:
            return await self._inner.get_booking_page(service_ids, staff_id)
        return await self._told("page", _TEXT, self._inner.get_booking_page)

    async def refresh(self) -> None:
        with acting(Purpose.REFRESH), renewing():
            await self._renew("rules", _RULES, self._inner.get_rules)
            if Capability.CATALOGUE in self.capabilities:
                await self._renew("services", _SERVICES, self._inner.get_services)
                await self._renew("staff", _STAFF, self._inner.get_staff)
            if Capability.PRODUCTS in self.capabilities:
                await self._renew("products", _PRODUCTS, self._inner.get_products)
            if Capability.BOOKING_PAGE in self.capabilities:
                await self._renew("page", _TEXT, self._inner.get_booking_page)

    async def forget(self, *, catalogue: bool) -> None:
        await self._drop_times()
        for key in ("rules", "services", "staff", "products", "page") if catalogue else ():
            await self._aged.make_old(key, ttl=TOLD_FOR)

    async def _told(self, key: str, shape: TypeAdapter[T], load: Callable[[], Awaitable[T]]) -> T:
        found = await self._aged.find(key, shape)
        if self._noticed is not None:
            self._noticed(found[0] if found else timedelta(0))
        if found is None:
            value = await load()
        elif found[0] < FRESH or self._noticed is not None:
            return found[1]
        else:
            try:
                with renewing():
                    value = await load()
            except (CRMUnavailable, CRMRateLimited):
                return found[1]
        await self._aged.put(key, shape, value, ttl=TOLD_FOR)
        return value

    async def _renew(self, key: str, shape: TypeAdapter[T], load: Callable[[], Awaitable[T]]) -> None:
        found = await self._aged.find(key, shape)
        if found is None or found[0] >= SOON_OLD:
            await self._aged.put(key, shape, await load(), ttl=TOLD_FOR)

    # ---- free times ----------------------------------------------------------------------------------------------

    async def get_available_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        key = await self._times_key(service_ids, first, last, staff_id)
        found = await self._aged.find(key, _TIMES)
        if found is not None and found[0] < TIMES_FRESH:
            return tuple(_in_zone(slot, found[1].zone) for slot in found[1].slots)
        slots = await self._inner.get_available_slots(service_ids, first=first, last=last, staff_id=staff_id)
        await self._keep_times(key, slots)
        return slots

    async def get_fresh_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        """Return free times as the CRM says them now. What was kept of any is dropped: it may not hold either."""
        await self._drop_times()
        key = await self._times_key(service_ids, first, last, staff_id)
        with acting(Purpose.WRITE):
            slots = await self._inner.get_fresh_slots(service_ids, first=first, last=last, staff_id=staff_id)
        await self._keep_times(key, slots)
        return slots

    async def _keep_times(self, key: str, slots: tuple[Slot, ...]) -> None:
        zone = slots[0].starts_at.tzinfo if slots else None
        kept = _Times(zone=zone if isinstance(zone, ZoneInfo) else None, slots=slots)
        await self._aged.put(key, _TIMES, kept, ttl=TIMES_FRESH)

    async def _times_key(
        self, service_ids: Sequence[ServiceId], first: date, last: date, staff_id: StaffId | None
    ) -> str:
        """Name an answer within the present generation: what was asked before times were dropped is kept in the old."""
        found = await self._aged.find("generation", _TEXT)
        asked = digest_of(tuple(service_ids), first.isoformat(), last.isoformat(), staff_id)
        return f"times:{found[1] if found else ''}:{asked}"

    async def _drop_times(self) -> None:
        # Longer than any answer is kept, or the first generation's would come back.
        await self._aged.put("generation", _TEXT, secrets.token_hex(8), ttl=TIMES_FRESH * 10)

    # ---- appointments and clients ----------------------------------------------------------------------------------

    async def create_appointment(self, new: NewAppointment) -> Appointment:
        async with self._writing():
            return await self._inner.create_appointment(new)

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        async with self._writing():
            return await self._inner.reschedule_appointment(record_id, slot)

    async def cancel_appointment(self, record_id: RecordId) -> None:
        async with self._writing():
            await self._inner.cancel_appointment(record_id)

    async def confirm_visit(self, record_id: RecordId) -> None:
        """No time is taken or left by it."""
        await self._inner.confirm_visit(record_id)

    async def find_appointment(self, external_id: str, *, day: date) -> Appointment | None:
        with acting(Purpose.PROOF):
            return await self._inner.find_appointment(external_id, day=day)

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        # A client's own appointment is read to see what became of a write; the background is in no such hurry.
        purpose = Purpose.PROOF if current_purpose() is Purpose.BROWSE else current_purpose()
        with acting(purpose):
            return await self._inner.get_appointment(record_id)

    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        return await self._inner.list_appointments(phone, first=first)

    async def list_changed(self, since: datetime) -> tuple[Appointment, ...]:
        with acting(Purpose.REFRESH):
            return await self._inner.list_changed(since)

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        """Never kept: it is full of people's names and phones."""
        return await self._inner.list_day(day)

    async def get_client_by_phone(self, phone: Phone) -> Client | None:
        return await self._inner.get_client_by_phone(phone)

    async def create_client(self, *, name: str, phone: Phone) -> Client:
        with acting(Purpose.WRITE):
            return await self._inner.create_client(name=name, phone=phone)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """Whatever came of a write, free times are not what they were."""
        try:
            with acting(Purpose.WRITE):
                yield
        finally:
            await self._drop_times()

    # ---- the account -----------------------------------------------------------------------------------------------

    def read_hook(self, hook: Hook) -> tuple[RecordId, ...]:
        """Asks nobody and drops nothing: whoever takes the hook calls `forget`."""
        return self._inner.read_hook(hook)

    async def describe_mapping(self) -> tuple[MappingLine, ...]:
        with acting(Purpose.CHECK):
            return await self._inner.describe_mapping()

    async def check(self) -> tuple[CheckLine, ...]:
        """Ask the CRM itself, also while it is left in peace, and say where it is."""
        rest = await self._guard.find_rest()
        with acting(Purpose.CHECK):
            lines = await self._inner.check()
        if rest is None:
            return lines
        detail = f"it has failed again and again, and clients' questions are not put to it for {rest.seconds + 1} s"
        return (CheckLine(subject="left in peace", status=CheckStatus.WARNING, detail=detail), *lines)


def _in_zone(slot: Slot, zone: ZoneInfo | None) -> Slot:
    return slot if zone is None else replace(slot, starts_at=slot.starts_at.astimezone(zone))
