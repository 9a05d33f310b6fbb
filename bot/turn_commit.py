"""A turn's one commit: reply, history, state and "these updates are done", all or nothing, while the lease is ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

import structlog
from prometheus_client import Counter

from bot.delivery_reports import DeliveryReports
from bot.handover_desk import HandoverDesk, HandoverStores, as_draft, silenced
from bot.memory_keeper import ask_to_remember
from bot.outreach_commit import OutreachCommit, count
from bot.staff_desk import StaffDesk, Taken
from db.clients import Clients
from db.companies import Companies
from db.dialogue_state import DialogueStates, key_of
from db.dialogues import Dialogues
from db.directory import Directory
from db.doorbell import Doorbell
from db.drafts import Draft
from db.engine import Database, Transaction
from db.inbox import Inbox
from db.memory import Memory
from db.notices import Notices
from db.outbox import Outbox
from db.records import (
    BranchId,
    Channel,
    ChannelType,
    Claim,
    DeliveryReport,
    Dialogue,
    DialogueState,
    HistoryMessage,
    InCharge,
    StoredUpdate,
    WorkKind,
)
from db.remembered import ClientMemory
from db.spending import Spending
from db.work import Work
from handlers.base import is_staffs
from handlers.staff_notices import StaffNotices
from locales import Translator
from orchestration.company_figures import COMPANY_FIGURES
from orchestration.crm_day import CrmDay, DayKey
from orchestration.messages import Message, Reply
from orchestration.modes import Way
from orchestration.ports import Clock
from orchestration.scope import CompanyScope
from orchestration.staff_press import phone_button
from orchestration.staff_words import StaffWord
from orchestration.stages import carried
from orchestration.trouble import budget_notices, dead_update_notice
from orchestration.turns import MICROUSD_IN_A_CENT, TurnPostponed, TurnResult

log = structlog.get_logger()

DEAD_UPDATE = "dead_update"
CALL_GRACE = timedelta(seconds=20)
"""How long what a caller said is left to the process that holds their line; after it, that process is gone."""
HANDOVERS = Counter("ai_admin_handovers", "Dialogues marked for a person, once committed.", ["kind"])


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStores:
    """What a turn reads and what its one commit writes."""

    database: Database
    inbox: Inbox
    work: Work
    outbox: Outbox
    dialogues: Dialogues
    clients: Clients
    states: DialogueStates
    spending: Spending
    notices: Notices
    memory: Memory
    people: HandoverStores
    directory: Directory
    companies: Companies
    doorbell: Doorbell


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A dialogue as it stands at the claim."""

    dialogue: Dialogue
    updates: Sequence[StoredUpdate]
    history: Sequence[HistoryMessage]
    state: DialogueState
    spent: int = 0
    """The month's cost of the model, where the company has a budget, in millionths of a US dollar."""
    memory: ClientMemory | None = None
    staffed: bool = False
    """Whether there are people who see the client and can answer; known where the mode asks for it."""
    visited: BranchId | None = None
    """Where the client's next visit is, or the last one was; known where the mode may go by the branch."""
    asked_at: datetime | None = None
    """When the open question was taken by the messenger; None: nothing is asked, or it is still on its way."""

    @classmethod
    def of_staff(cls, claim: Claim, updates: Sequence[StoredUpdate]) -> Self:
        """Return what waits in a staff group, which is no client's dialogue and has no history of one."""
        dialogue = Dialogue(
            id=claim.dialogue_id,
            company_id=claim.company_id,
            channel_id=claim.channel_id,
            key=updates[0].dialogue_key,
        )
        return cls(dialogue=dialogue, updates=updates, history=(), state=DialogueState())


@dataclass(slots=True)
class Head:
    """What of the waiting updates makes this turn."""

    updates: list[StoredUpdate]
    messages: list[Message]
    state: DialogueState
    unreadable: list[tuple[StoredUpdate, str]]
    reports: list[DeliveryReport] = field(default_factory=list)
    """What the messenger tells of our own messages."""
    staff: list[StaffWord] = field(default_factory=list)
    """What staff wrote and pressed in these updates."""
    crm_days: Mapping[DayKey, CrmDay] = field(default_factory=dict)
    """What CRMs have said of the days that staff asked for."""
    reachable: bool | None = None
    """What the updates say of whether the client can be written to; None: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a turn was made of. `way`: as a draft, or left to people; `told`: the caller on the line has heard it."""

    channel: Channel
    scope: CompanyScope
    waiting: Waiting
    head: Head
    way: Way
    told: bool


class TurnCommit:
    """Writes what a claim came to. Every method is one transaction and raises LeaseLost where it is no longer ours."""

    def __init__(self, stores: TurnStores, clock: Clock) -> None:
        self._stores = stores
        self._clock = clock
        self._staff = StaffNotices(stores.directory, stores.outbox)
        self._handovers = HandoverDesk(stores.people, self._staff, clock)
        self._desk = StaffDesk(stores.people, self._handovers, clock)
        self._reports = DeliveryReports(stores.outbox, stores.dialogues, self._staff, clock)
        self._outreach = OutreachCommit()

    async def turn(
        self,
        claim: Claim,
        channel: Channel,
        scope: CompanyScope,
        waiting: Waiting,
        head: Head,
        result: TurnResult | None,
        *,
        way: Way = Way.ANSWER,
        told: bool = False,
    ) -> None:
        """Commit a turn; `result` None: the updates held nothing to answer. `way`: as a draft, or left to people?

        `told`: the caller is on the line and hears the replies from whoever made the turn.
        """
        stores, now = self._stores, self._clock()
        saved: DialogueState | None = None
        taken = Taken()
        async with stores.database.company(claim.company_id) as tx:
            for update, reason in head.unreadable:
                log.warning("update_unreadable", update_id=str(update.id), reason=reason)
                await stores.inbox.bury(tx, update.id, reason)
            if head.staff:
                taken = await self._desk.take(tx, channel, scope, waiting.dialogue, head.staff, head.crm_days)
            if result is not None:
                await self._outreach.keep(tx, channel, result.dialogue, result.outreach, now=now)
                made = Made(channel=channel, scope=scope, waiting=waiting, head=head, way=way, told=told)
                saved, result = await self._keep(tx, claim, made, result, now)
            elif head.state != waiting.state:
                saved = await stores.states.save(tx, claim.dialogue_id, head.state)
            if head.reachable is True:
                await stores.dialogues.mark_reachable(tx, claim.dialogue_id)
            elif head.reachable is False:
                await stores.dialogues.mark_unreachable(tx, claim.dialogue_id, now=now)
            await self._reports.keep(tx, channel, scope, head.reports)
            turn_id = result.turn_id if result else None
            await stores.inbox.mark_done(tx, [update.id for update in head.updates], turn_id=turn_id)
            if result is not None and not result.erases_client:
                unread = _unread(waiting)
                await ask_to_remember(tx, waiting.dialogue, result.dialogue, unread=unread, now=now)
            if result is not None and result.erases_client:
                # Last: the update that asked for it is among what goes.
                await stores.clients.erase(tx, waiting.dialogue)
            more = len(head.updates) + len(head.unreadable) < len(waiting.updates)
            grace = CALL_GRACE if channel.type is ChannelType.VOICE else timedelta(0)
            await stores.work.done(tx, claim, next_due_at=now + grace if more else None, rung_due_in=grace)
            before = await self._count_cost(tx, channel, scope, result, now) if result and result.usage.calls else None
        count(result.outreach if result is not None else ())
        for handover in result.handovers if result is not None else ():
            HANDOVERS.labels(handover.reason).inc()
            COMPANY_FIGURES.handover(scope.company)
        if result is not None and before is not None:
            _show_cost(scope, result, before)
        if saved is not None:
            await stores.states.copy(key_of(channel, waiting.dialogue), saved)
        await self._desk.copy_states(channel, taken.rested)
        if taken.company_changed:
            stores.directory.forget(claim.company_id)
            await stores.companies.tell(claim.company_id)
        if head.staff:
            await stores.doorbell.ring(WorkKind.DELIVERY)
        if result is not None and not (told and not result.notices and not result.elsewhere):
            await stores.doorbell.ring(WorkKind.DELIVERY)

    async def wait_for_people(
        self, claim: Claim, channel: Channel, scope: CompanyScope, waiting: Waiting, head: Head, *, until: datetime
    ) -> None:
        """Show staff what waits, and end the claim: the agent answers at `until`, where nobody has."""
        async with self._stores.database.company(claim.company_id) as tx:
            last = head.updates[-1].id
            await self._handovers.wait_for_people(tx, channel, scope, waiting.dialogue, head.messages, last_update=last)
            await self._stores.work.done(tx, claim, next_due_at=until)

    async def rest(self, claim: Claim, *, until: datetime | None) -> None:
        """End the claim with nothing done; due again at `until`, or at the next ring."""
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=until)

    async def dead(self, claim: Claim, channel: Channel, scope: CompanyScope, waiting: Waiting) -> None:
        """Put the update that fails again and again aside, tell client and staff once, and let the dialogue go on."""
        stores, update = self._stores, waiting.updates[0]
        texts = Translator.for_language(waiting.dialogue.language, default=scope.agent.language)
        async with stores.database.company(claim.company_id) as tx:
            await stores.inbox.bury(tx, update.id, None, turn_id=update.id)
            if is_staffs(channel.type, update.dialogue_key):
                more = len(waiting.updates) > 1
                await stores.work.done(tx, claim, next_due_at=self._clock() if more else None)
                return
            await stores.dialogues.mark_reachable(tx, claim.dialogue_id)
            if not await stores.dialogues.waits_for_person(tx, claim.dialogue_id, reason=DEAD_UPDATE):
                payload = _payload(Reply(text=texts.text("something-went-wrong")))
                await stores.outbox.put(tx, waiting.dialogue, [payload], turn_id=update.id)
                notice = dead_update_notice(scope, waiting.dialogue)
                phone = phone_button(Translator.for_language(scope.agent.language), waiting.dialogue)
                await self._staff.put(tx, channel, scope.branches, [notice], turn_id=None, phone=phone)
            await stores.dialogues.add_handover(
                tx, claim.dialogue_id, reason=DEAD_UPDATE, summary=str(update.id), now=self._clock()
            )
            more = len(waiting.updates) > 1
            await stores.work.done(tx, claim, next_due_at=self._clock() if more else None)
        HANDOVERS.labels(DEAD_UPDATE).inc()
        COMPANY_FIGURES.handover(scope.company)
        log.error("update_buried", update_id=str(update.id), attempts=claim.attempts, lost_leases=claim.lost_leases)
        await stores.doorbell.ring(WorkKind.DELIVERY)

    async def _count_cost(
        self, tx: Transaction, channel: Channel, scope: CompanyScope, result: TurnResult, now: datetime
    ) -> int:
        """Count what the model cost, and tell staff of a limit that this turn crossed.

        Returns what the month had cost before, in millionths of a US dollar.
        """
        before = await self._stores.spending.add(tx, now=now, usage=result.usage, cost=result.cost)
        texts = Translator.for_language(scope.agent.language)
        notices = budget_notices(texts, scope.agent.budget, before=before, after=before + result.cost)
        await self._staff.put(tx, channel, scope.branches, notices, turn_id=result.turn_id)
        return before

    async def _keep(
        self, tx: Transaction, claim: Claim, made: Made, result: TurnResult, now: datetime
    ) -> tuple[DialogueState, TurnResult]:
        """Write a turn; return its state, and the turn without the agent's words where a person came before them."""
        stores = self._stores
        unsent: Sequence[Reply] = ()
        draft: Draft | None = None
        in_charge = await stores.dialogues.save_dialogue(tx, result.dialogue)
        if made.waiting.dialogue.in_charge is InCharge.PERSON:
            if in_charge is InCharge.AGENT and not await self._is_with_person(tx, result.dialogue):
                raise TurnPostponed(timedelta(0), "handed back meanwhile: the agent answers this")
            # In another channel, perhaps, which this one was found to be the same client's of later.
            in_charge = InCharge.PERSON
        elif in_charge is InCharge.PERSON:
            result, unsent = silenced(result), result.replies
        elif made.way is Way.DRAFT:
            result, draft = as_draft(result)
        notices = await self._handovers.after_turn(
            tx,
            made.channel,
            made.scope,
            made.head.messages,
            result,
            in_charge,
            last_update=made.head.updates[-1].id,
            way=made.way,
            unsent=unsent,
        )
        if draft is not None:
            await self._handovers.put_draft(tx, result.dialogue, draft)
        if notices:
            phone = phone_button(Translator.for_language(made.scope.agent.language), result.dialogue)
            await self._staff.put(tx, made.channel, made.scope.branches, notices, turn_id=result.turn_id, phone=phone)
        await stores.clients.link(tx, result.dialogue)
        await stores.dialogues.add_messages(tx, claim.dialogue_id, result.history)
        await stores.dialogues.add_tool_calls(tx, claim.dialogue_id, result.tool_calls)
        await stores.dialogues.add_turn(
            tx,
            turn_id=result.turn_id,
            dialogue_id=claim.dialogue_id,
            channel_id=claim.channel_id,
            at=now,
            usage=result.usage,
            outcome=result.outcome,
            model=result.model,
            cost=result.cost,
            messages=len(made.head.messages),
            accepted_at=max((update.accepted_at for update in made.head.updates), default=None),
        )
        for handover in result.handovers:
            await stores.dialogues.add_handover(
                tx, claim.dialogue_id, reason=handover.reason, summary=handover.summary, now=now
            )
        if result.notice is not None:
            words = result.notice
            await stores.notices.keep_wording(tx, version=words.version, text=words.text, now=now)
        payloads = [_payload(reply) for reply in result.replies]
        await stores.outbox.put(tx, result.dialogue, payloads, turn_id=result.turn_id, sent=made.told, trace=carried())
        for one in result.elsewhere:
            await stores.outbox.put(tx, one.dialogue, [_payload(Reply(text=one.text))], turn_id=result.turn_id)
        return await stores.states.save(tx, claim.dialogue_id, result.state), result

    async def _is_with_person(self, tx: Transaction, dialogue: Dialogue) -> bool:
        ids = await self._stores.clients.list_dialogues(tx, dialogue)
        return await self._stores.clients.is_with_person(tx, ids)


def _show_cost(scope: CompanyScope, result: TurnResult, before: int) -> None:
    """Show in the company's figures what a committed turn cost, and how much of its month's limit is used."""
    COMPANY_FIGURES.spent(scope.company, result.usage, result.cost)
    if hard := scope.agent.budget.hard:
        COMPANY_FIGURES.budget(scope.company, (before + result.cost) / (hard * MICROUSD_IN_A_CENT))


def _unread(waiting: Waiting) -> int:
    """Count the messages that the dialogue's note does not know yet, as far as the history was read."""
    known = waiting.memory.covers_until if waiting.memory else None
    return sum(known is None or message.id > known for message in waiting.history)


def _payload(reply: Reply) -> dict[str, object]:
    return reply.model_dump(mode="json", exclude_defaults=True)
