"""The CRM port over a Bitrix24 portal: which of the parts does what, with the online booking or without it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

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
from crm.bitrix24 import MANIFEST
from crm.bitrix24.access import CALENDAR, Access
from crm.bitrix24.booked import BookedVisits
from crm.bitrix24.booking import Booking
from crm.bitrix24.calendar import CalendarDiary, diary_of
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.check import Check
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.contacts import Contacts
from crm.bitrix24.deals import DealVisits
from crm.bitrix24.events import BOOKINGS, DEALS, read_event
from crm.bitrix24.slots import SlotSearch
from crm.bitrix24.visits import Visits
from crm.http import CRMHttp


class Bitrix24Adapter(BaseCRMAdapter):
    """One portal. Times are told in the branch's zone; services and masters are kept some minutes."""

    manifest = MANIFEST

    def __init__(self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock) -> None:
        self._access = access = Access.of(account)
        self._zone = zone = account.time_zone
        client = Bitrix24Client(http, pace, cache, access, clock)
        self._contacts = Contacts(client)
        diary = diary_of(client, cache, access, zone=zone)
        self._catalogue = catalogue = Catalogue(client, cache, access, diary)
        self._slots = SlotSearch(diary, catalogue, zone=zone, clock=clock)
        self._visits: Visits
        if isinstance(diary, CalendarDiary):
            self._visits = DealVisits(client, catalogue, diary, self._slots, self._contacts, access, zone=zone)
        else:
            booking = Booking(client, catalogue, self._slots, self._contacts, access, zone=zone)
            self._visits = BookedVisits(client, catalogue, diary, self._contacts, booking, zone=zone)
        self._check = Check(client, access, zone=zone, clock=clock)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Without the online booking a day has no list: a deal is not found by the time that its field books."""
        lacking = {Capability.DAY} if self._access.mode == CALENDAR else set()
        return self.manifest.capabilities - lacking

    async def get_rules(self) -> BookingRules:
        return BookingRules(time_zone=self._zone)

    async def get_services(self) -> tuple[Service, ...]:
        return tuple((await self._catalogue.list_services()).values())

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        offered = await self._catalogue.list_offered()
        wanted = [offered[one] for one in service_ids if one in offered]
        staff = await self._catalogue.list_staff()
        return tuple(one for id_, one in staff.items() if all(service.done_by(id_) for service in wanted))

    async def get_available_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        return await self._slots.list_slots(service_ids, first=first, last=last, staff_id=staff_id)

    async def get_client_by_phone(self, phone: Phone) -> Client | None:
        return await self._contacts.find_card(phone)

    async def create_client(self, *, name: str, phone: Phone) -> Client:
        return await self._contacts.create_card(name=name, phone=phone)

    async def create_appointment(self, new: NewAppointment) -> Appointment:
        return await self._visits.create(new)

    async def find_appointment(self, external_id: str, *, day: date) -> Appointment | None:
        return await self._visits.find(external_id, day=day)

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        return await self._visits.get(record_id)

    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        return await self._visits.list_of(phone, first=first)

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        if not isinstance(self._visits, BookedVisits):
            raise self._lacks(Capability.DAY)
        return await self._visits.list_day(day)

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        return await self._visits.move(record_id, slot)

    async def cancel_appointment(self, record_id: RecordId) -> None:
        await self._visits.cancel(record_id)

    def read_hook(self, hook: Hook) -> tuple[RecordId, ...]:
        about = DEALS if self._access.mode == CALENDAR else BOOKINGS
        return read_event(hook, about=about, token=self._access.application_token)

    async def check(self) -> tuple[CheckLine, ...]:
        return await self._check.run()

    async def describe_mapping(self) -> tuple[MappingLine, ...]:
        return await self._check.describe_mapping()
