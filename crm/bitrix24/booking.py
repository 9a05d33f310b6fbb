"""Writing appointments: checked right before, written once by `booking.add`, then tied to the contact and the deal.

The booking is what takes the time, so it is written first. What follows only sets or adds, is repeated while that
helps, and its failure is logged: the visit stands, and its name and description tell staff who comes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from zoneinfo import ZoneInfo

import structlog

from crm.base import Appointment, Client, NewAppointment, RecordId, Service, Slot
from crm.bitrix24.access import Access
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.contacts import Contacts
from crm.bitrix24.meaning import OURS, appointment_of, description_of, name_of, period_of, visit_fields
from crm.bitrix24.refusals import ResourceBusy
from crm.bitrix24.slots import SlotSearch
from crm.bitrix24.wire import WireAdded, WireBooking, WireItems, WireMoment, WireOneBooking, WireOneItem, WirePeriod
from crm.errors import CRMError, CRMNotFound, SlotTaken

log = structlog.get_logger()
KINDS = {"lead": 1, "deal": 2}


class Booking:
    def __init__(
        self,
        client: Bitrix24Client,
        catalogue: Catalogue,
        slots: SlotSearch,
        contacts: Contacts,
        access: Access,
        *,
        zone: ZoneInfo,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._slots = slots
        self._contacts = contacts
        self._access = access
        self._zone = zone

    async def create(self, new: NewAppointment) -> Appointment:
        services = [one.service for one in await self._catalogue.require(new.slot.service_ids)]
        await self._slots.require_free(new.slot)
        card = await self._contacts.create_card(name=new.client_name, phone=new.phone)
        fields = {
            "name": name_of(services, card.name),
            "description": description_of(new),
            "resourceIds": [int(new.slot.staff.id)],
            "datePeriod": period_of(new.slot.starts_at, new.slot.duration, self._zone),
        }
        private = (new.phone, new.client_name, card.name)
        try:
            added = await self._client.ask(
                "booking.v1.booking.add", {"fields": fields}, WireAdded, safe=False, private=private
            )
        except ResourceBusy as error:
            raise await self._why(error, new.slot) from None
        await self._tie(added.id, new, card, services)
        return await self._read_back(added.id, new, services)

    async def move(self, record_id: RecordId, slot: Slot) -> Appointment:
        booking = (await self._client.ask("booking.v1.booking.get", {"id": int(record_id)}, WireOneBooking)).booking
        here = booking.period.begins.at == slot.starts_at and booking.resource_ids == (slot.staff.id,)
        length = booking.period.ends.at - booking.period.begins.at
        if not here:
            await self._slots.require_free(slot, but=record_id)
            period = period_of(slot.starts_at, length, self._zone)
            fields = {"datePeriod": period, "resourceIds": [int(slot.staff.id)]}
            try:
                body = {"id": int(record_id), "fields": fields}
                await self._client.do("booking.v1.booking.update", body, safe=False)
            except ResourceBusy as error:
                raise await self._why(error, slot, but=record_id) from None
        begins = int(slot.starts_at.timestamp())
        period_now = WirePeriod.model_construct(
            begins=WireMoment(timestamp=begins), ends=WireMoment(timestamp=begins + int(length.total_seconds()))
        )
        moved = booking.model_copy(update={"period": period_now, "resource_ids": (slot.staff.id,)})
        return await self._appointment(moved, slot)

    async def cancel(self, record_id: RecordId) -> None:
        try:
            await self._client.do("booking.v1.booking.delete", {"id": int(record_id)}, safe=False)
        except CRMNotFound:
            return

    async def _why(self, error: ResourceBusy, slot: Slot, *, but: str = "") -> CRMError:
        """Tell a busy resource from one that is gone: the portal answers both with the same number."""
        if slot.staff.id not in await self._catalogue.list_staff():
            return CRMNotFound(str(error))
        try:
            await self._slots.require_free(slot, but=but)
        except SlotTaken as taken:
            return taken
        return CRMNotFound(str(error))

    async def _tie(self, booking_id: str, new: NewAppointment, card: Client, services: Sequence[Service]) -> None:
        """Name the client in the booking, and make the deal or lead that it belongs to."""
        entity = {"id": int(card.id), "type": {"module": "crm", "code": "CONTACT"}}
        body = {"bookingId": int(booking_id), "clients": [entity]}
        await self._carefully(
            "client", booking_id, lambda: self._client.do("booking.v1.booking.client.set", body, safe=True)
        )
        if self._access.visit_as in KINDS:
            await self._carefully("visit", booking_id, lambda: self._make_visit(booking_id, new, card, services))

    async def _make_visit(
        self, booking_id: str, new: NewAppointment, card: Client, services: Sequence[Service]
    ) -> None:
        """Add the deal or lead once, by our own id, and tie the booking to it."""
        kind = KINDS[self._access.visit_as]
        ours = {"=originatorId": OURS, "=originId": new.external_id}
        known = await self._client.ask("crm.item.list", {"entityTypeId": kind, "filter": ours}, WireItems)
        if known.items:
            number = known.items[0].id
        else:
            body = {"entityTypeId": kind, "fields": visit_fields(new, card, services, access=self._access)}
            number = (
                await self._client.ask("crm.item.add", body, WireOneItem, safe=False, private=(card.name,))
            ).item.id
        data = [{"moduleId": "crm", "entityTypeId": self._access.visit_as.upper(), "value": number}]
        tied = {"bookingId": int(booking_id), "externalData": data}
        await self._client.do("booking.v1.booking.externalData.set", tied, safe=True)

    async def _carefully(self, what: str, booking_id: str, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except CRMError as error:
            log.error("crm_written_in_part", crm="bitrix24", missing=what, booking=booking_id, code=error.code)

    async def _read_back(self, booking_id: str, new: NewAppointment, services: Sequence[Service]) -> Appointment:
        """Read the booking as it stands; the write went through, so what cannot be read is told as it was written."""
        try:
            read = await self._client.ask("booking.v1.booking.get", {"id": int(booking_id)}, WireOneBooking)
        except CRMError:
            begins = int(new.slot.starts_at.timestamp())
            ends = begins + int(new.slot.duration.total_seconds())
            return await self._appointment(_written(booking_id, new, services, begins, ends), new.slot)
        return await self._appointment(read.booking, new.slot)

    async def _appointment(self, booking: WireBooking, slot: Slot) -> Appointment:
        staff = {**await self._catalogue.list_staff(), slot.staff.id: slot.staff}
        services = await self._catalogue.list_services()
        return appointment_of(booking, zone=self._zone, staff=staff, services=services)


def _written(booking_id: str, new: NewAppointment, services: Sequence[Service], begins: int, ends: int) -> WireBooking:
    period = WirePeriod.model_construct(begins=WireMoment(timestamp=begins), ends=WireMoment(timestamp=ends))
    return WireBooking.model_construct(
        id=booking_id,
        name=name_of(services, new.client_name),
        description=description_of(new),
        resource_ids=(new.slot.staff.id,),
        period=period,
    )
