"""One write to a CRM: intent recorded -> CRM called -> outcome kept. Also after a crash.

Every step before the CRM is committed by itself, so that whoever handles the same yes again (another worker, a repeated
update) finds how far it went: a call that may have gone through is looked up first, and a lookup that finds nothing
proves nothing before the first call's own time limit has passed. Every step proves the turn's lease first: a worker
that was frozen past its lease takes none when it wakes (LeaseLost), and so does not call the CRM.

What remains: a CRM knows no fence, so the call itself carries none. Its time limit begins before the intent is marked
as called, and a process that wakes after the limit drops the call; but one that is frozen for longer than CALL_LIMIT
between that committed mark and the HTTP request, just as it sends it, still sends it when it wakes, and by then another
worker may have made the same call. The same where the hosts' clocks differ by that much.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog

from crm.base import BaseCRMAdapter, RecordId
from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMRateLimited,
    CRMRejected,
    CRMUnavailable,
    CRMUnsupported,
    SlotTaken,
)
from db.booking_records import Intent as Recorded
from db.booking_records import IntentKind, IntentStatus, StaffTime
from db.records import Branch
from orchestration.ports import Intents
from orchestration.turns import Turn, TurnPostponed
from orchestration.writes import Made, Write, booked_appointment, call_crm, can_look_up, find_made

log = structlog.get_logger()

CALL_LIMIT = timedelta(seconds=40)
"""No write to a CRM lasts longer than this."""
GIVE_UP_AFTER = timedelta(minutes=10)
"""When it still cannot be found out whether a write went through, a person is told."""
ASK_AGAIN_IN = timedelta(seconds=15)
TIME_HELD_FOR = GIVE_UP_AFTER + timedelta(minutes=5)
"""How long a time is claimed from each call of the CRM: longer than anything may still come of that call.

A claim is given back when the write is refused or the visit leaves the time again, and not when it stands: whoever read
the free times before the CRM kept the visit, or reads a list of them that is behind, still cannot call the CRM for it.
"""


_REFUSALS: Mapping[str, type[CRMError]] = {
    kind.code: kind
    for kind in (
        SlotTaken,
        CRMNotFound,
        CRMInvalid,
        CRMRejected,
        CRMUnsupported,
        CRMAuthFailed,
        CRMRateLimited,
        CRMUnavailable,
    )
}
"""What a refusal that was recorded is told as again."""


class NeverKnown(Exception):
    """It cannot be found out whether the CRM made a write. A person looks; it is never tried again."""


class RecordedWrites:
    """Makes writes, each at most once."""

    def __init__(self, intents: Intents) -> None:
        self._intents = intents

    async def record(self, turn: Turn, branch: Branch, write: Write) -> Recorded:
        """Record a write before anything is done about it, or return how far it went."""
        return await self._intents.record(
            turn.claim,
            intent_id=write.id,
            branch_id=branch.id,
            kind=write.kind,
            external_id=write.external_id,
            action=write.proposal.model_dump(mode="json"),
        )

    async def refuse(self, turn: Turn, write: Write, why: str) -> None:
        """Say that nothing was written and nothing will be; its time is free again."""
        await self._intents.mark_refused(turn.claim, write.id, why)

    async def make(
        self, turn: Turn, branch: Branch, write: Write, recorded: Recorded, times: Mapping[UUID, StaffTime]
    ) -> Made:
        """Go on from wherever this write stands. `times`: what is claimed before the call, for the whole visit.

        Raises CRMError where nothing was written (to be recorded by `refuse`), NeverKnown, or TurnPostponed where it
        is too early to tell.
        """
        crm = turn.scope.crm(branch.id)
        match recorded.status:
            case IntentStatus.DONE:
                return Made(write=write, record_id=RecordId(recorded.crm_record_id or ""))
            case IntentStatus.REFUSED:
                raise _REFUSALS.get(recorded.error or "", SlotTaken)("refused before")
            case IntentStatus.UNKNOWN:
                raise NeverKnown(recorded.error or "could not be looked up")
            case IntentStatus.CALLED:
                return await self._look_up(turn, branch, write, recorded, times, crm)
            case IntentStatus.CONFIRMED:
                return await self._call(turn, branch, write, times, crm)

    async def _look_up(
        self,
        turn: Turn,
        branch: Branch,
        write: Write,
        recorded: Recorded,
        times: Mapping[UUID, StaffTime],
        crm: BaseCRMAdapter,
    ) -> Made:
        """Find out whether an earlier call went through, before anything else."""
        called_at = recorded.called_at or recorded.created_at
        if turn.now - called_at > GIVE_UP_AFTER or not can_look_up(crm, write):
            await self._intents.mark_unknown(turn.claim, write.id, "could not be looked up")
            raise NeverKnown("could not be looked up")
        try:
            found = await find_made(turn, write, branch, crm)
        except CRMRejected:
            raise
        except CRMError as error:
            raise TurnPostponed(ASK_AGAIN_IN, f"lookup: {error.code}") from error
        if found is not None:
            return await self._keep(turn, branch, found)
        passed = turn.now - called_at
        if passed < CALL_LIMIT:
            raise TurnPostponed(CALL_LIMIT - passed, "the first call may still be under way")
        return await self._call(turn, branch, write, times, crm)

    async def _call(
        self, turn: Turn, branch: Branch, write: Write, times: Mapping[UUID, StaffTime], crm: BaseCRMAdapter
    ) -> Made:
        try:
            async with asyncio.timeout(CALL_LIMIT.total_seconds()):
                await self._claim_times(turn, write, times)
                made = await call_crm(turn, write, branch, crm)
        except (TimeoutError, CRMOutcomeUnknown) as error:
            log.warning("crm_outcome_unknown", operation=write.kind, error=str(error))
            made_after_all = await self._find_after_all(turn, branch, write, crm)
            if made_after_all is None:
                raise TurnPostponed(CALL_LIMIT, "outcome unknown") from error
            made = made_after_all
        return await self._keep(turn, branch, made)

    async def _find_after_all(self, turn: Turn, branch: Branch, write: Write, crm: BaseCRMAdapter) -> Made | None:
        """Look at once: a record that is found is proof; one that is not found is none before the limit has passed."""
        try:
            return await find_made(turn, write, branch, crm) if can_look_up(crm, write) else None
        except CRMError as error:
            log.warning("crm_lookup_failed", code=error.code)
            return None

    async def _claim_times(self, turn: Turn, write: Write, times: Mapping[UUID, StaffTime]) -> None:
        """Mark the intent as called, with a claim on the times. Raises SlotTaken where somebody else has one."""
        moved = write.record_id if write.kind is IntentKind.MOVE else None
        called = await self._intents.mark_called(turn.claim, write.id, times=times, held_for=TIME_HELD_FOR, visit=moved)
        if not called:
            raise SlotTaken("somebody else is booking this time")

    async def _keep(self, turn: Turn, branch: Branch, made: Made) -> Made:
        booked = booked_appointment(turn, branch, made)
        await self._intents.mark_done(
            turn.claim, made.write.id, crm_record_id=made.record_id, appointment=booked, cancelled=booked is None
        )
        return made
