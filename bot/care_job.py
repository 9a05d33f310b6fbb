"""One claim of a dialogue between visits: its client is thanked after one, and invited to the next.

Rung when a visit is booked, moved or cancelled and when the client agrees to be invited again; due when the next of it
is. Before each message the visit is read in the CRM. That a visit's client is asked is kept under the visit's own name,
with one commit with the message: whatever crashes in between, nobody is asked twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.crm_following import read_record
from bot.outreach_figures import OUTREACH
from bot.recipients import Recipients
from bot.win_back import Invitations
from crm.base import Appointment, BaseCRMAdapter, Capability
from crm.errors import CRMError, CRMNotConfigured
from db.directory import Directory
from db.doorbell import Doorbell
from db.engine import Database, Transaction
from db.outbox import Outbox
from db.outreach import Outreach, writable
from db.outreach_log import OutreachLog
from db.outreach_records import ASKED, MessageKind, Rating
from db.ratings import Ratings
from db.records import Branch, Channel, Claim, Dialogue, WorkKind, new_id
from db.visits import Visits
from db.work import Work
from orchestration.care_rules import THANKED_WITHIN, ThanksPlan, Visit, not_thanked, plan_thanks, visits_of
from orchestration.outreach_rules import Verdict, Why, may_reach_out, may_write
from orchestration.outreach_texts import thanks_message
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.turns import TurnPostponed

log = structlog.get_logger()

LOOKED_BACK = timedelta(days=2)
"""No visit that began earlier is thanked for."""
AGAIN_AFTER_FAILURE, REST_AFTER_FAILURE = timedelta(minutes=5), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CareStores:
    database: Database
    work: Work
    outbox: Outbox
    directory: Directory
    doorbell: Doorbell


class CareJob:
    def __init__(self, stores: CareStores, scopes: CompanyScopes, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._clock = clock
        self._recipients = Recipients(stores.outbox)
        self._outreach = Outreach()
        self._visits = Visits()
        self._ratings = Ratings()
        self._log = OutreachLog()
        self._invitations = Invitations(stores.database, stores.work, self._recipients)

    async def __call__(self, claim: Claim) -> None:
        """Look after one client and commit. Raises LeaseLost, or TurnPostponed where the CRM fails."""
        stores = self._stores
        scope = await self._scopes.open(claim.company_id)
        if not scope.branches or not may_reach_out(scope.company):
            await self._rest(claim, until=self._clock() + REST_AFTER_FAILURE)
            return
        channels = await stores.directory.list_channels(claim.company_id)
        looks = [await self._thank(claim, scope, channels)]
        looks.append(await self._invitations.look(claim, scope, channels, self._clock()))
        await self._rest(claim, until=min((one for one in looks if one is not None), default=None))
        await stores.doorbell.ring(WorkKind.DELIVERY)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the reason."""

    async def give_up(self, claim: Claim) -> None:
        """Rest, and look again: what is too late by then is not said."""
        await self._rest(claim, until=self._clock() + REST_AFTER_FAILURE)

    async def _rest(self, claim: Claim, *, until: datetime | None) -> None:
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=until)

    async def _thank(self, claim: Claim, scope: CompanyScope, channels: Sequence[Channel]) -> datetime | None:
        """Thank for what is over; return when to look again. Raises TurnPostponed."""
        plan = await self._plan(claim, scope)
        looks = [plan.next_at] if plan.next_at is not None else []
        for visit in plan.due:
            branch = next((one for one in scope.branches if one.id == visit.records[0].branch_id), None)
            theirs = await self._read(scope, branch, visit)
            async with self._stores.database.company(claim.company_id) as tx:
                await self._stores.work.hold(tx, claim)
                outcome, again = await self._decide(tx, scope, branch, channels, visit, theirs)
            OUTREACH.labels(MessageKind.THANKS.value, outcome).inc()
            if again is not None:
                looks.append(again)
        return min(looks, default=None)

    async def _plan(self, claim: Claim, scope: CompanyScope) -> ThanksPlan:
        now = self._clock()
        async with self._stores.database.company(claim.company_id) as tx:
            records = await self._visits.list_from(tx, [claim.dialogue_id], since=now - LOOKED_BACK)
            # Whom we know no number of has been forgotten since, or never had one.
            visits = visits_of([one for one in records if one.phone])
            decided = await self._ratings.list_decided(tx, [one.key for one in visits])
        return plan_thanks(visits, decided, scope.agent.outreach, now=now)

    async def _read(
        self, scope: CompanyScope, branch: Branch | None, visit: Visit
    ) -> Sequence[Appointment | None] | None:
        """Read the visit's records as they stand; None where they cannot be read. Raises TurnPostponed."""
        crm = _open(scope, branch)
        if crm is None or Capability.LIST not in crm.capabilities:
            return None
        try:
            return [await read_record(crm, one.crm_record_id) for one in visit.records]
        except CRMError as error:
            log.warning("visit_not_read", crm=crm.manifest.type, code=error.code, error=str(error))
            raise TurnPostponed(AGAIN_AFTER_FAILURE, f"the CRM: {error.code}") from error

    async def _decide(
        self,
        tx: Transaction,
        scope: CompanyScope,
        branch: Branch | None,
        channels: Sequence[Channel],
        visit: Visit,
        theirs: Sequence[Appointment | None] | None,
    ) -> tuple[str, datetime | None]:
        """Keep whether the client of a visit is asked, and ask; return what came of it, and when to look again."""
        now = self._clock()
        if branch is None or theirs is None:
            # What cannot be read may not have taken place.
            return await self._skip(tx, visit, "unreadable"), None
        moved = _moved_to(visit, theirs)
        if moved is not None and moved + scope.agent.outreach.thank_you_after > now:
            # The watch on the CRM brings ours to it.
            return "moved", moved + scope.agent.outreach.thank_you_after
        if why := not_thanked(theirs):
            return await self._skip(tx, visit, why), None
        await self._log.take_turns(tx)
        dialogue = await self._outreach.find_dialogue(tx, visit.records[0].dialogue_id, writable(channels))
        verdict = await self._judge(tx, scope, branch, channels, dialogue, now)
        if dialogue is None or (verdict.why is not None and not _passes(verdict, visit, scope, now)):
            return await self._skip(tx, visit, (verdict.why or Why.UNREACHABLE).value), None
        if verdict.why is not None:
            return verdict.why.value, verdict.until
        rating = _rating(visit, ASKED)
        if not await self._ratings.decide(tx, rating, now=now):
            return "asked_before", None
        message = thanks_message(scope, dialogue, rating)
        await self._recipients.write(tx, dialogue, MessageKind.THANKS, visit.key, message, requested=False, now=now)
        return "sent", None

    async def _judge(
        self,
        tx: Transaction,
        scope: CompanyScope,
        branch: Branch,
        channels: Sequence[Channel],
        dialogue: Dialogue | None,
        now: datetime,
    ) -> Verdict:
        if dialogue is None:
            return Verdict(why=Why.UNREACHABLE)
        found = await self._recipients.look(tx, dialogue, MessageKind.THANKS, scope, branch, channels, now=now)
        quiet = scope.agent.quiet_hours
        return may_write(MessageKind.THANKS, found.recipient, requested=False, quiet=quiet, now=now)

    async def _skip(self, tx: Transaction, visit: Visit, why: str) -> str:
        await self._ratings.decide(tx, _rating(visit, why), now=self._clock())
        return why


def _rating(visit: Visit, outcome: str) -> Rating:
    first = visit.records[0]
    return Rating(
        id=new_id(),
        visit=visit.key,
        dialogue_id=first.dialogue_id,
        branch_id=first.branch_id,
        service_names=visit.service_names,
        staff_name=visit.staff_name,
        starts_at=visit.starts_at,
        outcome=outcome,
    )


def _moved_to(visit: Visit, theirs: Sequence[Appointment | None]) -> datetime | None:
    """Return when the visit is over where the CRM has it at a later time than we hold; None where it has not."""
    ends = [one.starts_at + one.duration for one in theirs if one is not None and not one.cancelled]
    latest = max(ends, default=visit.ends_at)
    return latest if latest > visit.ends_at else None


def _passes(verdict: Verdict, visit: Visit, scope: CompanyScope, now: datetime) -> bool:
    """Say whether what is in the way will be gone while a word of thanks is still one."""
    until = verdict.until
    last = visit.ends_at + scope.agent.outreach.thank_you_after + THANKED_WITHIN
    return until is not None and now < until < last


def _open(scope: CompanyScope, branch: Branch | None) -> BaseCRMAdapter | None:
    try:
        return scope.crm(branch.id) if branch is not None else None
    except CRMNotConfigured:
        return None
