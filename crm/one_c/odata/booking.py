"""Writing visits: checked right before, written once under a key of our own, looked at again, posted, read back.

1C's OData has no "only if free". Between the last check and the write somebody may book the same time, so the time is
read again after the write, and a document that overlaps another backs out: docs/crm-1c-odata.md says what remains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from crm.account import Clock
from crm.base import Appointment, Client, NewAppointment, Prepayment, RecordId, Service, Slot
from crm.errors import (
    CRMError,
    CRMInvalid,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMRateLimited,
    CRMUnavailable,
    CRMUnsupported,
    SlotTaken,
)
from crm.one_c.odata.catalogue import Catalogue
from crm.one_c.odata.client import ODataClient
from crm.one_c.odata.clients import Clients
from crm.one_c.odata.diary import Diary
from crm.one_c.odata.document import Booked, Form
from crm.one_c.odata.mapping import Mapping as BaseMapping
from crm.one_c.odata.own_keys import OwnKeys
from crm.one_c.odata.records import Records
from crm.one_c.odata.refusals import Changed, KeyTaken, PostingRefused
from crm.one_c.odata.slots import SlotSearch
from crm.phones import digits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What writing needs of the adapter's other parts."""

    client: ODataClient
    mapping: BaseMapping
    form: Form
    catalogue: Catalogue
    clients: Clients
    diary: Diary
    slots: SlotSearch
    records: Records
    own_keys: OwnKeys
    zone: ZoneInfo
    clock: Clock


class Booking:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._map = parts.mapping.appointments

    async def create(self, new: NewAppointment) -> Appointment:
        parts = self._parts
        services = await parts.catalogue.require_services(new.slot.service_ids)
        _refuse_prepaid(services)
        earlier = await self._find_earlier(new.external_id)
        if earlier is not None:
            return await self._as_before(earlier, new.external_id)
        await parts.slots.require_free(new.slot)
        card = await parts.clients.find_card(new.phone)
        card = card or await parts.clients.create_card(name=new.client_name, phone=new.phone)
        names: dict[str, str] = {one.id: one.title for one in services}
        names[new.slot.staff.id] = new.slot.staff.name
        prices = [one.terms_with(new.slot.staff.id).price for one in services]
        if len(prices) == 1 and new.slot.price is not None:
            prices = [new.slot.price]  # what the slot said and the client saw
        body = parts.form.new(new, client_id=card.id, prices=prices, now=parts.clock())
        private = (new.phone, digits_of(new.phone), new.client_name, new.comment)
        wanted = parts.own_keys.key_of(new.external_id)
        try:
            key = await parts.client.create("create", self._map.object, {"Ref_Key": wanted, **body}, private=private)
        except KeyTaken:
            return await self._as_before(await self._written(wanted), new.external_id)
        booked = await self._settled(key, private=private)
        await parts.own_keys.learn(honoured=key == wanted)
        return self._told(booked, new.external_id, names, card)

    async def find(self, external_id: str, day: date) -> Appointment | None:
        """Return the visit with our id. One that is not posted yet is what a crash left: it is finished."""
        booked = await self._parts.records.find(external_id)
        if booked is None or booked.starts.date() != day:
            return None
        if self._is_unfinished(booked):
            try:
                booked = await self._settled(booked.key)
            except (SlotTaken, PostingRefused):
                booked = await self._parts.records.get(booked.key)
        found = await self._parts.records.read_out(booked)
        return replace(found, external_id=external_id)

    async def move(self, record_id: RecordId, slot: Slot) -> Appointment:
        """Move a visit. One that stands there already is a success: a repeat of a move that was made."""
        parts = self._parts
        for last in (False, True):
            booked = await parts.records.get(record_id)
            if booked.cancelled:
                raise CRMNotFound(f"document {record_id} is cancelled")
            if sorted(slot.service_ids) != sorted(key for key, _ in booked.services):
                raise CRMInvalid(f"document {record_id} has other services than the slot")
            if self._stands_at(booked, slot):
                return await parts.records.read_out(await self._reposted(booked))
            await parts.slots.require_free(slot, but=booked.key)
            try:
                await self._write_over(booked, parts.form.moved(booked, slot))
            except Changed:
                if last:
                    raise
                continue
            return await self._moved(booked)
        raise AssertionError("the second pass returns or raises")

    async def cancel(self, record_id: RecordId) -> None:
        for last in (False, True):
            booked = await self._parts.records.get(record_id)
            if booked.cancelled:
                return
            repost = self._map.cancel == "status" and self._needs_posting(booked)
            try:
                await self._write_over(booked, self._parts.form.cancelled(), repost=repost)
            except Changed:
                if last:
                    raise
                continue
            return

    # ---- steps of a new one

    async def _find_earlier(self, external_id: str) -> Booked | None:
        try:
            return await self._parts.records.find(external_id)
        except CRMUnsupported:
            return None  # nothing of ours can be looked up in this base

    async def _as_before(self, booked: Booked, external_id: str) -> Appointment:
        """Return what an earlier try wrote; where it backed out or was cancelled since, its time is not to be had."""
        if booked.cancelled:
            raise SlotTaken("this booking was written once and taken back")
        if self._is_unfinished(booked):
            booked = await self._settled(booked.key)
        return replace(await self._parts.records.read_out(booked), external_id=external_id)

    async def _settled(self, key: str, *, private: tuple[str, ...] = ()) -> Booked:
        """Read a fresh document's time again, back out where it overlaps, else post it and return it as it stands.

        Raises SlotTaken or PostingRefused with the document taken back, CRMOutcomeUnknown where that is not known.
        """
        booked = await self._written(key)
        try:
            others = await self._parts.diary.others_at(booked)
        except (CRMUnavailable, CRMRateLimited) as error:
            raise CRMOutcomeUnknown(f"written, and whether the time was free could not be read: {error}") from error
        if any(not _comes_first(booked, other) for other in others):
            await self._take_back(booked)
            raise SlotTaken("somebody booked the same time at the same moment")
        if not self._map.posting:
            return booked
        try:
            await self._parts.client.post(self._map.object, key, private=private)
        except PostingRefused:
            await self._take_back(booked)
            raise
        with suppress(CRMError):
            return await self._parts.records.get(key)
        return replace(booked, posted=True)

    async def _written(self, key: str) -> Booked:
        """Read a document that is written by now: a failure here leaves open what stands."""
        try:
            return await self._parts.records.get(key)
        except (CRMUnavailable, CRMRateLimited, CRMNotFound) as error:
            raise CRMOutcomeUnknown(f"written, and could not be read back: {error}") from error

    async def _take_back(self, booked: Booked) -> None:
        try:
            await self._parts.client.change(
                "take_back", self._map.object, booked.key, self._parts.form.withdrawn(), version=booked.version
            )
        except CRMError as error:
            raise CRMOutcomeUnknown(f"the document could not be taken back: {error.code}: {error}") from error

    # ---- steps of a change

    async def _moved(self, before: Booked) -> Appointment:
        """Look at a move that is written: back where it came from if it overlaps, else as it stands."""
        booked = await self._written(before.key)
        try:
            others = await self._parts.diary.others_at(booked)
        except (CRMUnavailable, CRMRateLimited) as error:
            raise CRMOutcomeUnknown(f"moved, and whether the time was free could not be read: {error}") from error
        if others:
            await self._move_back(before, booked)
            raise SlotTaken("somebody booked the same time at the same moment")
        return await self._parts.records.read_out(booked)

    async def _move_back(self, before: Booked, booked: Booked) -> None:
        try:
            await self._write_over(booked, self._parts.form.back(before))
        except CRMError as error:
            raise CRMOutcomeUnknown(f"the move could not be taken back: {error.code}: {error}") from error

    async def _write_over(self, booked: Booked, body: Mapping[str, object], *, repost: bool | None = None) -> None:
        """Change a document as 1C wants it: a posted one is unposted, changed and posted anew.

        Without that its movements would stay as they were. Raises Changed where somebody wrote in between, the document
        posted again; CRMInvalid where its configuration would not post it as it is now, the change taken back.
        """
        client, name = self._parts.client, self._map.object
        posting = self._needs_posting(booked) if repost is None else repost
        version = booked.version
        if booked.posted:
            await client.unpost(name, booked.key)
            version = (await self._written(booked.key)).version
        try:
            await client.change("change", name, booked.key, body, version=version)
        except Changed:
            if booked.posted:
                await client.post(name, booked.key)
            raise
        if posting:
            await self._post_changed(booked, body)

    async def _post_changed(self, booked: Booked, body: Mapping[str, object]) -> None:
        client, name = self._parts.client, self._map.object
        try:
            await client.post(name, booked.key)
        except PostingRefused:
            now = await self._written(booked.key)
            back = self._parts.form.back(booked) if "DeletionMark" not in body else {"DeletionMark": False}
            try:
                await client.change("change_back", name, booked.key, back, version=now.version)
                if booked.posted:
                    await client.post(name, booked.key)
            except CRMError as error:
                raise CRMOutcomeUnknown(f"the change could not be taken back: {error.code}: {error}") from error
            raise

    async def _reposted(self, booked: Booked) -> Booked:
        """Post what a move that broke off left unposted."""
        if not self._is_unfinished(booked):
            return booked
        await self._parts.client.post(self._map.object, booked.key)
        return await self._written(booked.key)

    # ---- what is known of a document

    def _needs_posting(self, booked: Booked) -> bool:
        return booked.posted or self._map.posting

    def _is_unfinished(self, booked: Booked) -> bool:
        """Say whether it is ours and waits to be posted: a visit is posted as its last step."""
        return self._map.posting and not booked.posted and not booked.cancelled and booked.is_ours

    def _stands_at(self, booked: Booked, slot: Slot) -> bool:
        starts = booked.starts.replace(tzinfo=self._parts.zone)
        return starts == slot.starts_at and booked.staff_id == slot.staff.id

    def _told(self, booked: Booked, external_id: str, names: Mapping[str, str], card: Client) -> Appointment:
        """Return what was just written; nothing is asked any more, as an error here would say that it was not."""
        made = self._parts.records.appointment(booked, names, card)
        return replace(made, external_id=external_id)


def _refuse_prepaid(services: Sequence[Service]) -> None:
    for service in services:
        if service.prepayment is Prepayment.REQUIRED:
            raise CRMUnsupported(f"service {service.id} demands prepayment: a person books it")


def _comes_first(ours: Booked, other: Booked) -> bool:
    """Say whether ours stands and the other, one of ours too, backs out: the lower number was written earlier.

    A document made by hand always stands: a person cannot back out. Neither stands where a number is missing.
    """
    same = len(ours.number) == len(other.number)
    return other.is_ours and same and ours.number != "" and ours.number < other.number
