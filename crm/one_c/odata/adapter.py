"""The CRM port over 1C's standard OData interface: which of the parts does what, and what a mapping leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from crm.account import Account, Clock
from crm.base import (
    Appointment,
    BaseCRMAdapter,
    BookingRules,
    Cache,
    Capability,
    CheckLine,
    Client,
    MappingLine,
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
from crm.http import CRMHttp
from crm.one_c import MANIFEST
from crm.one_c.odata import CAPABILITIES
from crm.one_c.odata.access import Access
from crm.one_c.odata.booking import Booking, Parts
from crm.one_c.odata.catalogue import Catalogue
from crm.one_c.odata.check import Check
from crm.one_c.odata.client import ODataClient
from crm.one_c.odata.clients import Clients
from crm.one_c.odata.diary import Diary
from crm.one_c.odata.document import Form
from crm.one_c.odata.own_keys import OwnKeys
from crm.one_c.odata.records import Records
from crm.one_c.odata.slots import SlotSearch


class ODataAdapter(BaseCRMAdapter):
    """One base. Its dates have no zone: they are the branch's wall clock."""

    manifest = MANIFEST

    def __init__(self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock) -> None:
        access, zone = Access.of(account), account.time_zone
        self._map, self._zone = access.mapping, zone
        client, form = ODataClient(http, pace, access), Form(access.mapping, zone)
        self._clients = Clients(client, self._map)
        self._catalogue = Catalogue(client, cache, access.scope, self._map)
        own_keys = OwnKeys(cache, access.scope, self._map.own_keys)
        diary = Diary(client, self._map, form, zone)
        self._slots = SlotSearch(self._catalogue, diary, self._map.rules, zone, clock)
        self._records = Records(client, self._map, form, self._catalogue, self._clients, own_keys, zone)
        parts = Parts(
            client=client,
            mapping=self._map,
            form=form,
            catalogue=self._catalogue,
            clients=self._clients,
            diary=diary,
            slots=self._slots,
            records=self._records,
            own_keys=own_keys,
            zone=zone,
            clock=clock,
        )
        self._booking = Booking(parts)
        self._check = Check(client, self._map, parts, clock)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the mapping leaves out is lacking: our own id where it has no place, changes where they have no date."""
        named = self._map.appointments
        honoured = self._map.own_keys == "honoured"
        lacking = {
            Capability.FIND_BY_EXTERNAL_ID: not honoured and named.external_id is None,
            Capability.IDEMPOTENT_CREATE: not honoured,
            Capability.CHANGES: named.changed is None,
        }
        return CAPABILITIES - {capability for capability, lacks in lacking.items() if lacks}

    async def get_rules(self) -> BookingRules:
        rules = self._map.rules
        return BookingRules(
            time_zone=self._zone,
            lead_time=timedelta(minutes=rules.lead_minutes),
            may_move=rules.may_move,
            may_cancel=rules.may_cancel,
            move_deadline=_minutes(rules.move_deadline_minutes),
            cancel_deadline=_minutes(rules.cancel_deadline_minutes),
        )

    async def get_services(self) -> tuple[Service, ...]:
        return await self._catalogue.get_services()

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        return await self._catalogue.get_staff(service_ids)

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
        if Capability.FIND_BY_EXTERNAL_ID not in self.capabilities:
            raise self._lacks(Capability.FIND_BY_EXTERNAL_ID)
        return await self._booking.find(external_id, day)

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        return await self._records.read_out(await self._records.get(record_id))

    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        return await self._records.list_of_phone(phone, first)

    async def list_changed(self, since: datetime) -> tuple[Appointment, ...]:
        if Capability.CHANGES not in self.capabilities:
            raise self._lacks(Capability.CHANGES)
        return await self._records.list_changed(since)

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        return await self._records.list_day(day)

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        return await self._booking.move(record_id, slot)

    async def cancel_appointment(self, record_id: RecordId) -> None:
        await self._booking.cancel(record_id)

    async def check(self) -> tuple[CheckLine, ...]:
        return await self._check.run()

    async def describe_mapping(self) -> tuple[MappingLine, ...]:
        return await self._check.describe()


def _minutes(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(minutes=value)
