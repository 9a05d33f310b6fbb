"""One claim of a company's waiting list: what became free is offered to those who wait, one after another.

Rung when a visit leaves its time and when an offer is answered; due again when one is over. What is free is read in the
CRM before each offer. An offer, the log of it, and the message go out with one commit, under the lease: whatever
crashes in between, nobody is offered the same time twice, and no time stands offered to two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from bot.outreach_figures import OUTREACH, WAITING_LIST
from bot.recipients import Addressee, Recipients
from crm.base import BaseCRMAdapter, Slot
from crm.errors import CRMError, CRMNotConfigured, CRMNotFound
from crm.purpose import Purpose, acting
from db.directory import Directory
from db.doorbell import Doorbell
from db.engine import Database, Transaction
from db.outbox import Outbox
from db.outreach_log import OutreachLog
from db.outreach_records import (
    FreedOutcome,
    FreedTime,
    MessageKind,
    OfferOutcome,
    WaitingEntry,
    WaitingOffer,
    WaitingStatus,
)
from db.records import Branch, Channel, Claim, WorkKind, new_id
from db.slot_claims import SlotClaims
from db.visits import Visits
from db.waiting_list import WaitingList
from db.waiting_offers import WaitingOffers
from db.work import Work
from orchestration.freed_slots import made_possible, read_free, wanted
from orchestration.outreach_rules import Verdict, Why, may_reach_out, may_write
from orchestration.outreach_texts import offer_message
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes

log = structlog.get_logger()

OFFER_LASTS = timedelta(minutes=15)
MOST_FREED, MOST_IN_LINE = 20, 200
AGAIN_AFTER_FAILURE, REST_AFTER_FAILURE = timedelta(minutes=1), timedelta(minutes=15)
PAUSED = timedelta(minutes=5)
"""While staff have paused the agent, a freed time waits so long until it is looked at again."""
BEING_BOOKED = timedelta(minutes=2)
"""A time that somebody is booking just now is looked at again so much later."""
_PASSING = frozenset({Why.NIGHT, Why.PERSON, Why.TALKING})
"""What is worth waiting for while a time is free; the others are passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingStores:
    database: Database
    work: Work
    outbox: Outbox
    directory: Directory
    doorbell: Doorbell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Next:
    """What came of one look at the line: a client and a slot, or when to look again; neither: nobody waits for it."""

    entry: WaitingEntry | None = None
    slot: Slot | None = None
    look_at: datetime | None = None


class WaitingJob:
    def __init__(self, stores: WaitingStores, scopes: CompanyScopes, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._clock = clock
        self._recipients = Recipients(stores.outbox)
        self._waiting = WaitingList()
        self._offers = WaitingOffers()
        self._visits = Visits()
        self._slots = SlotClaims()
        self._log = OutreachLog()

    async def __call__(self, claim: Claim) -> None:
        """Offer what is free and commit. Raises LeaseLost."""
        stores, now = self._stores, self._clock()
        scope = await self._scopes.open(claim.company_id)
        channels = await stores.directory.list_channels(claim.company_id)
        async with stores.database.company(claim.company_id) as tx:
            await stores.work.hold(tx, claim)
            await self._settle_overdue(tx, scope, now)
            # A branch's day may have begun, or not be over, when this one's is.
            await self._waiting.close_over(tx, now.date() - timedelta(days=1), now=now)
            freed = await self._offers.list_freed(tx, limit=MOST_FREED)
        if may_reach_out(scope.company):
            looks = [await self._pass_on(claim, scope, channels, one) for one in freed]
        else:
            looks = [now + PAUSED] if freed else []
        async with stores.database.company(claim.company_id) as tx:
            looks.append(await self._offers.next_due(tx))
            if len(freed) == MOST_FREED:
                looks.append(now + AGAIN_AFTER_FAILURE)
            await stores.work.done(tx, claim, next_due_at=min((one for one in looks if one), default=None))

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the reason, and what is free stays."""

    async def give_up(self, claim: Claim) -> None:
        """Rest, and look again."""
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=self._clock() + REST_AFTER_FAILURE)

    async def _settle_overdue(self, tx: Transaction, scope: CompanyScope, now: datetime) -> None:
        """Say what became of offers whose time is up: booked meanwhile, or let pass."""
        for offer in await self._offers.list_overdue(tx, now=now):
            branch = _branch_of(scope, offer.entry)
            booked = branch is not None and await self._was_booked(tx, offer.entry, branch, since=offer.offered_at)
            outcome = OfferOutcome.BOOKED if booked else OfferOutcome.EXPIRED
            await self._offers.settle(tx, offer.id, outcome)
            WAITING_LIST.labels(outcome.value).inc()
            if booked:
                await self._waiting.close(tx, WaitingStatus.BOOKED, now=now, entries=[offer.entry.id])
                await self._offers.close(tx, offer.freed_id, FreedOutcome.BOOKED, now=now)

    async def _pass_on(
        self, claim: Claim, scope: CompanyScope, channels: Sequence[Channel], freed: FreedTime
    ) -> datetime | None:
        """Offer one freed time to the next in line; return when to look at it again."""
        stores, now = self._stores, self._clock()
        branch = next((one for one in scope.branches if one.id == freed.branch_id), None)
        crm = _open(scope, branch)
        over = freed.starts_at <= now
        offers_any = scope.agent.outreach.waiting_list
        if branch is None or crm is None or over or not offers_any:
            await self._close(claim, freed, FreedOutcome.PAST if over else FreedOutcome.NOBODY)
            return None
        try:
            following = await self._find_next(claim, scope, branch, crm, channels, freed)
        except CRMError as error:
            log.warning("freed_time_not_read", crm=crm.manifest.type, code=error.code, error=str(error))
            return now + AGAIN_AFTER_FAILURE
        if following.entry is None or following.slot is None:
            if following.look_at is None:
                await self._close(claim, freed, FreedOutcome.NOBODY)
            return following.look_at
        async with stores.database.company(claim.company_id) as tx:
            await stores.work.hold(tx, claim)
            offer = await self._offer(tx, scope, branch, channels, freed, following.entry, following.slot)
        if offer is None:
            # They left, were erased or were written to since they were looked at: the next look finds whoever is next.
            return now + timedelta(seconds=1)
        OUTREACH.labels(MessageKind.OFFER.value, "sent").inc()
        log.info("time_offered", branch_id=str(branch.id))
        await stores.doorbell.ring(WorkKind.DELIVERY)
        return offer.expires_at

    async def _find_next(
        self,
        claim: Claim,
        scope: CompanyScope,
        branch: Branch,
        crm: BaseCRMAdapter,
        channels: Sequence[Channel],
        freed: FreedTime,
    ) -> _Next:
        """Find the first in line who may be told, and for whom there is a slot in this time. Raises CRMError."""
        now, zone, looks = self._clock(), ZoneInfo(branch.time_zone), list[datetime]()
        # Many wait for the same: the CRM is asked for it once.
        free: dict[tuple[tuple[str, ...], str | None], list[Slot]] = {}
        day = freed.starts_at.astimezone(zone).date()
        async with self._stores.database.company(claim.company_id) as tx:
            line = await self._waiting.list_in_line(tx, freed.id, branch.id, day, limit=MOST_IN_LINE)
        for entry in line:
            async with self._stores.database.company(claim.company_id) as tx:
                if await self._was_booked(tx, entry, branch, since=entry.created_at):
                    await self._stores.work.hold(tx, claim)
                    await self._waiting.close(tx, WaitingStatus.BOOKED, now=now, entries=[entry.id])
                    continue
                _, verdict = await self._judge(tx, scope, branch, channels, entry)
                claimed = await self._slots.list_claimed(
                    tx, branch.id, first=freed.starts_at, last=freed.starts_at + freed.duration, now=now
                )
            if verdict.why is not None:
                OUTREACH.labels(MessageKind.OFFER.value, verdict.why.value).inc()
                if verdict.why in _PASSING and verdict.until is not None:
                    looks.append(verdict.until)
                continue
            asked = (entry.service_ids, entry.staff_id)
            if asked not in free:
                free[asked] = await _read_free(crm, entry, freed, zone, now)
            slots = wanted(free[asked], entry, zone)
            slot = made_possible(slots, freed, claimed, branch)
            if slot is not None:
                return _Next(entry=entry, slot=slot)
            if made_possible(slots, freed, (), branch) is not None:
                looks.append(now + BEING_BOOKED)
        return _Next(look_at=min(looks, default=None))

    async def _judge(
        self, tx: Transaction, scope: CompanyScope, branch: Branch, channels: Sequence[Channel], entry: WaitingEntry
    ) -> tuple[Addressee | None, Verdict]:
        """Decide whether this client may be told now."""
        now = self._clock()
        found = await self._recipients.find(tx, entry.dialogue_id, MessageKind.OFFER, scope, branch, channels, now=now)
        if found is None:
            return None, Verdict(why=Why.UNREACHABLE)
        requested = await self._waiting.count_offers(tx, entry) == 0
        quiet = scope.agent.quiet_hours
        return found, may_write(MessageKind.OFFER, found.recipient, requested=requested, quiet=quiet, now=now)

    async def _offer(
        self,
        tx: Transaction,
        scope: CompanyScope,
        branch: Branch,
        channels: Sequence[Channel],
        freed: FreedTime,
        chosen: WaitingEntry,
        slot: Slot,
    ) -> WaitingOffer | None:
        """Make the offer, if everything still stands as it was looked at."""
        now = self._clock()
        await self._log.take_turns(tx)
        entry = await self._waiting.lock(tx, chosen.id)
        if entry is None or not await self._offers.is_free(tx, freed.id):
            return None
        found, verdict = await self._judge(tx, scope, branch, channels, entry)
        if found is None or verdict.why is not None:
            return None
        requested = await self._waiting.count_offers(tx, entry) == 0
        offer = WaitingOffer(
            id=new_id(),
            freed_id=freed.id,
            entry=entry,
            staff_id=slot.staff.id,
            starts_at=slot.starts_at,
            offered_at=now,
            expires_at=now + OFFER_LASTS,
        )
        await self._offers.add(tx, offer)
        message = offer_message(scope, branch, found.dialogue, offer, slot)
        subject = _subject(offer.freed_id, entry.id)
        sent = await self._recipients.write(
            tx, found.dialogue, MessageKind.OFFER, subject, message, requested=requested, now=now
        )
        if not sent:
            raise AssertionError("the offer's own key has let it through")
        return offer

    async def _was_booked(self, tx: Transaction, entry: WaitingEntry, branch: Branch, *, since: datetime) -> bool:
        """Say whether the client has booked a visit in the days that they wait for, since that moment."""
        zone = ZoneInfo(branch.time_zone)
        return await self._visits.was_booked(
            tx,
            await self._recipients.dialogues_of(tx, entry.dialogue_id),
            branch.id,
            made_since=since,
            first=datetime.combine(entry.first_day, time(), zone),
            last=datetime.combine(entry.last_day + timedelta(days=1), time(), zone),
        )

    async def _close(self, claim: Claim, freed: FreedTime, outcome: FreedOutcome) -> None:
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.hold(tx, claim)
            await self._offers.close(tx, freed.id, outcome, now=self._clock())


async def _read_free(
    crm: BaseCRMAdapter, entry: WaitingEntry, freed: FreedTime, zone: ZoneInfo, now: datetime
) -> list[Slot]:
    """Ask the CRM; of a service or a master that is offered no more nothing is free for whoever waits for it."""
    try:
        with acting(Purpose.REFRESH):
            return await read_free(crm, entry, freed.starts_at, zone=zone, now=now)
    except CRMNotFound:
        return []


def _branch_of(scope: CompanyScope, entry: WaitingEntry) -> Branch | None:
    return next((one for one in scope.branches if one.id == entry.branch_id), None)


def _open(scope: CompanyScope, branch: Branch | None) -> BaseCRMAdapter | None:
    try:
        return scope.crm(branch.id) if branch is not None else None
    except CRMNotConfigured:
        return None


def _subject(freed_id: UUID, entry_id: UUID) -> str:
    return f"{freed_id} {entry_id}"
