"""Appointments: written in one call each, which the base does in one transaction, and read back from its answer."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, timedelta

from crm.base import Appointment, NewAppointment, Phone, RecordId, Slot
from crm.errors import CRMInvalid, CRMNotFound
from crm.one_c.service.catalogue import Catalogue
from crm.one_c.service.client import OneCServiceClient
from crm.one_c.service.clients import Clients
from crm.one_c.service.times import can_be_stated, not_after, wall_clock
from crm.one_c.service.wire import ID
from crm.phones import digits_of

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Booking:
    def __init__(self, client: OneCServiceClient, catalogue: Catalogue, clients: Clients) -> None:
        self._client = client
        self._catalogue = catalogue
        self._clients = clients

    async def create(self, new: NewAppointment) -> Appointment:
        """Book. The same external id sent again brings the first appointment; CRMInvalid if it was cancelled since."""
        if not _KEY.fullmatch(new.external_id):
            raise CRMInvalid("an external id has up to 64 Latin letters, figures, - and _")
        await self._catalogue.require_services(new.slot.service_ids)
        facts = await self._catalogue.get_facts()
        digits = digits_of(new.phone)
        body = {
            **_place(new.slot),
            "service_ids": list(new.slot.service_ids),
            "client": {"name": new.client_name, "phone": digits},
            "comment": new.comment,
        }
        private = (new.phone, digits, new.client_name)
        booked = facts.appointment(await self._client.create_appointment(body, key=new.external_id, private=private))
        if booked.cancelled:
            raise CRMInvalid(f"appointment {booked.id} was made by this external id and cancelled since")
        return booked

    async def move(self, record_id: RecordId, slot: Slot) -> Appointment:
        appointment = await self.get(record_id)
        if appointment.cancelled:
            raise CRMNotFound(f"appointment {record_id} is cancelled")
        if sorted(slot.service_ids) != sorted(one.id for one in appointment.services):
            raise CRMInvalid(f"appointment {record_id} has other services than the slot")
        if appointment.starts_at == slot.starts_at and appointment.staff.id == slot.staff.id:
            return appointment  # a repeat of a move that was made
        place, facts = _place(slot), await self._catalogue.get_facts()
        return facts.appointment(await self._client.change_appointment(record_id, place))

    async def cancel(self, record_id: RecordId) -> None:
        require_id(record_id)
        with suppress(CRMNotFound):  # erased already
            await self._client.cancel_appointment(record_id)

    async def get(self, record_id: RecordId) -> Appointment:
        require_id(record_id)
        facts = await self._catalogue.get_facts()
        return facts.appointment(await self._client.get_appointment(record_id))

    async def find(self, external_id: str) -> Appointment | None:
        """Return the appointment that was made by our id, wherever staff may have moved it since."""
        if not _KEY.fullmatch(external_id):
            return None
        filters = {"external_id": external_id, "with_cancelled": "1"}
        found = [one for one in await self._select(filters) if one.external_id == external_id]
        return min(found, key=lambda one: one.cancelled) if found else None

    async def list_of(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        found: dict[RecordId, Appointment] = {}
        for card in await self._clients.list_cards(phone):
            filters = {"client_id": card.id, "from": first.isoformat()}
            found |= {one.id: one for one in await self._select(filters)}
        standing = [one for one in found.values() if not one.cancelled and one.starts_at.date() >= first]
        return tuple(sorted(standing, key=lambda one: one.starts_at.timestamp()))

    async def list_changed(self, since: datetime) -> tuple[Appointment, ...]:
        branch = await self._catalogue.get_branch()
        return tuple(await self._select({"changed_since": not_after(since, branch.zone), "with_cancelled": "1"}))

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        found = await self._select({"from": day.isoformat(), "to": day.isoformat()})
        standing = [one for one in found if not one.cancelled and one.starts_at.date() == day]
        return tuple(sorted(standing, key=lambda one: one.starts_at.timestamp()))

    async def _select(self, filters: dict[str, str]) -> list[Appointment]:
        facts = await self._catalogue.get_facts()
        return [facts.appointment(one) for one in await self._client.list_appointments(filters)]


def require_id(record_id: RecordId) -> None:
    """Raise CRMNotFound for what cannot be an id of this base: another CRM's names nothing here."""
    if not ID.fullmatch(record_id):
        raise CRMNotFound(f"no appointment {record_id!r}")


def _place(slot: Slot) -> dict[str, object]:
    """Return master, time and length as a write takes them. Raises CRMInvalid for a time no wall clock can name."""
    if not can_be_stated(slot.starts_at):
        raise CRMInvalid("this hour is shown twice, and its second showing cannot be told of to the base")
    minutes = slot.duration // timedelta(minutes=1)
    if minutes <= 0:
        raise CRMInvalid("the slot has no length")
    return {"staff_id": slot.staff.id, "start": wall_clock(slot.starts_at), "duration_min": minutes}
