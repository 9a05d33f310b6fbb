"""Intents and appointments as orchestration wants them: every step of a CRM write is a commit under the lease."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from db.appointments import Appointments
from db.engine import Database, Transaction
from db.intents import Intents
from db.records import BookedAppointment, BranchId, Claim, Dialogue, Intent, IntentKind, IntentStatus
from db.work import Work
from orchestration.ports import Clock


class CommittedIntents:
    """The Intents port over the intents and appointments tables.

    A worker that was frozen past its lease and wakes up takes no step beside the one that took over: every step proves
    the lease in its own transaction first, and raises LeaseLost.
    """

    def __init__(
        self, database: Database, work: Work, intents: Intents, appointments: Appointments, clock: Clock
    ) -> None:
        self._database = database
        self._work = work
        self._intents = intents
        self._appointments = appointments
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

    async def mark_called(self, claim: Claim, intent_id: UUID) -> None:
        async with self._step(claim) as tx:
            await self._intents.mark_called(tx, intent_id, at=self._clock())

    async def mark_done(
        self,
        claim: Claim,
        intent_id: UUID,
        *,
        crm_record_id: str,
        appointment: BookedAppointment | None,
        cancelled: bool,
    ) -> None:
        """Keep the outcome and the appointment's own row in one commit."""
        async with self._step(claim) as tx:
            intent = await self._intents.find(tx, intent_id)
            await self._intents.mark_done(tx, intent_id, crm_record_id=crm_record_id, at=self._clock())
            if appointment is not None:
                await self._appointments.save(tx, appointment)
            if cancelled and intent is not None:
                await self._appointments.mark_cancelled(tx, intent.branch_id, crm_record_id)

    async def mark_refused(self, claim: Claim, intent_id: UUID, error: str) -> None:
        async with self._step(claim) as tx:
            await self._intents.mark_refused(tx, intent_id, error, at=self._clock())

    async def mark_unknown(self, claim: Claim, intent_id: UUID, error: str) -> None:
        async with self._step(claim) as tx:
            await self._intents.mark_unknown(tx, intent_id, error, at=self._clock())

    @asynccontextmanager
    async def _step(self, claim: Claim) -> AsyncIterator[Transaction]:
        """Open the transaction of one step: the lease is proved first, and stays ours to its end."""
        async with self._database.company(claim.company_id) as tx:
            await self._work.hold(tx, claim)
            yield tx


class MadeHere:
    """The Appointments port: what a chat made itself."""

    def __init__(self, database: Database, appointments: Appointments, clock: Clock) -> None:
        self._database = database
        self._appointments = appointments
        self._clock = clock

    async def list_made_here(self, dialogue: Dialogue) -> Sequence[BookedAppointment]:
        """Return the upcoming ones, whatever phone was typed for them."""
        async with self._database.company(dialogue.company_id) as tx:
            return await self._appointments.list_upcoming(tx, dialogue.id, now=self._clock())
