"""One claim of a dialogue: its waiting updates through the channel's handlers, one turn, one commit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram

from bot.handover_desk import WRITTEN
from bot.preview import by_draft, harmless
from bot.staff_reading import StaffReading
from bot.turn_commit import Head, TurnCommit, TurnStores, Waiting
from bot.typing_sign import showing_typing
from db.appointments import Appointments
from db.dialogue_state import key_of
from db.records import Channel, ChannelType, Claim, DialogueState, InCharge, ModelBudget, Usage
from handlers.base import ChannelDispatch, TurnCollector, UnreadableUpdate, is_staffs
from locales import Translator
from middlewares.fsm import StateBuffer, current_state
from middlewares.throttle import ClientThrottle, Verdict
from orchestration.callers import facts_of
from orchestration.company_figures import COMPANY_FIGURES
from orchestration.conversation import Conversation, Step
from orchestration.messages import Attachment
from orchestration.modes import Way, branch_of, may_ask_people, mode_of, way_of
from orchestration.orchestrator import Orchestrator
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.speech import Speech
from orchestration.stages import Stages, span
from orchestration.turns import Turn, TurnResult, burst_ends_at, first_group

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ChannelMedia:
    """Where the files of a turn's messages are fetched: the channel that they came through."""

    channel: Channel
    dispatch: ChannelDispatch

    async def fetch(self, attachment: Attachment, *, most_bytes: int) -> bytes:
        return await self.dispatch.fetch(self.channel, attachment, most_bytes=most_bytes)


NO_BUDGET = ModelBudget()
_AT_ONCE = frozenset({ChannelType.API, ChannelType.VOICE})
"""Channels whose words come whole: there is no rest of a burst to wait for."""
TAKEN_BEFORE_KEPT = timedelta(milliseconds=500)
"""A reply reaches the client a moment before we have written down that it was taken."""
MOST_UPDATES = 100
MOST_HISTORY = 60

TURN_SECONDS = Histogram(
    "ai_admin_turn_seconds",
    "From the claim of a dialogue to its commit.",
    ["channel"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
)


class TurnJob:
    """Makes one turn of a claim. What is still waiting after it is claimed again at once."""

    def __init__(
        self,
        stores: TurnStores,
        scopes: CompanyScopes,
        channels: Mapping[ChannelType, ChannelDispatch],
        orchestrator: Orchestrator,
        throttle: ClientThrottle,
        clock: Clock,
        *,
        quiet: timedelta,
    ) -> None:
        self._stores = stores
        self._scopes = scopes
        self._channels = channels
        self._orchestrator = orchestrator
        self._throttle = throttle
        self._clock = clock
        self._quiet = quiet
        self._commit = TurnCommit(stores, clock)
        self._appointments = Appointments()
        self._reading = StaffReading(stores.database, stores.people.staff, clock)

    async def __call__(self, claim: Claim) -> None:
        """Make the turn and commit it. Raises LeaseLost, TurnPostponed, or what the turn failed with."""
        await self.make(claim)

    async def make(self, claim: Claim, speech: Speech | None = None) -> TurnResult | None:
        """Make the turn and commit it; return what came of it, None where there was nothing to answer.

        `speech`: the caller is on the line and hears the answer as it is written. Raises TurnAbandoned where they speak
        on before they have heard any of it, and what __call__ raises.
        """
        began, stages = time.perf_counter(), Stages()
        channel = await self._stores.directory.get_channel(claim.company_id, claim.channel_id)
        scope = await self._scopes.open(claim.company_id)
        waiting = await self._read(claim, channel, scope=scope)
        if not waiting.updates:
            await self._commit.rest(claim, until=None)
            return None
        if channel.is_preview:
            scope = await by_draft(self._stores.database, scope, claim.dialogue_id)
        stages.add("read", time.perf_counter() - began)
        kind, first = channel.type.value, waiting.updates[0]
        with (
            structlog.contextvars.bound_contextvars(channel=kind, update_ids=[str(one.id) for one in waiting.updates]),
            span("turn", kind=SpanKind.CONSUMER, within=first.trace, **_ids_of(claim, channel)),
        ):
            made = await self._make(claim, channel, scope, waiting, stages, speech)
            if made is None:
                return None
            head, result = made
            took = time.perf_counter() - began
            TURN_SECONDS.labels(kind).observe(took)
            COMPANY_FIGURES.turn(scope.company, channel.type, len(head.messages), took)
            self._tell(head, result, stages, waited=self._clock() - first.accepted_at, took_s=took)
        return result

    async def _make(
        self,
        claim: Claim,
        channel: Channel,
        scope: CompanyScope,
        waiting: Waiting,
        stages: Stages,
        speech: Speech | None,
    ) -> tuple[Head, TurnResult | None] | None:
        """Make and commit the turn at the head of what waits; None where the client may still be writing."""
        # What failed together is tried again one by one, so that only what is guilty is given up; so is a yes whose
        # write was begun. Neither is counted again: the client has written it once.
        again = claim.attempts > 0 or await self._orchestrator.has_begun_write(waiting.dialogue, waiting.state)
        with stages.stage("feed"):
            head = await self._feed(channel, waiting, one_by_one=again)
        rest_until = self._burst_ends_at(channel, scope, waiting, head)
        if rest_until is not None and rest_until > self._clock():
            await self._commit.rest(claim, until=rest_until)
            return None
        way, until = self._way(channel, scope, waiting, head)
        if until is not None:
            await self._commit.wait_for_people(claim, channel, scope, waiting, head, until=until)
            return None
        turn = self._open(claim, channel, scope, waiting, head, stages, speech) if head.messages else None
        result = None
        if turn is not None:
            with stages.stage("answer"):
                if way is Way.PEOPLE:
                    result = self._orchestrator.leave_unanswered(turn, outcome="left_to_people")
                else:
                    result = await self._answer(turn, channel, again=again)
            if channel.is_preview:
                result = harmless(result)
        if head.staff:
            head.crm_days = await self._reading.read(claim.company_id, scope, head.staff)
        with stages.stage("commit"):
            await self._commit.turn(claim, channel, scope, waiting, head, result, way=way, told=speech is not None)
        return head, result

    def _tell(self, head: Head, result: TurnResult | None, stages: Stages, *, waited: timedelta, took_s: float) -> None:
        """Log the turn: one line with all that an operator asks first."""
        usage = result.usage if result else Usage()
        log.info(
            "turn_done",
            outcome=result.outcome if result else "nothing_to_answer",
            updates=len(head.updates),
            replies=len(result.replies) if result else 0,
            tool_calls=[f"{call.name}: {call.outcome}" for call in result.tool_calls] if result else [],
            handovers=[handover.reason for handover in result.handovers] if result else [],
            model=result.model if result else None,
            model_calls=usage.calls,
            tokens_in=usage.prompt_tokens,
            tokens_out=usage.output_tokens,
            tokens_cached=usage.cached_tokens,
            cost_usd=result.cost / 1_000_000 if result else 0,
            since_accepted_ms=round(waited.total_seconds() * 1000, 1),
            took_ms=round(took_s * 1000, 1),
            stages_ms=dict(stages.in_ms()),
        )

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Keep the reason with the update at the head: after the last try it is told by `dead list`."""
        async with self._stores.database.company(claim.company_id) as tx:
            waiting = await self._stores.inbox.list_waiting(tx, claim.dialogue_id, limit=1)
            for update in waiting:
                reason = f"{type(error).__name__}: {error}"[:500]
                await self._stores.inbox.record_failure(tx, update.id, reason)

    async def give_up(self, claim: Claim) -> None:
        """Put the update at the head on the dead list; client and staff are told."""
        channel = await self._stores.directory.get_channel(claim.company_id, claim.channel_id)
        scope = await self._scopes.open(claim.company_id)
        waiting = await self._read(claim, channel)
        if waiting.updates:
            await self._commit.dead(claim, channel, scope, waiting)
        else:
            await self._commit.rest(claim, until=None)

    async def _read(self, claim: Claim, channel: Channel, scope: CompanyScope | None = None) -> Waiting:
        stores = self._stores
        budget = scope.agent.budget if scope is not None else NO_BUDGET
        async with stores.database.company(claim.company_id) as tx:
            # A client who was erased since the claim must not be begun again by it.
            await stores.work.hold(tx, claim)
            updates = await stores.inbox.list_waiting(tx, claim.dialogue_id, limit=MOST_UPDATES)
            if updates and is_staffs(channel.type, updates[0].dialogue_key):
                return Waiting.of_staff(claim, updates)
            dialogue = await stores.dialogues.open_dialogue(
                tx,
                channel_id=claim.channel_id,
                dialogue_id=claim.dialogue_id,
                key=updates[0].dialogue_key if updates else "",
                now=self._clock(),
            )
            # A client who has proved the same phone in two channels is one person: with one history, and one answerer.
            ids = await stores.clients.list_dialogues(tx, dialogue)
            if len(ids) > 1 and await stores.clients.is_with_person(tx, ids):
                dialogue = replace(dialogue, in_charge=InCharge.PERSON)
            history = await stores.dialogues.list_recent_messages(tx, ids, limit=MOST_HISTORY)
            state = await stores.states.load(tx, claim.dialogue_id, key_of(channel, dialogue))
            spent = await stores.spending.this_month(tx, now=self._clock()) if budget.hard is not None else 0
            memory = await stores.memory.find(tx, claim.dialogue_id)
            staffed = scope is not None and _asks_people(channel, scope) and await stores.people.staff.has_any(tx)
            several = staffed and scope is not None and len(scope.branches) > 1
            visited = await self._appointments.find_branch(tx, ids, now=self._clock()) if several else None
            asked_by = _asked_by(state)
            asked_at = await stores.outbox.find_sent_at(tx, claim.dialogue_id, asked_by) if asked_by else None
        return Waiting(
            dialogue=dialogue,
            updates=updates,
            history=history,
            state=state,
            spent=spent,
            memory=memory,
            staffed=staffed,
            visited=visited,
            asked_at=asked_at,
        )

    async def _feed(self, channel: Channel, waiting: Waiting, *, one_by_one: bool) -> Head:
        """Run updates through the channel's handlers until the next one would begin another turn."""
        head = Head(updates=[], messages=[], state=waiting.state, unreadable=[])
        dispatch = self._channels[channel.type]
        for update in waiting.updates:
            collector = TurnCollector(dialogue=waiting.dialogue, now=self._clock())
            buffer = StateBuffer(head.state)
            token = current_state.set(buffer)
            try:
                await dispatch.feed(channel, update, collector)
            except UnreadableUpdate as error:
                head.unreadable.append((update, str(error)))
                continue
            finally:
                current_state.reset(token)
            together = [*head.messages, *collector.messages]
            if collector.messages and len(first_group(together)) < len(together):
                break
            if one_by_one and head.messages:
                break
            head.updates.append(update)
            head.messages = together
            head.state = buffer.state
            head.reports += collector.reports
            head.staff += collector.staff
            head.reachable = head.reachable if collector.reachable is None else collector.reachable
        return head

    def _burst_ends_at(self, channel: Channel, scope: CompanyScope, waiting: Waiting, head: Head) -> datetime | None:
        """Return when the client will have been quiet long enough; None where there is nothing to wait for."""
        all_there_is = len(head.updates) + len(head.unreadable) == len(waiting.updates)
        if channel.type in _AT_ONCE or not all_there_is or not head.messages:
            return None
        if not all(message.is_free_text for message in head.messages):
            return None
        quiet = self._quiet if scope.agent.quiet is None else scope.agent.quiet
        return burst_ends_at([update.accepted_at for update in head.updates], quiet)

    def _way(self, channel: Channel, scope: CompanyScope, waiting: Waiting, head: Head) -> tuple[Way, datetime | None]:
        """Return how the turn goes by the company's mode; with a moment: it waits until then for its people."""
        if channel.is_preview or scope.company.paused_at is not None:
            # Code says that a person will answer, at once.
            return Way.ANSWER, None
        if not waiting.staffed or not head.messages or waiting.dialogue.in_charge is InCharge.PERSON:
            return Way.ANSWER, None
        branch = branch_of(scope.branches, Conversation.from_state(head.state), waiting.visited)
        return way_of(
            mode_of(scope.agent, channel.type, branch),
            branch or next(iter(scope.branches), None),
            head.messages,
            accepted_at=head.updates[0].accepted_at,
            now=self._clock(),
            answer_after=timedelta(minutes=scope.agent.people.answer_minutes),
        )

    def _open(
        self,
        claim: Claim,
        channel: Channel,
        scope: CompanyScope,
        waiting: Waiting,
        head: Head,
        stages: Stages,
        speech: Speech | None,
    ) -> Turn:
        by_phone, now = channel.type is ChannelType.VOICE, self._clock()
        return Turn(
            scope=scope,
            claim=claim,
            dialogue=waiting.dialogue,
            conversation=Conversation.from_state(head.state),
            state_version=head.state.version,
            stages=stages,
            messages=tuple(head.messages),
            history=waiting.history,
            spent_before=waiting.spent,
            memory=waiting.memory,
            was_asked=_was_asked(channel, waiting, head),
            now=now,
            texts=Translator.for_language(waiting.dialogue.language, default=scope.agent.language, spoken=by_phone),
            choices=self._channels[channel.type].choices,
            media=ChannelMedia(channel, self._channels[channel.type]),
            call=facts_of(channel.options, scope, now) if by_phone else None,
            carries_out=not channel.is_preview,
            speech=speech,
        )

    async def _answer(self, turn: Turn, channel: Channel, *, again: bool) -> TurnResult:
        if _nobody_hears(turn):
            return self._orchestrator.leave_unanswered(turn, outcome="nobody_hears")
        verdict = Verdict.ANSWER if again else await self._throttle.judge(turn.dialogue.id, turn.messages)
        if verdict is not Verdict.ANSWER:
            told = "too-many-messages" if verdict is Verdict.TELL else None
            return self._orchestrator.leave_unanswered(turn, outcome="too_many_messages", told=told)
        if not turn.messages[0].is_free_text:
            return await self._orchestrator.run_turn(turn)
        async with showing_typing(self._channels[channel.type], channel, turn.dialogue, turn.messages[-1]):
            return await self._orchestrator.run_turn(turn)


def _asks_people(channel: Channel, scope: CompanyScope) -> bool:
    """Say whether the company's people take part here before the agent answers, where there are any."""
    has_chat = any(branch.staff_chat for branch in scope.branches)
    return has_chat and channel.type in WRITTEN and may_ask_people(scope.agent, channel.type)


def _ids_of(claim: Claim, channel: Channel) -> dict[str, str]:
    return {
        "company_id": str(claim.company_id),
        "channel": channel.type.value,
        "dialogue_id": str(claim.dialogue_id),
    }


def _nobody_hears(turn: Turn) -> bool:
    """Say whether a caller's words are answered to nobody: the line is gone. A yes is carried out all the same."""
    if turn.call is None or turn.speech is not None or turn.messages[0].call_event is not None:
        return False
    return turn.conversation.step is not Step.CONFIRMING


def _asked_by(state: DialogueState) -> UUID | None:
    """Return the turn whose reply asks for a yes; None where none is asked for."""
    if state.state != Step.CONFIRMING:
        return None
    proposal = Conversation.from_state(state).proposal
    return proposal.turn_id if proposal is not None else None


def _was_asked(channel: Channel, waiting: Waiting, head: Head) -> bool:
    """Say whether the open question had reached the client when they wrote: a yes in words is one to it only then.

    Over a channel of one's own the reply is the answer to the caller's request, however the outbox stands.
    """
    if channel.type is ChannelType.API or _asked_by(waiting.state) is None:
        return True
    return waiting.asked_at is not None and head.updates[0].accepted_at >= waiting.asked_at - TAKEN_BEFORE_KEPT
