"""The CRM port over a base's own HTTP service: which of the parts does what, and how an account becomes an adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from crm.account import Account, Clock
from crm.base import (
    Appointment,
    BaseCRMAdapter,
    BookingRules,
    Cache,
    Capability,
    CheckLine,
    Client,
    Hook,
    NewAppointment,
    Pace,
    Phone,
    Product,
    RecordId,
    Service,
    ServiceId,
    Slot,
    Staff,
    StaffId,
)
from crm.errors import CRMNotConfigured
from crm.http import CRMHttp
from crm.one_c import MANIFEST
from crm.one_c.access import Access
from crm.one_c.service import CAPABILITIES
from crm.one_c.service.booking import Booking
from crm.one_c.service.catalogue import Catalogue
from crm.one_c.service.check import Check
from crm.one_c.service.client import OneCServiceClient
from crm.one_c.service.clients import Clients
from crm.one_c.service.hook import read_notice, require_strong
from crm.one_c.service.meaning import product_of
from crm.one_c.service.slots import SlotSearch

OPTIONAL: Mapping[str, Capability] = MappingProxyType({"products": Capability.PRODUCTS, "changes": Capability.CHANGES})
"""Parts of the contract that a service may leave out, by the names that /info and the settings have for them."""


class OneCServiceAdapter(BaseCRMAdapter):
    """One base that has the HTTP service."""

    manifest = MANIFEST

    def __init__(self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock) -> None:
        access = Access.of(account)
        self._hook_secret = account.secrets.get("hook_secret")
        require_strong(self._hook_secret)
        self._able = CAPABILITIES - _left_out(account)
        self._client = OneCServiceClient(http, pace, access)
        self._catalogue = Catalogue(self._client, cache, access.scope, time_zone=account.time_zone)
        self._clients = Clients(self._client)
        self._slots = SlotSearch(self._client, self._catalogue, clock)
        self._booking = Booking(self._client, self._catalogue, self._clients)
        self._check = Check(self._client, time_zone=account.time_zone, clock=clock, able=self._able)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._able

    async def get_rules(self) -> BookingRules:
        return (await self._catalogue.get_branch()).rules

    async def get_services(self) -> tuple[Service, ...]:
        return await self._catalogue.get_services()

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        return await (self._catalogue.get_masters(service_ids) if service_ids else self._catalogue.list_staff())

    async def get_available_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        return await self._slots.list_slots(service_ids, first=first, last=last, staff_id=staff_id)

    async def get_client_by_phone(self, phone: Phone) -> Client | None:
        return await self._clients.find_card(phone)

    async def create_client(self, *, name: str, phone: Phone) -> Client:
        return await self._clients.create_card(name=name, phone=phone)

    async def create_appointment(self, new: NewAppointment) -> Appointment:
        return await self._booking.create(new)

    async def find_appointment(self, external_id: str, *, day: date) -> Appointment | None:
        """Found on any day: one that staff have moved to another since was written, and must not be written again."""
        return await self._booking.find(external_id)

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        return await self._booking.get(record_id)

    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        return await self._booking.list_of(phone, first=first)

    async def list_changed(self, since: datetime) -> tuple[Appointment, ...]:
        self._require(Capability.CHANGES)
        return await self._booking.list_changed(since)

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        return await self._booking.list_day(day)

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        return await self._booking.move(record_id, slot)

    async def cancel_appointment(self, record_id: RecordId) -> None:
        await self._booking.cancel(record_id)

    async def get_products(self) -> tuple[Product, ...]:
        self._require(Capability.PRODUCTS)
        branch = await self._catalogue.get_branch()
        return tuple(product_of(one, currency=branch.currency) for one in await self._client.list_products())

    def read_hook(self, hook: Hook) -> tuple[RecordId, ...]:
        if self._hook_secret is None:
            raise self._lacks(Capability.HOOKS)
        return read_notice(hook, self._hook_secret)

    async def check(self) -> tuple[CheckLine, ...]:
        return await self._check.run()

    def _require(self, capability: Capability) -> None:
        if capability not in self._able:
            raise self._lacks(capability)


def _left_out(account: Account) -> frozenset[Capability]:
    """Return what the account's settings leave out. Raises CRMNotConfigured for a part that is not known."""
    named = [part.strip().lower() for part in (account.find_option("without") or "").split(",") if part.strip()]
    if unknown := [part for part in named if part not in OPTIONAL]:
        raise CRMNotConfigured(f"1c: the field without names {', '.join(unknown)}: it takes {', '.join(OPTIONAL)}")
    hooks = frozenset() if "hook_secret" in account.secrets else frozenset({Capability.HOOKS})
    return frozenset(OPTIONAL[part] for part in named) | hooks
