"""Writing appointments: checked right before, written once, read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm.base import Appointment, NewAppointment, Prepayment, Price, RecordId, ServiceId, Slot, Staff
from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotFound,
    CRMRejected,
    CRMUnsupported,
    SlotTaken,
)
from crm.phones import digits_of, to_phone
from crm.prices import amount_of
from crm.yclients.catalogue import Catalogue
from crm.yclients.client import YclientsClient
from crm.yclients.clients import Clients
from crm.yclients.meaning import CAME, CONFIRMED, NO_SHOW, appointment_of
from crm.yclients.refusals import UnexplainedRefusal
from crm.yclients.slots import Found, SlotSearch
from crm.yclients.wire import WireRecord, WireRecordService


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a record does not say of itself."""

    zone: ZoneInfo
    currency: str | None
    titles: Mapping[str, str]

    def appointment(self, record: WireRecord, staff: Staff) -> Appointment:
        return appointment_of(record, zone=self.zone, currency=self.currency, titles=self.titles, staff=staff)


class Booking:
    def __init__(self, client: YclientsClient, catalogue: Catalogue, slots: SlotSearch, clients: Clients) -> None:
        self._client = client
        self._catalogue = catalogue
        self._slots = slots
        self._clients = clients

    async def create(self, new: NewAppointment) -> Appointment:
        await self._catalogue.require_services(new.slot.service_ids)
        await self._refuse_prepaid(new.slot.service_ids)
        card = await self._clients.find_card(new.phone)
        costs, facts = await self._costs(new.slot), await self._facts()
        time = await self._require_free(new.slot)
        length = time.duration or new.slot.duration
        if not length:
            raise CRMInvalid("the CRM does not say how long these services take")
        digits = digits_of(new.phone)
        body = {
            "staff_id": int(new.slot.staff.id),
            "services": [_priced(one, costs.get(one)) for one in new.slot.service_ids],
            # The vendor matches the card by phone and takes the name from here: the card's own keeps it as it is.
            "client": {"phone": digits, "name": (card.name if card else "") or new.client_name},
            "datetime": time.verbatim,
            "seance_length": int(length.total_seconds()),
            "save_if_busy": False,
            "send_sms": False,
            "comment": new.comment,
            "attendance": 0,
            "api_id": new.external_id,
        }
        try:
            record = await self._client.create_record(body, private=(new.phone, digits))
        except UnexplainedRefusal:
            await self._require_still_listed(new.slot)
            raise
        return await self._read_back(record, facts, new.slot.staff)

    async def move(self, record_id: RecordId, slot: Slot) -> Appointment:
        record = await self._client.get_record(record_id)
        if record.deleted:
            raise CRMNotFound(f"record {record_id} is cancelled")
        if record.activity_id not in ("", "0"):
            raise CRMUnsupported(f"record {record_id} belongs to a group event: a person moves it")
        if sorted(slot.service_ids) != sorted(one.id for one in record.services):
            raise CRMInvalid(f"record {record_id} has other services than the slot")
        facts = await self._facts()
        if record.starts_at() == slot.starts_at.replace(tzinfo=None) and record.master_id == slot.staff.id:
            return facts.appointment(record, slot.staff)  # a repeat of a move that was made
        client, private = _client_block(record)
        costs = await self._costs(slot) if record.master_id != slot.staff.id else {}
        time = await self._require_free(slot)
        body = _moved(record, slot, time, client, costs)
        try:
            await self._client.change_record(record_id, body, private=private)
        except UnexplainedRefusal:
            await self._require_still_listed(slot)
            raise
        moved = record.model_copy(
            update={
                "moment": slot.starts_at.replace(tzinfo=None),
                "staff": None,
                "staff_id": slot.staff.id,
                "seance_length": body["seance_length"],
            }
        )
        return await self._read_back(moved, facts, slot.staff)

    async def confirm(self, record_id: RecordId) -> None:
        """Say that the client comes. The whole record is written back: staff who change it in the same moment lose that
        change, so it is read right before."""
        record = await self._client.get_record(record_id)
        if record.deleted:
            raise CRMNotFound(f"record {record_id} is cancelled")
        if _attendance(record) in (CAME, NO_SHOW, CONFIRMED):
            return
        if record.activity_id not in ("", "0") or not record.as_stated() or not record.duration:
            raise CRMUnsupported(f"record {record_id} cannot be written back as it is")
        client, private = _client_block(record)
        body = {
            **_kept(record, client),
            "staff_id": int(record.master_id),
            "services": [_kept_service(one, None) for one in record.services],
            "datetime": record.as_stated(),
            "seance_length": int(record.duration / timedelta(seconds=1)),
            "attendance": CONFIRMED,
        }
        await self._client.change_record(record_id, body, private=private)

    async def cancel(self, record_id: RecordId) -> None:
        try:
            await self._client.delete_record(record_id)
        except CRMRejected:
            # What a repeated delete answers is not documented (404 is likely): the record itself tells.
            if not await self._is_gone(record_id):
                raise

    async def _is_gone(self, record_id: RecordId) -> bool:
        try:
            return (await self._client.get_record(record_id)).deleted
        except CRMNotFound:
            return True

    async def _refuse_prepaid(self, service_ids: Sequence[ServiceId]) -> None:
        for wire in (await self._catalogue.get_offered()).services:
            if wire.id in service_ids and wire.prepaid == Prepayment.REQUIRED:
                raise CRMUnsupported(f"service {wire.id} demands prepayment: it is booked on the CRM's own page")

    async def _require_free(self, slot: Slot) -> Found:
        """Ask the CRM for the time once more, then whether it would take the booking: lead time and rules included."""
        time = await self._slots.find_time(slot)
        moment = time.verbatim if time else slot.starts_at.isoformat()
        try:
            await self._client.check_booking(slot.service_ids, staff_id=slot.staff.id, moment=moment)
        except UnexplainedRefusal:
            await self._require_still_listed(slot)
            raise
        if time is None:
            raise SlotTaken("the time is no longer among the free ones")
        return time

    async def _require_still_listed(self, slot: Slot) -> None:
        """After a refusal without a number: raise SlotTaken where the time is not free any more."""
        if await self._slots.find_time(slot) is None:
            raise SlotTaken("refused, and the time is no longer among the free ones")

    async def _costs(self, slot: Slot) -> Mapping[ServiceId, Price]:
        """Return each service's price with the master; a lone service costs what the slot said and the client saw."""
        if len(slot.service_ids) == 1 and slot.price is not None:
            return {slot.service_ids[0]: slot.price}
        terms = await self._catalogue.get_terms(slot.staff.id)
        prices = {one: terms[one].price for one in slot.service_ids if one in terms}
        return {one: price for one, price in prices.items() if price is not None}

    async def _facts(self) -> Facts:
        """Return what turns a record into an appointment: got before a write, as nothing may fail after it."""
        branch, offered = await self._catalogue.get_branch(), await self._catalogue.get_offered()
        return Facts(zone=branch.zone, currency=branch.currency, titles={one.id: one.title for one in offered.services})

    async def _read_back(self, written: WireRecord, facts: Facts, staff: Staff) -> Appointment:
        """Return the record as it stands; where it cannot be read now, as the answer to the write gave it.

        The write is done by now: an error here would say that it was not.
        """
        with suppress(CRMError):
            written = await self._client.get_record(written.id)
        return facts.appointment(written, staff)


def _priced(service_id: ServiceId, price: Price | None) -> dict[str, Any]:
    """A service without a price may be stored at zero, so the price is sent; of a range, where it starts."""
    entry: dict[str, Any] = {"id": int(service_id)}
    if price is not None:
        amount = amount_of(price.low)
        entry |= {"first_cost": amount, "discount": 0, "cost": amount}
    return entry


def _client_block(record: WireRecord) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the record's client as a write takes it, and what of it must not stand in an error's text."""
    client = record.client
    if client is None:
        return {}, ()
    phone = to_phone(client.phone)
    if phone is None:
        # Written back without its phone the record would lose its client, or gain a masked one.
        raise CRMAuthFailed(f"record {record.id}: the user token has no right to see the client's phone")
    block = {"phone": digits_of(phone), "name": client.name}
    return block | ({"email": client.email} if client.email else {}), (phone, digits_of(phone))


def _moved(
    record: WireRecord, slot: Slot, time: Found, client: Mapping[str, str], costs: Mapping[ServiceId, Price]
) -> dict[str, Any]:
    """Build the full body: a partial change is not promised. Another master brings their own prices and length."""
    same_master = record.master_id == slot.staff.id
    length = record.duration if same_master and record.duration else time.duration or slot.duration
    return {
        **_kept(record, client),
        "staff_id": int(slot.staff.id),
        "services": [_kept_service(one, costs.get(ServiceId(one.id))) for one in record.services],
        "datetime": time.verbatim,
        "seance_length": int(length / timedelta(seconds=1)),
    }


def _kept(record: WireRecord, client: Mapping[str, str]) -> dict[str, Any]:
    """Return what of a record no write of ours changes."""
    body: dict[str, Any] = {
        "client": dict(client),
        "save_if_busy": False,
        "send_sms": False,
        "comment": record.comment,
        "attendance": _attendance(record),
        "api_id": record.api_id,
        "custom_color": record.custom_color,
        "record_labels": [label.id for label in record.record_labels],
        "custom_fields": record.custom_fields or {},
    }
    if record.sms_before is not None:
        body["sms_remain_hours"] = record.sms_before
    return body


def _attendance(record: WireRecord) -> int:
    return record.attendance or record.visit_attendance or 0


def _kept_service(service: WireRecordService, price: Price | None) -> dict[str, Any]:
    first = Decimal(str(amount_of(price.low))) if price else service.first_cost
    discount = service.discount or Decimal(0)
    cost = first * (100 - discount) / 100 if price and first is not None else service.cost
    entry: dict[str, Any] = {"id": int(service.id)}
    for name, value in (("first_cost", first), ("discount", service.discount), ("cost", cost)):
        if value is not None:
            entry[name] = int(value) if value == value.to_integral_value() else float(value)
    if service.amount is not None and service.amount != 1:
        entry["amount"] = int(service.amount)
    return entry
