"""Who answers a client: the agent or a person. Every method works within the caller's transaction.

The client's row in `sessions` says it. A turn that commits locks that row first (`save_dialogue`), and so does whoever
takes over: whichever of the two is second sees what the first did. What the agent has said already but nobody has sent
is dropped by who takes over, and each piece is asked for once more right before it is sent (handlers/delivery.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from bot.console.links import ConsoleLinks, console_address
from db.audit import AuditTrail
from db.clients import Clients
from db.dialogue_state import DialogueStates
from db.dialogues import Dialogues
from db.drafts import Draft, Drafts, DraftStatus
from db.engine import Transaction
from db.handovers import Handovers, MirrorItem
from db.outbox import Outbox
from db.records import Author, Channel, ChannelType, Dialogue, DialogueState, HistoryMessage, InCharge, WorkKind, new_id
from db.staff import Staff, StaffId
from db.work import ring
from handlers.staff_notices import StaffNotices
from locales import Translator
from orchestration.conversation import Conversation
from orchestration.messages import Attachment, Message, Reply
from orchestration.modes import Way
from orchestration.ports import Clock
from orchestration.scope import CompanyScope
from orchestration.turns import StaffNotice, TurnResult

if TYPE_CHECKING:
    from bot.app import Core

WRITTEN = frozenset({ChannelType.TELEGRAM, ChannelType.WHATSAPP})
"""Channels in which a person can write to the client whenever they like."""
_SOON = timedelta(seconds=1)
"""What is said together is shown together: a group takes few messages a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverStores:
    clients: Clients
    dialogues: Dialogues
    handovers: Handovers
    outbox: Outbox
    drafts: Drafts
    staff: Staff
    states: DialogueStates
    audit: AuditTrail
    links: ConsoleLinks


def people_stores(core: Core) -> HandoverStores:
    """Return where it stands who answers whom."""
    return HandoverStores(
        clients=Clients(),
        dialogues=Dialogues(),
        handovers=Handovers(),
        outbox=Outbox(core.clock),
        drafts=Drafts(),
        staff=Staff(),
        states=DialogueStates(core.redis, core.redis_prefix),
        audit=core.audit,
        links=ConsoleLinks(console_address(core.settings), core.audit, core.clock),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What a person's answer changed: whose state was put to rest (to be copied after the commit), and what the agent
    had said that is not sent."""

    dialogue: Dialogue
    state: DialogueState | None
    dropped: Sequence[str]


class HandoverDesk:
    def __init__(self, stores: HandoverStores, notices: StaffNotices, clock: Clock) -> None:
        self._stores = stores
        self._notices = notices
        self._clock = clock

    async def after_turn(
        self,
        tx: Transaction,
        channel: Channel,
        scope: CompanyScope,
        messages: Sequence[Message],
        result: TurnResult,
        in_charge: InCharge,
        *,
        last_update: UUID,
        way: Way = Way.ANSWER,
        unsent: Sequence[Reply] = (),
    ) -> Sequence[StaffNotice]:
        """Do what a turn means for who answers next, and show staff what was said; return the notices that are left.

        `in_charge`: who is in charge as the turn is committed; `last_update`: the last that the turn is of; `unsent`:
        the agent's words that a person came before.
        """
        if channel.type not in WRITTEN or result.erases_client:
            return result.notices
        dialogue, notices = result.dialogue, result.notices
        if result.hands_back and in_charge is InCharge.PERSON:
            await self.hand_back(tx, scope, dialogue)
            in_charge = InCharge.AGENT
        shown = dialogue.shown_to_staff
        if in_charge is InCharge.PERSON and not shown:
            # A person answers this client in another channel, and sees this one from now on.
            shown = await self._call(tx, channel, scope, result)
        if result.handovers or way in (Way.PEOPLE, Way.DRAFT):
            opened = await self._call(tx, channel, scope, result)
            shown = shown or opened
            if opened:
                own = [one for one in notices if one.calls_person]
                await self._show(
                    tx, dialogue, [MirrorItem(author=Author.SYSTEM, text=one.text, at=self._clock()) for one in own]
                )
                notices = tuple(one for one in notices if not one.calls_person)
        if shown:
            thread = await self._stores.handovers.find(tx, dialogue.id)
            known = thread is not None and thread.shown_until is not None and thread.shown_until >= last_update
            await self._show(tx, dialogue, _said(scope, () if known else messages, result, unsent, now=self._clock()))
            if known and result.replies and in_charge is InCharge.AGENT:
                await self._stores.handovers.agent_answered(tx, dialogue.id)
        if in_charge is InCharge.PERSON:
            await self._stores.handovers.client_wrote(tx, dialogue.id, at=self._clock())
            await self._watch(tx, dialogue, self._clock())
        return notices

    async def wait_for_people(
        self,
        tx: Transaction,
        channel: Channel,
        scope: CompanyScope,
        dialogue: Dialogue,
        messages: Sequence[Message],
        *,
        last_update: UUID,
    ) -> None:
        """Show staff what the client wrote; the agent answers it itself where nobody does for some minutes."""
        staff_chat = await self._notices.chat_of(channel, scope.branches, None)
        ids = await self._stores.clients.list_dialogues(tx, dialogue)
        thread = await self._stores.handovers.open(
            tx,
            dialogue,
            dialogues=ids,
            staff_chat=staff_chat,
            reason=Way.WAIT.value,
            now=self._clock(),
            at_once=False,
            client_waits=True,
        )
        if thread.shown_until is None or thread.shown_until < last_update:
            await self._show(tx, dialogue, _client_said(messages))
            await self._stores.handovers.keep_shown(tx, dialogue.id, last_update)

    async def put_draft(self, tx: Transaction, dialogue: Dialogue, draft: Draft) -> None:
        """Keep what the agent would say, and show it to staff with the buttons that send it or let it be."""
        await self._stores.drafts.put(tx, draft, now=self._clock())
        words = "\n\n".join(str(reply.get("text", "")) for reply in draft.replies if reply.get("text"))
        await self._show(
            tx, dialogue, [MirrorItem(author=Author.AGENT, text=words, at=self._clock(), draft_id=draft.id)]
        )

    async def send_draft(self, tx: Transaction, dialogue: Dialogue, draft: Draft, *, staff_id: StaffId) -> None:
        """Let the agent's words go out as they are."""
        stores = self._stores
        await stores.drafts.settle(tx, draft.id, DraftStatus.SENT, now=self._clock(), staff_id=staff_id)
        await stores.outbox.put(tx, dialogue, draft.replies, turn_id=draft.turn_id)
        if draft.said:
            said = HistoryMessage(
                author=Author.AGENT,
                text=str(draft.said["text"]),
                at=self._clock(),
                turn_id=draft.turn_id,
                parts=tuple(draft.said.get("parts", ())),
                model=draft.said.get("model"),
                prompt_version=draft.said.get("prompt_version"),
            )
            await stores.dialogues.add_messages(tx, dialogue.id, [said])
        await stores.handovers.agent_answered(tx, dialogue.id)

    async def take_over(
        self,
        tx: Transaction,
        scope: CompanyScope,
        dialogue: Dialogue,
        *,
        staff_chat: Dialogue | None,
        words: str,
        at: datetime,
        staff_id: StaffId | None = None,
        client_waits: bool = False,
    ) -> TakenOver:
        """Put the person who has just answered in charge: nothing more of the agent's goes out, and it knows what they
        said. Sending the words is the caller's.

        Where their words take the place of a draft, the agent goes on writing drafts: it says nothing by itself there.
        `client_waits`: they have not answered yet, they only say that they will.
        """
        stores = self._stores
        settled = DraftStatus.DROPPED if client_waits else DraftStatus.EDITED
        instead = await stores.drafts.settle_open(tx, dialogue.id, settled, now=self._clock(), staff_id=staff_id)
        ids = await stores.clients.list_dialogues(tx, dialogue)
        await stores.handovers.open(
            tx,
            dialogue,
            dialogues=ids,
            staff_chat=staff_chat,
            reason="person_answered",
            now=self._clock(),
            at_once=client_waits or not instead,
            client_waits=client_waits,
        )
        # What waited for the people's answer is looked at anew: they have given it.
        await ring(
            tx,
            dialogue_id=dialogue.id,
            channel_id=dialogue.channel_id,
            kind=WorkKind.TURN,
            due_at=self._clock(),
        )
        dropped = await stores.handovers.drop_agents_words(tx, ids)
        if words:
            said = HistoryMessage(author=Author.PERSON, text=words, at=at, turn_id=new_id())
            await stores.dialogues.add_messages(tx, dialogue.id, [said])
        state = await self._put_to_rest(tx, dialogue)
        if not client_waits:
            await stores.handovers.person_answered(tx, dialogue.id, at=self._clock())
        await self._watch(tx, dialogue, self._clock())
        if dropped:
            texts = Translator.for_language(scope.agent.language)
            told = texts.text("staff-agent-silenced", words="\n\n".join(dropped))
            await self._show(tx, dialogue, [MirrorItem(author=Author.SYSTEM, text=told, at=self._clock())])
        return TakenOver(dialogue=dialogue, state=state, dropped=dropped)

    async def hand_back(self, tx: Transaction, scope: CompanyScope, dialogue: Dialogue, *, told: str = "") -> bool:
        """Let the agent answer again; say whether anybody was in charge. `told`: what staff are shown of it."""
        thread = await self._stores.handovers.find(tx, dialogue.id)
        if thread is None or not thread.is_open:
            return False
        ids = await self._stores.clients.list_dialogues(tx, dialogue)
        await self._stores.handovers.close(tx, thread, ids, now=self._clock())
        words = told or Translator.for_language(scope.agent.language).text("staff-handed-back")
        await self._show(tx, dialogue, [MirrorItem(author=Author.SYSTEM, text=words, at=self._clock())])
        return True

    async def show(self, tx: Transaction, dialogue: Dialogue, words: str) -> None:
        """Show staff something about the client."""
        await self._show(tx, dialogue, [MirrorItem(author=Author.SYSTEM, text=words, at=self._clock())])

    async def show_answer(
        self, tx: Transaction, dialogue: Dialogue, words: str, attachment: Attachment | None, *, at: datetime
    ) -> None:
        """Show staff what one of them has answered past their chat."""
        file = _file(() if attachment is None else (attachment,))
        await self._show(tx, dialogue, [MirrorItem(author=Author.PERSON, text=words, at=at, file=file)])

    async def _call(self, tx: Transaction, channel: Channel, scope: CompanyScope, result: TurnResult) -> bool:
        """Show the client to staff, where there are any who can answer; say whether there are."""
        branch_id = next((one.branch_id for one in result.notices if one.calls_person), None)
        staff_chat = await self._notices.chat_of(channel, scope.branches, branch_id)
        if staff_chat is None or not await self._stores.staff.has_any(tx):
            return False
        ids = await self._stores.clients.list_dialogues(tx, result.dialogue)
        await self._stores.handovers.open(
            tx,
            result.dialogue,
            dialogues=ids,
            staff_chat=staff_chat,
            reason=result.handovers[0].reason if result.handovers else result.outcome,
            now=self._clock(),
            at_once=any(one.at_once for one in result.handovers),
            client_waits=True,
        )
        await self._watch(tx, result.dialogue, self._clock())
        return True

    async def _put_to_rest(self, tx: Transaction, dialogue: Dialogue) -> DialogueState | None:
        """Let no question of the agent's stand open: a yes now is one to the person."""
        kept = await self._stores.states.load_durable(tx, dialogue.id)
        resting = Conversation.from_state(kept).at_rest().to_state(kept.version)
        if (resting.state, dict(resting.data)) == (kept.state, dict(kept.data)):
            return None
        return await self._stores.states.save(tx, dialogue.id, resting)

    async def _show(self, tx: Transaction, dialogue: Dialogue, items: Sequence[MirrorItem]) -> None:
        due = self._clock() + _SOON
        await self._stores.handovers.show(tx, dialogue.id, dialogue.channel_id, items, due_at=due)

    async def _watch(self, tx: Transaction, dialogue: Dialogue, due_at: datetime) -> None:
        await ring(tx, dialogue_id=dialogue.id, channel_id=dialogue.channel_id, kind=WorkKind.HANDOVER, due_at=due_at)


def silenced(result: TurnResult) -> TurnResult:
    """Return the turn without the agent's words: a person has answered while it thought."""
    resting = Conversation.from_state(result.state).at_rest().to_state(result.state.version)
    kept = tuple(one for one in result.history if one.author is Author.CLIENT)
    return replace(result, replies=(), elsewhere=(), history=kept, state=resting, outcome="person_in_charge")


def as_draft(result: TurnResult) -> tuple[TurnResult, Draft | None]:
    """Return the turn with the agent's words taken out of it, and those; None where it said none."""
    kept = tuple(reply for reply in result.replies if not reply.text)
    words = [reply for reply in result.replies if reply.text]
    if not words:
        return result, None
    ours = next((one for one in result.history if one.author is Author.AGENT), None)
    said = (
        {
            "text": ours.text,
            "parts": [dict(part) for part in ours.parts],
            "model": ours.model,
            "prompt_version": ours.prompt_version,
        }
        if ours is not None
        else {}
    )
    draft = Draft(
        id=new_id(),
        dialogue_id=result.dialogue.id,
        turn_id=result.turn_id,
        replies=[reply.model_dump(mode="json", exclude_defaults=True) for reply in words],
        said=said,
    )
    history = tuple(one for one in result.history if one.author is not Author.AGENT)
    return replace(result, replies=kept, history=history), draft


def _client_said(messages: Sequence[Message]) -> list[MirrorItem]:
    return [
        MirrorItem(author=Author.CLIENT, text=_words(message), at=message.sent_at, file=_file(message.attachments))
        for message in messages
        if _words(message) or message.attachments
    ]


def _said(
    scope: CompanyScope, messages: Sequence[Message], result: TurnResult, unsent: Sequence[Reply], *, now: datetime
) -> list[MirrorItem]:
    """Return what staff are to be shown of a turn, in order."""
    items = _client_said(messages)
    answers = [reply.text for reply in result.replies if reply.text]
    if answers:
        items.append(MirrorItem(author=Author.AGENT, text="\n\n".join(answers), at=now))
    lost = "\n\n".join(reply.text for reply in unsent if reply.text)
    if lost:
        texts = Translator.for_language(scope.agent.language)
        items.append(MirrorItem(author=Author.SYSTEM, text=texts.text("staff-agent-silenced", words=lost), at=now))
    return items


def _words(message: Message) -> str:
    if message.text or message.label:
        return message.text or message.label or ""
    return f"/{message.command}" if message.command is not None else ""


def _file(attachments: Sequence[Attachment]) -> dict[str, object] | None:
    return attachments[0].model_dump(mode="json", exclude_none=True) if attachments else None
