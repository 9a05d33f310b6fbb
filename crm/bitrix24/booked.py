"""Visits that are bookings of the portal's online booking: read here, written by booking.py."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.base import Appointment, NewAppointment, Phone, RecordId, Slot
from crm.bitrix24.booking import Booking
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.contacts import Contacts, phone_of
from crm.bitrix24.diary import BookingDiary
from crm.bitrix24.meaning import appointment_of, mark_of
from crm.bitrix24.visits import number_of
from crm.bitrix24.wire import WireBooking, WireBookings, WireClients, WireContact, WireOneBooking

AHEAD, WINDOW = timedelta(days=180), timedelta(days=30)
"""A client's bookings are asked for half a year ahead, a month at a time: the listing has no documented pages."""


class BookedVisits:
    def __init__(
        self,
        client: Bitrix24Client,
        catalogue: Catalogue,
        diary: BookingDiary,
        contacts: Contacts,
        booking: Booking,
        *,
        zone: ZoneInfo,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._diary = diary
        self._contacts = contacts
        self._booking = booking
        self._zone = zone

    async def create(self, new: NewAppointment) -> Appointment:
        return await self._booking.create(new)

    async def find(self, external_id: str, *, day: date) -> Appointment | None:
        """Look among the day's bookings for our mark: a deleted one is gone for good here."""
        if not external_id:
            return None
        for booking in await self._diary.list_bookings(day, day):
            if mark_of(booking)[0] == external_id:
                return await self._appointment(booking)
        return None

    async def get(self, record_id: RecordId) -> Appointment:
        body = {"id": number_of(record_id)}
        booking = (await self._client.ask("booking.v1.booking.get", body, WireOneBooking)).booking
        return await self._appointment(booking, await self._contact_of(booking))

    async def list_of(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
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

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        """Return what begins on a day, each with its contact: the listing of bookings names no clients."""
        found = await self._diary.list_bookings(day, day)
        today = [one for one in found if one.period.begins.at.astimezone(self._zone).date() == day]
        bodies = {f"b{one.id}": {"bookingId": int(one.id)} for one in today}
        named = await self._client.ask_many("booking.v1.booking.client.list", bodies, WireClients) if bodies else {}
        ids = {name: _contact_in(one) for name, one in named.items()}
        contacts = await self._contacts.read_many([one for one in ids.values() if one is not None])
        ordered = sorted(today, key=lambda one: one.period.begins.timestamp)
        return tuple([await self._appointment(one, contacts.get(ids[f"b{one.id}"] or "")) for one in ordered])

    async def move(self, record_id: RecordId, slot: Slot) -> Appointment:
        number_of(record_id)
        return await self._booking.move(record_id, slot)

    async def cancel(self, record_id: RecordId) -> None:
        number_of(record_id)
        await self._booking.cancel(record_id)

    async def _contact_of(self, booking: WireBooking) -> WireContact | None:
        body = {"bookingId": int(booking.id)}
        clients = await self._client.ask("booking.v1.booking.client.list", body, WireClients)
        id_ = _contact_in(clients)
        return await self._contacts.read(id_) if id_ is not None else None

    async def _appointment(
        self, booking: WireBooking, contact: WireContact | None = None, *, phone: Phone | None = None
    ) -> Appointment:
        return appointment_of(
            booking,
            zone=self._zone,
            staff=await self._catalogue.list_staff(),
            services=await self._catalogue.list_services(),
            contact=contact,
            phone=phone or (phone_of(contact) if contact else None),
        )


def _contact_in(clients: WireClients) -> str | None:
    """Return the first contact among a booking's clients; None where there is none."""
    return next((one.id for one in clients.clients if one.type.code == "CONTACT"), None)
