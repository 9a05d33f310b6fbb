"""One claim of a branch: what its CRM told is looked into, and what it did not tell is swept.

A hint names records; what they are is read from the CRM itself, as are those that a sweep finds changed. Only our own
appointments follow, and only their clients are told, once: what we hold already is no news, our own writes included.
What staff made for a client of ours is taken in where the company reminds its clients (staff_visits.py).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog

from bot.crm_comments import CrmComments
from bot.crm_following import Following, read_record
from bot.staff_visits import StaffVisits, strange
from crm.base import Appointment, BaseCRMAdapter, Capability, Hook, RecordId
from crm.errors import CRMAuthFailed, CRMError, CRMInvalid, CRMNotConfigured, CRMUnsupported
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.crm_events import CrmEvents
from db.dialogues import Dialogues
from db.directory import Directory
from db.engine import Database, Transaction
from db.intents import Intents
from db.outbox import Outbox
from db.outreach import Outreach, writable
from db.records import Branch, BranchId, Claim, CrmHook
from db.slot_claims import SlotClaims
from db.waiting_list import WaitingList
from db.waiting_offers import free_time
from db.work import Work
from orchestration.crm_changes import as_it_stands, left_its_time
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStores:
    database: Database
    work: Work
    events: CrmEvents
    appointments: Appointments
    dialogues: Dialogues
    outbox: Outbox
    intents: Intents
    directory: Directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look into a branch found: our appointments, each with what stands in the CRM (None: nothing)."""

    at: datetime
    hooks: Sequence[CrmHook]
    found: Mapping[UUID, tuple[BookedAppointment, Appointment | None]]
    others: Sequence[Appointment]
    """What is not ours, for as far as it was read: nothing unless clients are reminded, or wait for a time."""
    swept_until: datetime


class CrmWatchJob:
    def __init__(self, stores: WatchStores, scopes: CompanyScopes, comments: CrmComments, clock: Clock) -> None:
        self._stores = stores
        self._comments = comments
        self._scopes = scopes
        self._clock = clock
        self._following = Following(
            appointments=stores.appointments, dialogues=stores.dialogues, outbox=stores.outbox, clock=clock
        )
        self._staff_visits = StaffVisits(appointments=stores.appointments, outreach=Outreach())
        self._slots = SlotClaims()

    async def __call__(self, claim: Claim) -> None:
        """Look into one branch and commit. Raises LeaseLost, or TurnPostponed where the CRM fails: nothing is lost."""
        branch_id = BranchId(claim.dialogue_id)
        scope = await self._scopes.open(claim.company_id)
        branch = next((one for one in scope.branches if one.id == branch_id), None)
        crm = _open(scope, branch)
        if branch is None or crm is None or Capability.LIST not in crm.capabilities:
            await self._rest(claim)
            return
        reminds = bool(scope.agent.reminders)
        try:
            seen = await self._look(claim, branch_id, crm, reminds=reminds)
        except CRMError as error:
            log.warning("crm_not_looked_into", crm=crm.manifest.type, code=error.code, error=str(error))
            raise TurnPostponed(AGAIN_AFTER_FAILURE, f"the CRM: {error.code}") from error
        every = await self._stores.directory.list_channels(claim.company_id)
        writers = {one.id: one for one in every}
        adopted = strange(seen.others, now=seen.at) if reminds else []
        channels = writable(every) if adopted else []
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.hold(tx, claim)
            news = [ours for ours, theirs in seen.found.values() if as_it_stands(ours, theirs) is not None]
            if await self._stores.intents.any_under_way(tx, news, since=seen.at - OWN_WRITES_TAKE):
                # It may be our own write that the CRM tells of, before the turn that makes it has said so.
                raise TurnPostponed(LOOK_AGAIN_IN, "a write of our own is under way")
            for ours, theirs in seen.found.values():
                if left_its_time(ours, theirs):
                    # A claim outlives the write that took it: whoever waits for the time would find it taken.
                    await self._slots.release_visit(tx, branch_id, ours.crm_record_id)
            for ours, theirs in seen.found.values():
                await self._following.follow(tx, scope, branch, crm, ours, theirs)
                await self._comments.heed(tx, scope, branch, writers, ours, theirs)
            await self._staff_visits.adopt(tx, branch, adopted, channels, now=seen.at)
            for one in seen.others:
                if one.cancelled:
                    await self._free(tx, branch_id, one, now=seen.at)
            await self._stores.events.erase(tx, branch_id, seen.hooks)
            await self._stores.events.set_swept_until(tx, branch_id, seen.swept_until)
            # Branches that were set up together must not sweep together for ever.
            due = seen.swept_until + _period(crm) * random.uniform(1.0, 1.1)  # noqa: S311 (jitter)
            await self._stores.work.done(tx, claim, next_due_at=seen.at if len(seen.hooks) == MOST_HOOKS else due)

    async def _free(self, tx: Transaction, branch_id: BranchId, gone: Appointment, *, now: datetime) -> None:
        """Keep the time of a cancelled record that is not ours, for those who wait for one."""
        await free_time(
            tx,
            branch_id,
            gone.id,
            staff_name=gone.staff.name,
            starts_at=gone.starts_at,
            duration=gone.duration,
            now=now,
        )

    async def _look(self, claim: Claim, branch_id: BranchId, crm: BaseCRMAdapter, *, reminds: bool) -> Seen:
        """Read what was told of, and where it is time everything that may have changed. Raises CRMError.

        `reminds`: what is not ours is of interest, as it is where anybody waits for a time.
        """
        stores, now = self._stores, self._clock()
        async with stores.database.company(claim.company_id) as tx:
            hooks = await stores.events.list_waiting(tx, branch_id, limit=MOST_HOOKS)
            swept_until = await stores.events.get_swept_until(tx, branch_id)
            records, readable = _told_of(crm, hooks)
            told = await stores.appointments.find_by_records(tx, branch_id, records)
            unread = await stores.appointments.list_longest_unread(tx, branch_id, now=now, limit=MOST_READ)
            waits = await WaitingList().anyone_waits(tx, branch_id, first=now.date() - timedelta(days=1), last=date.max)
        if readable:
            # What names no record may be about services or masters.
            await crm.forget(catalogue=not records)
        found = {ours.id: (ours, await read_record(crm, ours.crm_record_id)) for ours in told}
        others = await _read_others(crm, records, told) if reminds or waits else []
        if swept_until is not None and now - swept_until < _period(crm):
            return Seen(at=now, hooks=hooks, found=found, others=others, swept_until=swept_until)
        if Capability.CHANGES in crm.capabilities:
            since = max(swept_until or now, now - FURTHEST_BACK) - OVERLAP
            changed = await crm.list_changed(since)
            matched = await self._changed_since(claim, branch_id, changed)
            found |= matched
            known = {ours.crm_record_id for ours, _ in matched.values()}
            others += [one for one in changed if (reminds or waits) and one.id not in known]
        else:
            found |= {
                ours.id: (ours, await read_record(crm, ours.crm_record_id)) for ours in unread if ours.id not in found
            }
        return Seen(at=now, hooks=hooks, found=found, others=others, swept_until=now)

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


async def _read_others(
    crm: BaseCRMAdapter, records: Sequence[str], ours: Sequence[BookedAppointment]
) -> list[Appointment]:
    """Return those of the records, as they stand, that are not ours."""
    known = {one.crm_record_id for one in ours}
    read = [await read_record(crm, one) for one in records if one not in known]
    return [one for one in read if one is not None]
