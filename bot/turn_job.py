"""One claim of a dialogue: its waiting updates through the channel's handlers, one turn, one commit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Histogram

from db.dialogue_state import DialogueStates, key_of
from db.dialogues import Dialogues
from db.directory import Directory
from db.doorbell import Doorbell
from db.engine import Database, Transaction
from db.inbox import Inbox
from db.outbox import Outbox
from db.records import (
    Channel,
    ChannelType,
    Claim,
    Dialogue,
    DialogueState,
    HistoryMessage,
    StoredUpdate,
    dialogue_id_of,
)
from db.work import Work
from handlers.base import ChannelDispatch, TurnCollector, UnreadableUpdate
from locales import Translator
from middlewares.fsm import StateBuffer, current_state
from orchestration.conversation import Conversation
from orchestration.messages import Message, Reply
from orchestration.orchestrator import Orchestrator
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.turns import StaffNotice, Turn, TurnResult, first_group

log = structlog.get_logger()

MOST_UPDATES = 100
MOST_HISTORY = 60
TRIES = 5
"""So many failures, and the update goes to the dead list."""
LOST_LEASES = 20
"""Lost leases are counted apart: a worker that was killed says little about the update."""

TURN_SECONDS = Histogram(
    "ai_admin_turn_seconds",
    "From the claim of a dialogue to its commit.",
    ["channel"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStores:
    """What a turn reads and what its one commit writes."""

    database: Database
    inbox: Inbox
    work: Work
    outbox: Outbox
    dialogues: Dialogues
    states: DialogueStates
    directory: Directory
    doorbell: Doorbell


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A dialogue as it stands at the claim."""

    dialogue: Dialogue
    updates: Sequence[StoredUpdate]
    history: Sequence[HistoryMessage]
    state: DialogueState


@dataclass(slots=True)
class _Head:
    """What of the waiting updates makes this turn."""

    updates: list[StoredUpdate]
    messages: list[Message]
    state: DialogueState
    unreadable: list[tuple[StoredUpdate, str]]
    reachable: bool | None = None


class TurnJob:
    """Makes one turn of a claim. What is still waiting after it is claimed again at once."""

    def __init__(
        self,
        stores: TurnStores,
        scopes: CompanyScopes,
        channels: Mapping[ChannelType, ChannelDispatch],
        orchestrator: Orchestrator,
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._scopes = scopes
        self._channels = channels
        self._orchestrator = orchestrator
        self._clock = clock

    async def __call__(self, claim: Claim) -> None:
        """Make the turn and commit it. Raises LeaseLost, TurnPostponed, or what the turn failed with."""
        started = time.monotonic()
        channel = await self._stores.directory.get_channel(claim.company_id, claim.channel_id)
        scope = await self._scopes.open(claim.company_id)
        waiting = await self._read(claim, channel)
        if not waiting.updates:
            await self._commit_nothing(claim)
            return
        if claim.attempts >= TRIES or claim.lost_leases >= LOST_LEASES:
            await self._bury_head(claim, scope, waiting)
            return
        head = await self._feed(channel, waiting)
        result = await self._turn(channel, scope, waiting, head) if head.messages else None
        await self._commit(claim, channel, scope, waiting, head, result)
        await self._stores.doorbell.ring()
        TURN_SECONDS.labels(channel.type.value).observe(time.monotonic() - started)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Keep the reason with the update at the head: after the last try it is told by `dead list`."""
        async with self._stores.database.company(claim.company_id) as tx:
            waiting = await self._stores.inbox.list_waiting(tx, claim.dialogue_id, limit=1)
            for update in waiting:
                reason = f"{type(error).__name__}: {error}"[:500]
                await self._stores.inbox.record_failure(tx, update.id, reason)

    async def _read(self, claim: Claim, channel: Channel) -> _Waiting:
        stores = self._stores
        async with stores.database.company(claim.company_id) as tx:
            updates = await stores.inbox.list_waiting(tx, claim.dialogue_id, limit=MOST_UPDATES)
            dialogue = await stores.dialogues.open_dialogue(
                tx,
                channel_id=claim.channel_id,
                dialogue_id=claim.dialogue_id,
                key=updates[0].dialogue_key if updates else "",
                now=self._clock(),
            )
            history = await stores.dialogues.list_recent_messages(tx, claim.dialogue_id, limit=MOST_HISTORY)
            state = await stores.states.load(tx, claim.dialogue_id, key_of(channel, dialogue))
        return _Waiting(dialogue=dialogue, updates=updates, history=history, state=state)

    async def _feed(self, channel: Channel, waiting: _Waiting) -> _Head:
        """Run updates through the channel's handlers until the next one would begin another turn."""
        head = _Head(updates=[], messages=[], state=waiting.state, unreadable=[])
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
            head.updates.append(update)
            head.messages = together
            head.state = buffer.state
            head.reachable = head.reachable if collector.reachable is None else collector.reachable
        return head

    async def _turn(self, channel: Channel, scope: CompanyScope, waiting: _Waiting, head: _Head) -> TurnResult:
        if head.messages[0].is_free_text:
            await self._channels[channel.type].show_typing(channel, waiting.dialogue)
        turn = Turn(
            scope=scope,
            dialogue=waiting.dialogue,
            conversation=Conversation.from_state(head.state),
            state_version=head.state.version,
            messages=tuple(head.messages),
            history=waiting.history,
            now=self._clock(),
            texts=Translator.for_language(waiting.dialogue.language, default=scope.agent.language),
        )
        return await self._orchestrator.run_turn(turn)

    async def _commit(
        self,
        claim: Claim,
        channel: Channel,
        scope: CompanyScope,
        waiting: _Waiting,
        head: _Head,
        result: TurnResult | None,
    ) -> None:
        """Reply, history, state and "these updates are done", all or nothing, and only while the lease is ours."""
        stores, now = self._stores, self._clock()
        saved: DialogueState | None = None
        async with stores.database.company(claim.company_id) as tx:
            for update, reason in head.unreadable:
                log.warning("update_unreadable", update_id=str(update.id), reason=reason)
                await stores.inbox.bury(tx, update.id, reason)
            if result is not None:
                saved = await self._keep(tx, claim, result, now)
                await self._notify_staff(tx, channel, scope, result)
            elif head.state != waiting.state:
                saved = await stores.states.save(tx, claim.dialogue_id, head.state)
            if head.reachable is True:
                await stores.dialogues.mark_reachable(tx, claim.dialogue_id)
            elif head.reachable is False:
                await stores.dialogues.mark_unreachable(tx, claim.dialogue_id, now=now)
            turn_id = result.turn_id if result else None
            await stores.inbox.mark_done(tx, [update.id for update in head.updates], turn_id=turn_id)
            more = len(head.updates) + len(head.unreadable) < len(waiting.updates)
            await stores.work.done(tx, claim, next_due_at=now if more else None)
        if saved is not None:
            await stores.states.copy(key_of(channel, waiting.dialogue), saved)
        log.info(
            "turn_done",
            outcome=result.outcome if result else "nothing_to_answer",
            updates=len(head.updates),
            replies=len(result.replies) if result else 0,
            tool_calls=len(result.tool_calls) if result else 0,
            model_calls=result.usage.calls if result else 0,
        )

    async def _keep(self, tx: Transaction, claim: Claim, result: TurnResult, now: datetime) -> DialogueState:
        stores = self._stores
        await stores.dialogues.save_dialogue(tx, result.dialogue)
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
        )
        for handover in result.handovers:
            await stores.dialogues.add_handover(
                tx, claim.dialogue_id, reason=handover.reason, summary=handover.summary, now=now
            )
        payloads = [reply.model_dump(mode="json", exclude_defaults=True) for reply in result.replies]
        await stores.outbox.put(tx, result.dialogue, payloads, turn_id=result.turn_id)
        return await stores.states.save(tx, claim.dialogue_id, result.state)

    async def _notify_staff(self, tx: Transaction, channel: Channel, scope: CompanyScope, result: TurnResult) -> None:
        """Put notices to the staff chats into the same outbox, through the company's own bot."""
        if not result.notices:
            return
        bots = [channel] if channel.type is ChannelType.TELEGRAM else []
        if not bots:
            every = await self._stores.directory.list_channels(channel.company_id)
            bots = [one for one in every if one.type is ChannelType.TELEGRAM]
        for notice in result.notices:
            chat = _staff_chat(scope, notice)
            if chat is None or not bots:
                log.warning("staff_not_told", reason="no staff chat is set" if chat is None else "no Telegram channel")
                continue
            key = f"{chat}:{chat}:"
            staff = Dialogue(
                id=dialogue_id_of(bots[0].id, key), company_id=channel.company_id, channel_id=bots[0].id, key=key
            )
            payload = Reply(text=notice.text).model_dump(mode="json", exclude_defaults=True)
            await self._stores.outbox.put(tx, staff, [payload], turn_id=result.turn_id)

    async def _bury_head(self, claim: Claim, scope: CompanyScope, waiting: _Waiting) -> None:
        """Put the update that fails again and again aside, tell the client once, and let the dialogue go on."""
        stores, update = self._stores, waiting.updates[0]
        texts = Translator.for_language(waiting.dialogue.language, default=scope.agent.language)
        async with stores.database.company(claim.company_id) as tx:
            await stores.inbox.bury(tx, update.id, None)
            payload = Reply(text=texts.text("something-went-wrong")).model_dump(mode="json", exclude_defaults=True)
            await stores.outbox.put(tx, waiting.dialogue, [payload], turn_id=None)
            await stores.dialogues.mark_reachable(tx, claim.dialogue_id)
            await stores.dialogues.add_handover(
                tx, claim.dialogue_id, reason="dead_update", summary=str(update.id), now=self._clock()
            )
            more = len(waiting.updates) > 1
            await stores.work.done(tx, claim, next_due_at=self._clock() if more else None)
        log.error("update_buried", update_id=str(update.id), attempts=claim.attempts, lost_leases=claim.lost_leases)
        await stores.doorbell.ring()

    async def _commit_nothing(self, claim: Claim) -> None:
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim)


def _staff_chat(scope: CompanyScope, notice: StaffNotice) -> str | None:
    """Return the chat of the branch that is meant, else of the first branch that has one."""
    chats = {branch.id: branch.staff_chat for branch in scope.branches}
    if notice.branch_id is not None and chats.get(notice.branch_id):
        return chats[notice.branch_id]
    return next((chat for chat in chats.values() if chat), None)
