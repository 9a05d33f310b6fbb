"""Taking a dialogue over, answering, handing back from the console: as in the staff group, and shown there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID, uuid5

import structlog

from bot.console.visitor import Visitor
from bot.handover_desk import WRITTEN, HandoverDesk, people_stores
from db.audit import Action, AuditTrail
from db.dialogue_state import key_of
from db.drafts import DraftStatus
from db.engine import Transaction
from db.handovers import MirrorItem
from db.records import Author, Channel, ChannelType, Dialogue, DialogueState, InCharge, WorkKind
from handlers.staff_notices import StaffNotices
from orchestration.messages import Reply, storable
from orchestration.scope import CompanyScope

if TYPE_CHECKING:
    from bot.app import Core

log = structlog.get_logger()

LONGEST_ANSWER = 4000
_AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """What is left to do once it is committed."""

    dialogue: Dialogue
    state: DialogueState | None = None


class ConsoleDesk:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._audit: AuditTrail = core.audit
        self._stores = people_stores(core)
        self._notices = StaffNotices(core.directory, self._stores.outbox)
        self._desk = HandoverDesk(self._stores, self._notices, core.clock)

    @staticmethod
    def can_answer(channel: ChannelType) -> bool:
        """Say whether a person can write to the client there whenever they like."""
        return channel in WRITTEN

    async def take_over(self, visitor: Visitor, dialogue: Dialogue) -> None:
        """Let the agent be silent; a client's words that wait still wait, for a person's now."""
        channel = await self._channel(dialogue)
        async with self._core.database.company(visitor.company_id) as tx:
            waits = await self._waits(tx, dialogue)
            taken = await self._take(tx, visitor, channel, dialogue, words="", waits=waits)
            told = visitor.texts.text("console-staff-took-over", name=visitor.member.name)
            await self._show(tx, dialogue, Author.SYSTEM, told)
            await self._record(tx, Action.DIALOGUE_TAKE_OVER, visitor, dialogue)
        await self._finish(channel, taken)

    async def answer(self, visitor: Visitor, dialogue: Dialogue, text: str, *, once: UUID) -> None:
        """Send a person's words to the client, whom the agent leaves to them. `once`: the same form sent again sends
        nothing."""
        turn_id = uuid5(dialogue.id, f"console:{once}")
        channel, words = await self._channel(dialogue), storable(text).strip()[:LONGEST_ANSWER]
        async with self._core.database.company(visitor.company_id) as tx:
            # Who sends the same form twice waits here for the first, and then finds its words.
            ids = await self._stores.clients.list_dialogues(tx, dialogue)
            await self._stores.handovers.put_in_charge(tx, ids, InCharge.PERSON)
            if await self._stores.outbox.has_turn(tx, turn_id):
                return
            taken = await self._take(tx, visitor, channel, dialogue, words=words, waits=False)
            payload = Reply(text=words).model_dump(mode="json", exclude_defaults=True)
            await self._stores.outbox.put(tx, dialogue, [payload], turn_id=turn_id, author=Author.PERSON)
            await self._show(tx, dialogue, Author.PERSON, f"{visitor.member.name}: {words}")
            await self._record(tx, Action.DIALOGUE_REPLY, visitor, dialogue)
        log.info("person_answered", dialogue_id=str(dialogue.id), where="console")
        await self._finish(channel, taken)

    async def settle_draft(self, visitor: Visitor, dialogue: Dialogue, draft_id: UUID, *, send: bool) -> None:
        """Send what the agent would say, or let it be; what was settled meanwhile stays as it was."""
        channel = await self._channel(dialogue)
        async with self._core.database.company(visitor.company_id) as tx:
            draft = await self._stores.drafts.find_open(tx, draft_id)
            if draft is None or draft.dialogue_id != dialogue.id:
                return
            if send:
                await self._desk.send_draft(tx, dialogue, draft, staff_id=visitor.member.id)
                told = visitor.texts.text("staff-draft-sent", name=visitor.member.name)
            else:
                dropped, now = DraftStatus.DROPPED, self._core.clock()
                await self._stores.drafts.settle(tx, draft.id, dropped, now=now, staff_id=visitor.member.id)
                told = visitor.texts.text("staff-draft-dropped", name=visitor.member.name)
            await self._show(tx, dialogue, Author.SYSTEM, told)
            if send:
                await self._record(tx, Action.DIALOGUE_REPLY, visitor, dialogue)
        await self._finish(channel, _Changed(dialogue=dialogue))

    async def hand_back(self, visitor: Visitor, dialogue: Dialogue) -> None:
        """Let the agent answer again; what a person was asked to look at is looked at."""
        channel, scope = await self._channel(dialogue), self._scope(visitor)
        told = visitor.texts.text("staff-handed-back-by", name=visitor.member.name)
        async with self._core.database.company(visitor.company_id) as tx:
            if not await self._desk.hand_back(tx, scope, dialogue, told=told):
                ids = await self._stores.clients.list_dialogues(tx, dialogue)
                await self._stores.handovers.put_in_charge(tx, ids, InCharge.AGENT)
                await self._stores.handovers.resolve(tx, ids, now=self._core.clock())
            await self._record(tx, Action.DIALOGUE_HAND_BACK, visitor, dialogue)
        await self._finish(channel, _Changed(dialogue=dialogue))

    async def _take(
        self, tx: Transaction, visitor: Visitor, channel: Channel, dialogue: Dialogue, *, words: str, waits: bool
    ) -> _Changed:
        scope, thread = self._scope(visitor), await self._stores.handovers.find(tx, dialogue.id)
        staff_chat = thread.staff_chat if thread is not None else None
        if staff_chat is None:
            staff_chat = await self._notices.chat_of(channel, scope.branches, None)
        taken = await self._desk.take_over(
            tx,
            scope,
            dialogue,
            staff_chat=staff_chat,
            words=words,
            at=self._core.clock(),
            staff_id=visitor.member.id,
            client_waits=waits,
        )
        return _Changed(dialogue=dialogue, state=taken.state)

    async def _waits(self, tx: Transaction, dialogue: Dialogue) -> bool:
        """Say whether the last word is the client's."""
        last = await self._stores.dialogues.list_recent_messages(tx, [dialogue.id], limit=1)
        return bool(last) and last[-1].author is Author.CLIENT

    async def _show(self, tx: Transaction, dialogue: Dialogue, author: Author, words: str) -> None:
        now = self._core.clock()
        said = MirrorItem(author=author, text=words, at=now)
        await self._stores.handovers.show(tx, dialogue.id, dialogue.channel_id, [said], due_at=now + _AT_ONCE)

    async def _record(self, tx: Transaction, action: Action, visitor: Visitor, dialogue: Dialogue) -> None:
        await self._audit.record(tx, action, subject=f"dialogue {dialogue.id}", actor=visitor.actor)

    async def _finish(self, channel: Channel, changed: _Changed) -> None:
        if changed.state is not None:
            await self._stores.states.copy(key_of(channel, changed.dialogue), changed.state)
        await self._core.doorbell.ring(WorkKind.DELIVERY)

    async def _channel(self, dialogue: Dialogue) -> Channel:
        return await self._core.directory.get_channel(dialogue.company_id, dialogue.channel_id)

    def _scope(self, visitor: Visitor) -> CompanyScope:
        return CompanyScope(snapshot=visitor.snapshot, open_crm=_no_crm)


def _no_crm(_: object) -> NoReturn:
    raise AssertionError("nothing here asks a CRM")
