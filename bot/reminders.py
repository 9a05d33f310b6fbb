"""One claim of an appointment: its client is reminded of it, and the CRM is told what they say to that.

Rung whenever an appointment is made, moved or answered, and due again when the next reminder is. Before each the
appointment is read in the CRM; one that cannot be read is not reminded of. That a reminder is sent is committed
together with the reply in the outbox, under the lease and under a key that only one transaction can ever take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from bot.crm_following import Following, read_record
from crm.base import Appointment, BaseCRMAdapter, Capability, RecordId
from crm.errors import (
    CRMError,
    CRMNotConfigured,
    CRMOutcomeUnknown,
    CRMRateLimited,
    CRMRejected,
    CRMUnavailable,
    CRMUnsupported,
)
from crm.purpose import Purpose, acting
from db.appointments import Appointments
from db.booking_records import BookedAppointment, ReminderState
from db.clients import Clients
from db.dialogues import Dialogues
from db.directory import Directory
from db.doorbell import Doorbell
from db.engine import Database, Transaction
from db.intents import Intents
from db.outbox import Outbox
from db.outreach import Outreach, writable
from db.records import Author, Branch, ChannelId, Claim, Dialogue, HistoryMessage, WorkKind, new_id
from db.reminders import Reminders
from db.work import Work
from locales import Translator
from orchestration.crm_changes import as_it_stands
from orchestration.ports import Clock
from orchestration.reminders import Plan, client_zone, plan, reminder
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.turns import TurnPostponed
from orchestration.writes import visit_of

log = structlog.get_logger()

AGAIN_AFTER_FAILURE, REST_AFTER_FAILURE = timedelta(minutes=2), timedelta(minutes=30)
LOOK_AGAIN_IN, OWN_WRITES_TAKE = timedelta(seconds=5), timedelta(minutes=15)
IN_CONVERSATION = timedelta(minutes=10)
"""Who wrote so lately is being answered, and an open question lives as long: a reminder would come between it and its
answer."""
REMINDERS = Counter("ai_admin_reminders", "What became of reminders that were due.", ["outcome"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderStores:
    database: Database
    work: Work
    appointments: Appointments
    reminders: Reminders
    dialogues: Dialogues
    clients: Clients
    outreach: Outreach
    outbox: Outbox
    intents: Intents
    directory: Directory
    doorbell: Doorbell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """An appointment as it is looked at, with the other records of its visit, by time."""

    booked: BookedAppointment
    visit: Sequence[BookedAppointment]
    states: Mapping[timedelta, ReminderState]


class ReminderJob:
    def __init__(self, stores: ReminderStores, scopes: CompanyScopes, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._clock = clock
        self._following = Following(
            appointments=stores.appointments, dialogues=stores.dialogues, outbox=stores.outbox, clock=clock
        )

    async def __call__(self, claim: Claim) -> None:
        """Look at one appointment and commit. Raises LeaseLost, or TurnPostponed where the CRM fails."""
        scope = await self._scopes.open(claim.company_id)
        due, now = await self._read(claim), self._clock()
        branch, crm = _where(scope, due)
        if due is None or branch is None or _is_over(due.booked, now):
            await self._rest(claim, until=None)
            return
        if crm is not None:
            await self._tell_crm(claim, crm, due.booked)
        zone = client_zone(due.booked, branch, now)
        decided = plan(
            due.booked.starts_at,
            scope.agent.reminders or (),
            due.states,
            quiet=scope.agent.quiet_hours,
            zone=zone,
            now=now,
        )
        if decided.send is None:
            await self._keep(claim, due.booked, decided)
        elif crm is None or Capability.LIST not in crm.capabilities:
            # What cannot be read again may be cancelled by now.
            await self._keep(claim, due.booked, _without_sending(decided), outcome="unreadable")
        elif due.visit and due.visit[0].id != due.booked.id:
            await self._keep(claim, due.booked, _without_sending(decided), outcome="told_together")
        else:
            theirs = await self._read_in_crm(crm, due.visit)
            await self._remind(claim, scope, branch, crm, due, theirs, decided, decided.send)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the reason."""

    async def give_up(self, claim: Claim) -> None:
        """Rest, and look again: what is too late by then is not sent."""
        await self._rest(claim, until=self._clock() + REST_AFTER_FAILURE)

    async def _read(self, claim: Claim) -> _Due | None:
        stores = self._stores
        async with stores.database.company(claim.company_id) as tx:
            booked = await stores.appointments.find(tx, claim.subject_id)
            if booked is None:
                return None
            visit = await stores.appointments.list_visit(tx, booked, visit_of(booked.external_id))
            return _Due(booked=booked, visit=visit, states=await stores.reminders.list_states(tx, booked))

    async def _rest(self, claim: Claim, *, until: datetime | None) -> None:
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=until)

    async def _keep(self, claim: Claim, booked: BookedAppointment, decided: Plan, *, outcome: str = "late") -> None:
        """Keep what was decided where nothing is sent."""
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.hold(tx, claim)
            await self._keep_states(tx, booked, decided)
            await self._stores.work.done(tx, claim, next_due_at=decided.due_at)
        if decided.skipped:
            REMINDERS.labels(outcome).inc(len(decided.skipped))

    async def _keep_states(self, tx: Transaction, booked: BookedAppointment, decided: Plan) -> None:
        now = self._clock()
        await self._stores.reminders.plan(tx, booked, decided.planned, now=now)
        await self._stores.reminders.skip(tx, booked, decided.skipped, now=now)

    async def _tell_crm(self, claim: Claim, crm: BaseCRMAdapter, booked: BookedAppointment) -> None:
        """Write into the CRM that the client comes, where it has a field for that. Raises TurnPostponed."""
        if not booked.is_confirmed or booked.crm_told_of == booked.confirmed_for:
            return
        if Capability.CONFIRM in crm.capabilities:
            try:
                with acting(Purpose.REFRESH):
                    await crm.confirm_visit(RecordId(booked.crm_record_id))
            except (CRMRejected, CRMUnsupported) as error:
                # Cancelled, or closed for changes: nothing that would be better the next time.
                log.warning("confirmation_not_written", crm=crm.manifest.type, code=error.code)
            except CRMError as error:
                raise TurnPostponed(_rest_after(error), f"the CRM: {error.code}") from error
        async with self._stores.database.company(claim.company_id) as tx:
            # Appointments before work: whoever changes one rings its work in this order too.
            await self._stores.appointments.find(tx, booked.id, locked=True)
            await self._stores.work.hold(tx, claim)
            await self._stores.appointments.mark_told(tx, booked)

    async def _read_in_crm(
        self, crm: BaseCRMAdapter, visit: Sequence[BookedAppointment]
    ) -> Sequence[Appointment | None]:
        """Read the visit's records as they stand. Raises TurnPostponed."""
        try:
            return [await read_record(crm, one.crm_record_id) for one in visit]
        except CRMError as error:
            log.warning("appointment_not_read", crm=crm.manifest.type, code=error.code, error=str(error))
            REMINDERS.labels("put_off").inc()
            raise TurnPostponed(_rest_after(error), f"the CRM: {error.code}") from error

    async def _remind(
        self,
        claim: Claim,
        scope: CompanyScope,
        branch: Branch,
        crm: BaseCRMAdapter,
        due: _Due,
        theirs: Sequence[Appointment | None],
        decided: Plan,
        lead: timedelta,
    ) -> None:
        """Send one reminder, or follow what the CRM says now; one commit."""
        stores, now = self._stores, self._clock()
        channels = writable(await stores.directory.list_channels(claim.company_id))
        async with stores.database.company(claim.company_id) as tx:
            # In the order of `_tell_crm`.
            held = [await stores.appointments.find(tx, one.id, locked=True) for one in due.visit]
            await stores.work.hold(tx, claim)
            news = [
                (ours, stands)
                for ours, stands in zip(due.visit, theirs, strict=True)
                if as_it_stands(ours, stands) is not None
            ]
            if await stores.intents.any_under_way(tx, [ours for ours, _ in news], since=now - OWN_WRITES_TAKE):
                raise TurnPostponed(LOOK_AGAIN_IN, "a write of our own is under way")
            for ours, stands in news:
                await self._following.follow(tx, scope, branch, crm, ours, stands)
            if news or held != list(due.visit):
                outcome: str = "changed"
                again: datetime | None = now
            else:
                outcome, again = await self._put(tx, scope, branch, due, channels, decided, lead)
            await stores.work.done(tx, claim, next_due_at=again)
        REMINDERS.labels(outcome).inc()
        log.info("reminder", outcome=outcome, lead_minutes=round(lead.total_seconds() / 60))
        await stores.doorbell.ring(WorkKind.DELIVERY)

    async def _put(
        self,
        tx: Transaction,
        scope: CompanyScope,
        branch: Branch,
        due: _Due,
        channels: Sequence[ChannelId],
        decided: Plan,
        lead: timedelta,
    ) -> tuple[str, datetime | None]:
        """Put the reminder where the client wrote last; return what became of it, and when to look again."""
        stores, now, booked = self._stores, self._clock(), due.booked
        dialogue = await stores.outreach.find_dialogue(tx, booked.dialogue_id, channels)
        if dialogue is None:
            await self._keep_states(tx, booked, _without_sending(decided))
            return "unreachable", decided.due_at
        if await self._is_spoken_with(tx, dialogue, now):
            await self._keep_states(tx, booked, decided)
            return "put_off", now + IN_CONVERSATION
        await self._keep_states(tx, booked, decided)
        turn_id = new_id()
        if not await stores.reminders.mark_sent(tx, booked, lead, turn_id=turn_id, now=now):
            return "sent_before", decided.due_at
        texts = Translator.for_language(dialogue.language, default=scope.agent.language)
        said = reminder(scope, branch, texts, due.visit)
        await stores.outbox.put(tx, dialogue, [said.model_dump(mode="json", exclude_defaults=True)], turn_id=turn_id)
        # The client may answer in words, and the model has to know to what.
        words = HistoryMessage(author=Author.AGENT, text=said.text, at=now, turn_id=turn_id)
        await stores.dialogues.add_messages(tx, dialogue.id, [words])
        return "sent", decided.due_at

    async def _is_spoken_with(self, tx: Transaction, dialogue: Dialogue, now: datetime) -> bool:
        """Say whether a person answers the client, or the client wrote just now."""
        if dialogue.last_message_at is not None and now - dialogue.last_message_at < IN_CONVERSATION:
            return True
        theirs = await self._stores.clients.list_dialogues(tx, dialogue)
        return await self._stores.clients.is_with_person(tx, theirs)


def _is_over(booked: BookedAppointment, now: datetime) -> bool:
    """Say whether there is nothing to remind of: it was, it is cancelled, or its client asked to be forgotten."""
    return booked.cancelled or booked.starts_at <= now or not (booked.phone or booked.client_name)


def _where(scope: CompanyScope, due: _Due | None) -> tuple[Branch | None, BaseCRMAdapter | None]:
    """Return the appointment's branch and its CRM, as far as both are still there."""
    branch = next((one for one in scope.branches if due is not None and one.id == due.booked.branch_id), None)
    try:
        return branch, scope.crm(branch.id) if branch is not None else None
    except CRMNotConfigured:
        return branch, None


def _rest_after(error: CRMError) -> timedelta:
    """Return how long to rest: what needs a person first is not asked for every other minute."""
    passing = isinstance(error, CRMUnavailable | CRMRateLimited | CRMOutcomeUnknown)
    return AGAIN_AFTER_FAILURE if passing else REST_AFTER_FAILURE


def _without_sending(decided: Plan) -> Plan:
    """Return the plan with what was to be sent among what never is."""
    sent = (decided.send,) if decided.send is not None else ()
    return Plan(planned=decided.planned, skipped=(*decided.skipped, *sent), due_at=decided.due_at)
