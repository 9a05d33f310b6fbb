"""Intents and appointments as orchestration wants them: every step of a CRM write is a commit under the lease."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db.appointments import Appointments
from db.booking_records import BookedAppointment, Intent, IntentKind, IntentStatus, StaffTime
from db.care import ask_for_care
from db.clients import Clients
from db.engine import Database, Transaction
from db.intents import Intents
from db.records import BranchId, Claim, CompanyId, Dialogue
from db.reminders import ask_to_remind, take_back_reminders
from db.slot_claims import SlotClaims
from db.waiting_offers import free_visit
from db.work import Work
from orchestration.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteStores:
    """What the steps of a CRM write read and write."""

    database: Database
    work: Work
    intents: Intents
    appointments: Appointments
    slots: SlotClaims


class CommittedIntents:
    """The Intents port over the intents, slot_claims and appointments tables.

    A worker that was frozen past its lease and wakes up takes no step beside the one that took over: every step proves
    the lease in its own transaction first, and raises LeaseLost.
    """

    def __init__(self, stores: WriteStores, clock: Clock) -> None:
        self._database = stores.database
        self._work = stores.work
        self._intents = stores.intents
        self._appointments = stores.appointments
        self._slots = stores.slots
        self._clock = clock

    async def record(
        self,
        claim: Claim,
        *,
        intent_id: UUID,
        branch_id: BranchId,
        kind: IntentKind,
        external_id: str,
        action: Mapping[str, Any],
    ) -> Intent:
        """Record a confirmed write, or return the one that stands under this id already."""
        async with self._step(claim) as tx:
            standing = await self._intents.find(tx, intent_id)
            if standing is not None:
                return standing
            intent = Intent(
                id=intent_id,
                company_id=claim.company_id,
                dialogue_id=claim.dialogue_id,
                branch_id=branch_id,
                kind=kind,
                external_id=external_id,
                action=action,
                status=IntentStatus.CONFIRMED,
                created_at=self._clock(),
            )
            await self._intents.create(tx, intent)
            return intent

    async def find(self, dialogue: Dialogue, intent_id: UUID) -> Intent | None:
        """Return an intent of this dialogue."""
        async with self._database.company(dialogue.company_id) as tx:
            intent = await self._intents.find(tx, intent_id)
        return intent if intent is not None and intent.dialogue_id == dialogue.id else None

    async def mark_called(
        self,
        claim: Claim,
        intent_id: UUID,
        *,
        times: Mapping[UUID, StaffTime],
        held_for: timedelta,
        visit: str | None = None,
    ) -> bool:
        """Claim the times and mark the intent in one commit; False: one is somebody else's, and nothing changed."""
        now = self._clock()
        async with self._step(claim) as tx:
            if times and not await self._slots.take(tx, times, visit=visit, now=now, expires_at=now + held_for):
                return False
            await self._intents.mark_called(tx, intent_id, at=now)
            return True

    async def mark_done(
        self,
        claim: Claim,
        intent_id: UUID,
        *,
        crm_record_id: str,
        appointment: BookedAppointment | None,
        cancelled: bool,
    ) -> None:
        """Keep the outcome and the appointment's own row in one commit; the time that a visit left is free at once, and
        offered to those who wait for it."""
        async with self._step(claim) as tx:
            intent = await self._intents.find(tx, intent_id)
            left = await self._left(tx, intent, crm_record_id)
            if intent is not None and intent.kind is not IntentKind.CREATE:
                # Before the outcome makes this intent one of the visit's own: its new time stays claimed.
                await self._slots.release_visit(tx, intent.branch_id, crm_record_id)
            await self._intents.mark_done(tx, intent_id, crm_record_id=crm_record_id, at=self._clock())
            if appointment is not None:
                kept = await self._appointments.save(tx, appointment)
                await ask_to_remind(tx, kept, now=self._clock())
                await ask_for_care(tx, kept)
            if cancelled and intent is not None:
                await self._appointments.mark_cancelled(tx, intent.branch_id, crm_record_id)
            if left is not None:
                await take_back_reminders(tx, left)
                await free_visit(tx, left, now=self._clock())

    async def _left(self, tx: Transaction, intent: Intent | None, crm_record_id: str) -> BookedAppointment | None:
        """Return the appointment as it stood before this write; None where none left its time."""
        if intent is None or intent.kind is IntentKind.CREATE:
            return None
        held = await self._appointments.find_by_records(tx, intent.branch_id, [crm_record_id])
        return next((one for one in held if not one.cancelled), None)

    async def mark_refused(self, claim: Claim, intent_id: UUID, error: str) -> None:
        async with self._step(claim) as tx:
            await self._intents.mark_refused(tx, intent_id, error, at=self._clock())
            await self._slots.release(tx, intent_id)

    async def mark_unknown(self, claim: Claim, intent_id: UUID, error: str) -> None:
        async with self._step(claim) as tx:
            await self._intents.mark_unknown(tx, intent_id, error, at=self._clock())

    @asynccontextmanager
    async def _step(self, claim: Claim) -> AsyncIterator[Transaction]:
        """Open the transaction of one step: the lease is proved first, and stays ours to its end."""
        async with self._database.company(claim.company_id) as tx:
            await self._work.hold(tx, claim)
            yield tx


class BeingBooked:
    """The ClaimedTimes port: what some intent has claimed."""

    def __init__(self, database: Database, slots: SlotClaims, clock: Clock) -> None:
        self._database = database
        self._slots = slots
        self._clock = clock

    async def list_claimed(
        self, company_id: CompanyId, branch_id: BranchId, *, first: datetime, last: datetime
    ) -> Sequence[StaffTime]:
        """Return what is claimed now of the time between the two moments."""
        async with self._database.company(company_id) as tx:
            return await self._slots.list_claimed(tx, branch_id, first=first, last=last, now=self._clock())


class MadeHere:
    """The Appointments port: what a client's chats made themselves."""

    def __init__(self, database: Database, clients: Clients, appointments: Appointments, clock: Clock) -> None:
        self._database = database
        self._clients = clients
        self._appointments = appointments
        self._clock = clock

    async def list_made_here(self, dialogue: Dialogue) -> Sequence[BookedAppointment]:
        """Return the upcoming ones, whatever phone was typed for them."""
        async with self._database.company(dialogue.company_id) as tx:
            ids = await self._clients.list_dialogues(tx, dialogue)
            return await self._appointments.list_upcoming(tx, ids, now=self._clock())

    async def list_open(self, dialogue: Dialogue, phone: str, *, proved: bool) -> Sequence[BookedAppointment]:
        """Return what is ahead of this client, and of this number in other hands."""
        async with self._database.company(dialogue.company_id) as tx:
            ids = await self._clients.list_dialogues(tx, dialogue)
            return await self._appointments.list_open(tx, ids, phone, proved=proved, now=self._clock())

    async def list_cancelled_here(self, dialogue: Dialogue) -> Sequence[BookedAppointment]:
        """Return those that would be upcoming, were they not cancelled."""
        async with self._database.company(dialogue.company_id) as tx:
            ids = await self._clients.list_dialogues(tx, dialogue)
            return await self._appointments.list_upcoming(tx, ids, now=self._clock(), cancelled=True)

    async def find_next_with(
        self, company_id: CompanyId, branch_id: BranchId, *, staff_name: str, after: datetime
    ) -> datetime | None:
        """Return when the next one of this master begins, of those that we know."""
        async with self._database.company(company_id) as tx:
            return await self._appointments.find_next_with(tx, branch_id, staff_name=staff_name, after=after)
