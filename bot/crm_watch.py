"""One claim of a branch: what its CRM told is looked into, and what it did not tell is swept.

A hint names records; what they are is read from the CRM itself, as are those that a sweep finds changed. Only our own
appointments follow, and only their clients are told, once: what we hold already is no news, our own writes included.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter

from bot.sick_cancellations import CancelledDays
from crm.base import Appointment, BaseCRMAdapter, Capability, Hook, RecordId
from crm.errors import CRMAuthFailed, CRMError, CRMInvalid, CRMNotConfigured, CRMNotFound, CRMUnsupported
from crm.purpose import Purpose, acting
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.crm_events import CrmEvents
from db.dialogues import Dialogues
from db.engine import Database, Transaction
from db.intents import Intents
from db.outbox import Outbox
from db.records import Branch, BranchId, Claim, CrmHook
from db.work import Work
from orchestration.crm_changes import as_it_stands, told_to_client
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.turns import TurnPostponed

log = structlog.get_logger()

MOST_HOOKS, MOST_READ = 100, 50
SWEEP_EVERY = timedelta(minutes=5)
SWEEP_EVERY_WITH_HOOKS = timedelta(minutes=15)
OVERLAP = timedelta(minutes=5)
"""Changes of the last minutes before a sweep are asked for again: clocks differ, and a change may be committed late."""
FURTHEST_BACK = timedelta(days=2)
AGAIN_AFTER_FAILURE, REST_AFTER_FAILURE = timedelta(minutes=1), timedelta(minutes=15)
LOOK_AGAIN_IN, OWN_WRITES_TAKE = timedelta(seconds=5), timedelta(minutes=15)
CHANGES = Counter("ai_admin_crm_changes", "Appointments of ours that were changed in the CRM.", ["crm", "change"])


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStores:
    database: Database
    work: Work
    events: CrmEvents
    appointments: Appointments
    dialogues: Dialogues
    outbox: Outbox
    intents: Intents


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look into a branch found: our appointments, each with what stands in the CRM (None: nothing)."""

    at: datetime
    hooks: Sequence[CrmHook]
    found: Mapping[UUID, tuple[BookedAppointment, Appointment | None]]
    swept_until: datetime


class CrmWatchJob:
    def __init__(self, stores: WatchStores, scopes: CompanyScopes, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._clock = clock
        self._cancelled = CancelledDays(stores.outbox)

    async def __call__(self, claim: Claim) -> None:
        """Look into one branch and commit. Raises LeaseLost, or TurnPostponed where the CRM fails: nothing is lost."""
        branch_id = BranchId(claim.dialogue_id)
        scope = await self._scopes.open(claim.company_id)
        branch = next((one for one in scope.branches if one.id == branch_id), None)
        crm = _open(scope, branch)
        if branch is None or crm is None or Capability.LIST not in crm.capabilities:
            await self._rest(claim)
            return
        try:
            seen = await self._look(claim, branch_id, crm)
        except CRMError as error:
            log.warning("crm_not_looked_into", crm=crm.manifest.type, code=error.code, error=str(error))
            raise TurnPostponed(AGAIN_AFTER_FAILURE, f"the CRM: {error.code}") from error
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.hold(tx, claim)
            news = [ours for ours, theirs in seen.found.values() if as_it_stands(ours, theirs) is not None]
            if await self._stores.intents.any_under_way(tx, news, since=seen.at - OWN_WRITES_TAKE):
                # It may be our own write that the CRM tells of, before the turn that makes it has said so.
                raise TurnPostponed(LOOK_AGAIN_IN, "a write of our own is under way")
            for ours, theirs in seen.found.values():
                await self._follow(tx, scope, branch, crm, ours, theirs)
            await self._stores.events.erase(tx, branch_id, seen.hooks)
            await self._stores.events.set_swept_until(tx, branch_id, seen.swept_until)
            # Branches that were set up together must not sweep together for ever.
            due = seen.swept_until + _period(crm) * random.uniform(1.0, 1.1)  # noqa: S311 (jitter)
            await self._stores.work.done(tx, claim, next_due_at=seen.at if len(seen.hooks) == MOST_HOOKS else due)

    async def _look(self, claim: Claim, branch_id: BranchId, crm: BaseCRMAdapter) -> Seen:
        """Read what was told of, and where it is time everything that may have changed. Raises CRMError."""
        stores, now = self._stores, self._clock()
        async with stores.database.company(claim.company_id) as tx:
            hooks = await stores.events.list_waiting(tx, branch_id, limit=MOST_HOOKS)
            swept_until = await stores.events.get_swept_until(tx, branch_id)
            records, readable = _told_of(crm, hooks)
            told = await stores.appointments.find_by_records(tx, branch_id, records)
            unread = await stores.appointments.list_longest_unread(tx, branch_id, now=now, limit=MOST_READ)
        if readable:
            # What names no record may be about services or masters.
            await crm.forget(catalogue=not records)
        found = {ours.id: (ours, await _read(crm, ours)) for ours in told}
        if swept_until is not None and now - swept_until < _period(crm):
            return Seen(at=now, hooks=hooks, found=found, swept_until=swept_until)
        if Capability.CHANGES in crm.capabilities:
            since = max(swept_until or now, now - FURTHEST_BACK) - OVERLAP
            found |= await self._changed_since(claim, branch_id, await crm.list_changed(since))
        else:
            found |= {ours.id: (ours, await _read(crm, ours)) for ours in unread if ours.id not in found}
        return Seen(at=now, hooks=hooks, found=found, swept_until=now)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the reason, and the hints wait."""

    async def give_up(self, claim: Claim) -> None:
        """Let a branch rest that fails for a reason of ours; what its CRM told waits."""
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=self._clock() + REST_AFTER_FAILURE)

    async def _rest(self, claim: Claim) -> None:
        """Wait for the next ring: there is nothing here that could be looked into."""
        branch_id = BranchId(claim.dialogue_id)
        async with self._stores.database.company(claim.company_id) as tx:
            hooks = await self._stores.events.list_waiting(tx, branch_id, limit=MOST_HOOKS)
            await self._stores.events.erase(tx, branch_id, hooks)
            await self._stores.work.done(tx, claim)

    async def _changed_since(
        self, claim: Claim, branch_id: BranchId, changed: Sequence[Appointment]
    ) -> dict[UUID, tuple[BookedAppointment, Appointment | None]]:
        """Match what has changed with what is ours."""
        by_record = {one.id: one for one in changed}
        async with self._stores.database.company(claim.company_id) as tx:
            ours = await self._stores.appointments.find_by_records(tx, branch_id, list(by_record))
        return {one.id: (one, by_record[RecordId(one.crm_record_id)]) for one in ours}

    async def _follow(
        self,
        tx: Transaction,
        scope: CompanyScope,
        branch: Branch,
        crm: BaseCRMAdapter,
        read: BookedAppointment,
        theirs: Appointment | None,
    ) -> None:
        """Bring our appointment to what stands in the CRM, and tell its client."""
        held = await self._stores.appointments.find_by_records(tx, branch.id, [read.crm_record_id], locked=True)
        ours = held[0] if held else None
        if ours is None or ours != read:
            return  # changed by ourselves since it was read: the next sweep looks again
        now = as_it_stands(ours, theirs)
        if now is None:
            await self._stores.appointments.mark_read(tx, [ours.id])
            return
        await self._stores.appointments.save(tx, now)
        change = "cancelled" if now.cancelled else "moved" if now.starts_at != ours.starts_at else "other"
        CHANGES.labels(crm.manifest.type, change).inc()
        log.info("crm_change_followed", change=change, branch_id=str(branch.id))
        if change == "cancelled":
            await self._cancelled.saw(tx, scope, branch, ours, now=self._clock())
        if not scope.agent.tell_of_crm_changes:
            return
        dialogue = await self._stores.dialogues.find_dialogue(tx, ours.dialogue_id)
        if dialogue is None:
            return
        message = told_to_client(scope, branch, dialogue, ours, now, at=self._clock())
        if message is not None:
            await self._stores.outbox.put(tx, dialogue, [message], turn_id=None)


def _period(crm: BaseCRMAdapter) -> timedelta:
    return SWEEP_EVERY_WITH_HOOKS if Capability.HOOKS in crm.capabilities else SWEEP_EVERY


def _open(scope: CompanyScope, branch: Branch | None) -> BaseCRMAdapter | None:
    try:
        return scope.crm(branch.id) if branch is not None else None
    except CRMNotConfigured:
        return None


def _told_of(crm: BaseCRMAdapter, hooks: Sequence[CrmHook]) -> tuple[list[str], bool]:
    """Return the records that the hints name, and whether one of them is a hint of this CRM at all.

    What is none, or carries a wrong secret, names nothing.
    """
    named: dict[str, None] = {}
    readable = False
    for hook in hooks:
        try:
            told = crm.read_hook(Hook(content_type=hook.content_type, body=hook.body, headers=hook.headers))
        except (CRMInvalid, CRMAuthFailed, CRMUnsupported) as error:
            log.warning("crm_hook_refused", crm=crm.manifest.type, code=error.code)
            continue
        named |= dict.fromkeys(told)
        readable = True
    return list(named), readable


async def _read(crm: BaseCRMAdapter, ours: BookedAppointment) -> Appointment | None:
    """Return the record as it stands; None where the CRM has erased it."""
    try:
        with acting(Purpose.REFRESH):
            return await crm.get_appointment(RecordId(ours.crm_record_id))
    except CRMNotFound:
        return None
