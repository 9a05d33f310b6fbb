"""The CRM port over a Bitrix24 portal: which of the parts does what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import parse_qsl

from crm.account import Account, Clock
from crm.base import (
    Appointment,
    BaseCRMAdapter,
    BookingRules,
    Cache,
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
from crm.bitrix24.access import Access
from crm.bitrix24.booking import Booking
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.check import Check
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.contacts import Contacts
from crm.bitrix24.meaning import appointment_of, mark_of
from crm.bitrix24.slots import SlotSearch
from crm.bitrix24.wire import WireBooking, WireBookings, WireClients, WireContact, WireOneBooking
from crm.errors import CRMAuthFailed, CRMInvalid, CRMNotFound
from crm.http import CRMHttp
from crm.phones import to_phone

AHEAD, WINDOW = timedelta(days=180), timedelta(days=30)
"""A client's bookings are asked for half a year ahead, a month at a time: the listing has no documented pages."""
BOOKING_EVENTS = ("ONBOOKINGADD", "ONBOOKINGUPDATE", "ONBOOKINGDELETE")


class Bitrix24Adapter(BaseCRMAdapter):
    """One portal. Times are told in the branch's zone; services and masters are kept some minutes."""

    manifest = MANIFEST

    def __init__(self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock) -> None:
        self._access = Access.of(account)
        self._zone = account.time_zone
        self._client = Bitrix24Client(http, pace, cache, self._access, clock)
        self._catalogue = Catalogue(self._client, cache, self._access)
        self._slots = SlotSearch(self._client, self._catalogue, zone=self._zone, clock=clock)
        self._contacts = Contacts(self._client)
        self._booking = Booking(
            self._client, self._catalogue, self._slots, self._contacts, self._access, zone=self._zone
        )
        self._check = Check(self._client, self._access, zone=self._zone, clock=clock)

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
        return await self._booking.create(new)

    async def find_appointment(self, external_id: str, *, day: date) -> Appointment | None:
        """Look among the day's bookings for our mark: a deleted one is gone for good here."""
        if not external_id:
            return None
        for booking in await self._slots.list_bookings(day, day):
            if mark_of(booking)[0] == external_id:
                return await self._appointment(booking)
        return None

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        number = _number_of(record_id)
        booking = (await self._client.ask("booking.v1.booking.get", {"id": number}, WireOneBooking)).booking
        return await self._appointment(booking, await self._contact_of(booking))

    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        cards = await self._contacts.list_cards(phone)
        if not cards:
            return ()
        entities = [{"code": "CONTACT", "module": "crm", "id": one.id} for one in cards]
        begins, bodies = datetime.combine(first, time.min, self._zone), {}
        for month in range(AHEAD // WINDOW):
            since, until = begins + WINDOW * month, begins + WINDOW * (month + 1)
            within = {"dateFrom": int(since.timestamp()), "dateTo": int(until.timestamp())}
            bodies[f"m{month}"] = {"filter": {"within": within, "client": {"entities": entities}}}
        found = await self._client.ask_many("booking.v1.booking.list", bodies, WireBookings)
        bookings = {one.id: one for page in found.values() for one in page.booking}
        standing = sorted(bookings.values(), key=lambda one: one.period.begins.timestamp)
        return tuple([await self._appointment(one, phone=phone) for one in standing])

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        _number_of(record_id)
        return await self._booking.move(record_id, slot)

    async def cancel_appointment(self, record_id: RecordId) -> None:
        _number_of(record_id)
        await self._booking.cancel(record_id)

    def read_hook(self, hook: Hook) -> tuple[RecordId, ...]:
        """Read an event of an outbound webhook: a form with the event's name, the booking's id and the token."""
        try:
            fields = dict(parse_qsl(hook.body.decode(), keep_blank_values=True, max_num_fields=200))
        except ValueError:
            raise CRMInvalid("bitrix24: not an event of a portal") from None
        if "event" not in fields:
            raise CRMInvalid("bitrix24: not an event of a portal")
        token = self._access.application_token
        if token is not None and fields.get("auth[application_token]") != token.get_secret_value():
            raise CRMAuthFailed("bitrix24: the event carries another application_token")
        number = fields.get("data[ID]") or fields.get("data[FIELDS][ID]") or ""
        ours = fields["event"].upper() in BOOKING_EVENTS and re.fullmatch(r"[0-9]{1,12}", number)
        return (RecordId(number),) if ours else ()

    async def check(self) -> tuple[CheckLine, ...]:
        return await self._check.run()

    async def describe_mapping(self) -> tuple[MappingLine, ...]:
        return await self._check.describe_mapping()

    async def _contact_of(self, booking: WireBooking) -> WireContact | None:
        body = {"bookingId": int(booking.id)}
        clients = (await self._client.ask("booking.v1.booking.client.list", body, WireClients)).clients
        contacts = [one.id for one in clients if one.type.code == "CONTACT"]
        return await self._contacts.read(contacts[0]) if contacts else None

    async def _appointment(
        self, booking: WireBooking, contact: WireContact | None = None, *, phone: Phone | None = None
    ) -> Appointment:
        numbers = [found for one in (contact.phones if contact else []) if (found := to_phone(one)) is not None]
        return appointment_of(
            booking,
            zone=self._zone,
            staff=await self._catalogue.list_staff(),
            services=await self._catalogue.list_services(),
            contact=contact,
            phone=phone or next(iter(numbers), None),
        )


def _number_of(record_id: RecordId) -> int:
    """Return the id; bookings here are numbered, so another CRM's id names nothing."""
    if not re.fullmatch(r"[0-9]{1,12}", record_id):
        raise CRMNotFound(f"no booking {record_id!r}")
    return int(record_id)
