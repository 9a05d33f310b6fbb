"""Visits that are deals, in a portal without the booking module: a field of theirs books a resource of the calendar.

Such a portal refuses no overlap, so every write is looked at afterwards: one that met another visit, or that the
portal took otherwise than it was meant, is taken back. Of two new visits that meet, the booking with the smaller number
stays; a moved one gives way to any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from crm.base import Appointment, NewAppointment, Phone, RecordId, Service, ServiceId, Slot, Staff
from crm.bitrix24.access import Access
from crm.bitrix24.calendar import CalendarDiary
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.contacts import Contacts, phone_of
from crm.bitrix24.diary import Taken
from crm.bitrix24.field import RELEASED, BookingField
from crm.bitrix24.meaning import OURS, appointment_of, description_of, visit_fields
from crm.bitrix24.slots import SlotSearch
from crm.bitrix24.visits import number_of
from crm.bitrix24.wire import WireBooking, WireContact, WireMoment, WireOneItem, WirePeriod
from crm.bitrix24.wire_calendar import WireDeal, WireDeals, WireOneDeal
from crm.errors import CRMError, CRMNotFound, CRMOutcomeUnknown, CRMUnsupported, SlotTaken

log = structlog.get_logger()
DEAL = 2
Facts = tuple[Mapping[str, Staff], Mapping[ServiceId, Service]]
FIELDS = ("id", "title", "comments", "contactId", "originatorId", "originId")


class DealVisits:
    def __init__(
        self,
        client: Bitrix24Client,
        catalogue: Catalogue,
        diary: CalendarDiary,
        slots: SlotSearch,
        contacts: Contacts,
        access: Access,
        *,
        zone: ZoneInfo,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._diary = diary
        self._slots = slots
        self._contacts = contacts
        self._access = access
        self._zone = zone

    async def create(self, new: NewAppointment) -> Appointment:
        """Book: the deal is written once, with its booking in it."""
        services = [one.service for one in await self._catalogue.require(new.slot.service_ids)]
        field, facts = await self._diary.get_field(), await self._facts()
        await self._slots.require_free(new.slot)
        card = await self._contacts.create_card(name=new.client_name, phone=new.phone)
        titles = ", ".join(one.title for one in services)
        fields = visit_fields(new, card, services, access=self._access)
        meant = _meant(new.slot)
        fields |= {"comments": description_of(new), field.name: [_written(field, meant, titles)]}
        private = (new.phone, new.client_name, card.name)
        written = await self._client.ask("crm.item.add", _body(fields=fields), WireOneItem, safe=False, private=private)
        deal, booked = await self._look(written.item.id, meant)
        older = [one for one in await self._met(written.item.id, meant, booked) if _older(one, booked)]
        if booked is None or older:
            await self._take_back(field, deal.id)
            raise SlotTaken("somebody was quicker") if older else _not_taken(field)
        contact = WireContact(id=card.id, name=card.name)
        return self._appointment(deal, booked, facts, contact=contact, phone=new.phone)

    async def find(self, external_id: str, *, day: date) -> Appointment | None:
        """Ask by our own id; of a cancelled one the time is not known any more, so it is not found."""
        if not external_id:
            return None
        chosen = {"=originatorId": OURS, "=originId": external_id}
        for deal, booked in await self._standing(await self._deals(chosen)):
            if booked.begins.astimezone(self._zone).date() == day:
                return self._appointment(deal, booked, await self._facts())
        return None

    async def get(self, record_id: RecordId) -> Appointment:
        deal, booked = await self._require(record_id)
        contact = await self._contacts.read(deal.contact_id) if deal.contact_id not in (None, "0") else None
        phone = phone_of(contact) if contact else None
        return self._appointment(deal, booked, await self._facts(), contact=contact, phone=phone)

    async def list_of(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        cards = await self._contacts.list_cards(phone)
        if not cards:
            return ()
        begins = datetime.combine(first, time.min, self._zone).astimezone(UTC)
        standing = await self._standing(await self._deals({"@contactId": [int(one.id) for one in cards]}))
        coming = sorted((pair for pair in standing if pair[1].begins >= begins), key=lambda pair: pair[1].begins)
        facts = await self._facts()
        return tuple(self._appointment(deal, booked, facts, phone=phone) for deal, booked in coming)

    async def move(self, record_id: RecordId, slot: Slot) -> Appointment:
        deal, was = await self._require(record_id)
        meant = replace(_meant(slot), ends=slot.starts_at.astimezone(UTC) + (was.ends - was.begins))
        field, facts = await self._diary.get_field(), await self._facts()
        if _same(was, meant):
            return self._appointment(deal, was, facts)
        await self._slots.require_free(slot, lasts=meant.ends - meant.begins, but=was.id)
        titles = ", ".join(one.title for one in self._appointment(deal, was, facts).services)
        await self._write(deal.id, {field.name: [_written(field, meant, titles)]}, safe=False)
        deal, booked = await self._look(deal.id, meant)
        met = await self._met(deal.id, meant, booked)
        if booked is None or met:
            await self._move_back(field, deal.id, was, titles)
            raise SlotTaken("somebody was quicker") if met else _not_taken(field)
        return self._appointment(deal, booked, facts)

    async def cancel(self, record_id: RecordId) -> None:
        """Release the booking; the deal stays, in the stage that the settings name for it."""
        try:
            deal, _ = await self._require(record_id)
        except CRMNotFound:
            return
        field, stage = await self._diary.get_field(), self._access.cancelled_stage
        fields = {field.name: [RELEASED]} | ({"stageId": stage} if stage is not None else {})
        await self._write(deal.id, fields, safe=False)
        try:
            await self._require(record_id)
        except CRMNotFound:
            return
        except CRMError as error:
            raise CRMOutcomeUnknown(f"deal {deal.id} was written and cannot be looked at: {error.code}") from None
        raise _not_taken(field)

    async def _require(self, record_id: RecordId) -> tuple[WireDeal, Taken]:
        """Return a deal and its booking. Raises CRMNotFound where nothing is booked, CRMUnsupported for several."""
        deal = await self._read(str(number_of(record_id)))
        standing = await self._standing([deal])
        if not standing:
            raise CRMNotFound(f"deal {deal.id} books nothing")
        if len(standing) > 1:
            raise CRMUnsupported(f"deal {deal.id} books several resources: a person changes it")
        return standing[0]

    async def _standing(self, deals: Sequence[WireDeal]) -> list[tuple[WireDeal, Taken]]:
        """Return the deals with each of their bookings that stand."""
        field = (await self._diary.get_field()).name
        found = await self._diary.list_bookings([number for deal in deals for number in deal.numbers_in(field)])
        return [(deal, found[one]) for deal in deals for one in deal.numbers_in(field) if one in found]

    async def _look(self, deal_id: str, meant: Taken) -> tuple[WireDeal, Taken | None]:
        """Read what came of a write; None in place of a booking that is not what was meant.

        Raises CRMOutcomeUnknown where it cannot be read: something was written.
        """
        try:
            deal = await self._read(deal_id)
            booked = [one for _, one in await self._standing([deal])]
        except CRMError as error:
            raise CRMOutcomeUnknown(f"deal {deal_id} was written and cannot be looked at: {error.code}") from None
        return deal, booked[0] if len(booked) == 1 and _same(booked[0], meant) else None

    async def _met(self, deal_id: str, meant: Taken, booked: Taken | None) -> list[Taken]:
        """Return other bookings at the same time. Raises CRMOutcomeUnknown where they cannot be read."""
        if booked is None:
            return []
        days = [moment.astimezone(self._zone).date() for moment in (meant.begins, meant.ends)]
        try:
            taken = await self._diary.list_taken(days[0], days[1], meant.resource_ids)
        except CRMError as error:
            raise CRMOutcomeUnknown(f"deal {deal_id} was written and cannot be compared: {error.code}") from None
        return [one for one in taken if one.id not in ("", booked.id) and one.meets(meant)]

    async def _take_back(self, field: BookingField, deal_id: str) -> None:
        """Release what was booked by a deal that we made, and throw the deal away."""
        try:
            await self._write(deal_id, {field.name: [RELEASED]}, safe=True)
        except CRMError as error:
            raise CRMOutcomeUnknown(
                f"deal {deal_id} meets another visit and cannot be released: {error.code}"
            ) from None
        try:
            await self._client.do("crm.item.delete", {"entityTypeId": DEAL, "id": int(deal_id)}, safe=True)
        except CRMError as error:
            log.error("crm_written_in_part", crm="bitrix24", missing="deletion", deal=deal_id, code=error.code)

    async def _move_back(self, field: BookingField, deal_id: str, was: Taken, titles: str) -> None:
        try:
            await self._write(deal_id, {field.name: [_written(field, was, titles)]}, safe=True)
        except CRMError as error:
            raise CRMOutcomeUnknown(f"deal {deal_id} meets another visit and is not back: {error.code}") from None

    async def _write(self, deal_id: str, fields: dict[str, Any], *, safe: bool) -> None:
        await self._client.do("crm.item.update", _body(id=int(deal_id), fields=fields), safe=safe)

    async def _read(self, deal_id: str) -> WireDeal:
        field = (await self._diary.get_field()).name
        body = _body(id=int(deal_id), select=[*FIELDS, field])
        return (await self._client.ask("crm.item.get", body, WireOneDeal)).item

    async def _deals(self, chosen: dict[str, Any]) -> list[WireDeal]:
        field = (await self._diary.get_field()).name
        body = _body(filter=chosen, select=[*FIELDS, field], order={"id": "ASC"})
        pages = await self._client.ask_pages("crm.item.list", body, WireDeals)
        return [one for page in pages for one in page.items]

    async def _facts(self) -> Facts:
        """Return what a visit is told by: got before a write, as nothing may fail after it."""
        return await self._catalogue.list_staff(), await self._catalogue.list_services()

    def _appointment(
        self,
        deal: WireDeal,
        booked: Taken,
        facts: Facts,
        *,
        contact: WireContact | None = None,
        phone: Phone | None = None,
    ) -> Appointment:
        """Tell a deal and its booking in the words that a booking's name and description have."""
        period = WirePeriod.model_construct(begins=_moment(booked.begins), ends=_moment(booked.ends))
        booking = WireBooking.model_construct(
            id=deal.id,
            name=deal.title,
            description=re.sub(r"<br\s*/?>", "\n", deal.comments or ""),
            resource_ids=booked.resource_ids,
            period=period,
        )
        told = appointment_of(
            booking,
            zone=self._zone,
            staff=facts[0],
            services=facts[1],
            contact=contact,
            phone=phone,
        )
        ours = deal.origin_id if deal.originator_id == OURS else None
        return replace(told, external_id=ours or None)


def _body(**more: Any) -> dict[str, Any]:
    """Name deals, and custom fields as the portal's settings name them."""
    return {"entityTypeId": DEAL, "useOriginalUfNames": "Y", **more}


def _meant(slot: Slot) -> Taken:
    begins = slot.starts_at.astimezone(UTC)
    return Taken(id="", resource_ids=(slot.staff.id,), begins=begins, ends=begins + slot.duration)


def _same(one: Taken, other: Taken) -> bool:
    return (one.resource_ids, one.begins, one.ends) == (other.resource_ids, other.begins, other.ends)


def _older(one: Taken, booked: Taken | None) -> bool:
    return booked is not None and int(one.id) < int(booked.id)


def _written(field: BookingField, meant: Taken, titles: str) -> str:
    lasts = meant.ends - meant.begins
    return field.value_of(resource_id=meant.resource_ids[0], starts_at=meant.begins, lasts=lasts, service=titles)


def _moment(at: datetime) -> WireMoment:
    return WireMoment(timestamp=int(at.timestamp()))


def _not_taken(field: BookingField) -> CRMUnsupported:
    return CRMUnsupported(f"the portal does not take the field {field.name} as it is written here: tell the developers")
