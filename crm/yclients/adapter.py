"""The CRM port over YCLIENTS: which of the parts does what, and how an account becomes an adapter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from crm.account import Account, Clock
from crm.base import (
    Appointment,
    BaseCRMAdapter,
    BookingRules,
    Cache,
    CheckLine,
    Client,
    Hook,
    NewAppointment,
    Pace,
    Phone,
    RecordId,
    Service,
    ServiceId,
    Slot,
    Staff,
    StaffId,
)
from crm.errors import CRMNotFound
from crm.http import CRMHttp
from crm.yclients import MANIFEST
from crm.yclients.access import Access
from crm.yclients.booking import Booking
from crm.yclients.catalogue import Catalogue
from crm.yclients.changes import list_changed, records_told
from crm.yclients.check import Check
from crm.yclients.client import YclientsClient
from crm.yclients.clients import Clients
from crm.yclients.meaning import CAME, NO_SHOW, appointment_of, staff_of
from crm.yclients.slots import SlotSearch
from crm.yclients.wire import WireRecord


class YclientsAdapter(BaseCRMAdapter):
    """One branch in YCLIENTS or Altegio."""

    manifest = MANIFEST

    def __init__(self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock) -> None:
        access = Access.of(account)
        self._company_id = access.company_id
        self._client = YclientsClient(http, pace, access)
        self._catalogue = Catalogue(self._client, cache, access, time_zone=account.time_zone)
        self._clients = Clients(self._client)
        self._slots = SlotSearch(self._client, self._catalogue)
        self._booking = Booking(self._client, self._catalogue, self._slots, self._clients)
        self._check = Check(self._client, access, time_zone=account.time_zone, clock=clock)

    async def get_rules(self) -> BookingRules:
        return (await self._catalogue.get_branch()).rules

    async def get_services(self) -> tuple[Service, ...]:
        return await self._catalogue.get_services()

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        return tuple(staff_of(one) for one in await self._catalogue.list_staff(service_ids) if one.bookable)

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
        """A record deleted since is found too (`cancelled`): it was written, and must not be written again."""
        filters = {"start_date": day.isoformat(), "end_date": day.isoformat(), "with_deleted": "1"}
        found = [one for one in await self._client.list_records(filters) if external_id and one.api_id == external_id]
        standing = sorted(found, key=lambda one: one.deleted)
        return await self._appointment(standing[0]) if standing else None

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        return await self._appointment(await self._client.get_record(_number_of(record_id)))

    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        found: dict[str, WireRecord] = {}
        for card in await self._clients.list_cards(phone):
            filters = {"client_id": card.id, "start_date": first.isoformat()}
            found |= {one.id: one for one in await self._client.list_records(filters)}
        standing = [one for one in found.values() if not one.deleted and one.attendance not in (CAME, NO_SHOW)]
        return tuple([await self._appointment(one) for one in sorted(standing, key=WireRecord.starts_at)])

    async def list_changed(self, since: datetime) -> tuple[Appointment, ...]:
        zone = (await self._catalogue.get_branch()).zone
        return tuple([await self._appointment(one) for one in await list_changed(self._client, since, zone=zone)])

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        """Ask by `start_date` and `end_date` ("Records"), the days of the first and the last record."""
        found = await self._client.list_records({"start_date": day.isoformat(), "end_date": day.isoformat()})
        standing = [one for one in found if not one.deleted and one.starts_at().date() == day]
        return tuple([await self._appointment(one) for one in sorted(standing, key=WireRecord.starts_at)])

    def read_hook(self, hook: Hook) -> tuple[RecordId, ...]:
        return records_told(hook, company_id=self._company_id)

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        return await self._booking.move(_number_of(record_id), slot)

    async def cancel_appointment(self, record_id: RecordId) -> None:
        await self._booking.cancel(_number_of(record_id))

    async def confirm_visit(self, record_id: RecordId) -> None:
        await self._booking.confirm(_number_of(record_id))

    async def check(self) -> tuple[CheckLine, ...]:
        return await self._check.run()

    async def _appointment(self, record: WireRecord) -> Appointment:
        branch = await self._catalogue.get_branch()
        return appointment_of(record, zone=branch.zone, currency=branch.currency)


def _number_of(record_id: RecordId) -> RecordId:
    """Return the id; records here are numbered, so another CRM's id names nothing (nor another address)."""
    if not re.fullmatch(r"[0-9]{1,20}", record_id):
        raise CRMNotFound(f"no record {record_id!r}")
    return record_id
