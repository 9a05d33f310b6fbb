"""What staff wrote and pressed becomes: words to a client, an edit of them, a hand-back, a command carried out.

Everything is written within the commit of the turn that read it: a member's words are on their way to the client, and
the agent is silent, or neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

import structlog

from bot.handover_desk import HandoverDesk, HandoverStores, TakenOver
from bot.staff_ask import StaffAsk
from bot.staff_commands import StaffCommands
from db.audit import Action, Actor
from db.dialogue_state import key_of
from db.drafts import DraftStatus
from db.engine import Transaction
from db.handovers import Thread
from db.records import ECHO, Author, Channel, Dialogue, dialogue_id_of
from db.staff import StaffMember
from db.strangers_told import may_tell_stranger
from handlers.staff_notices import chat_with
from locales import Translator
from orchestration.crm_day import CrmDay, DayKey
from orchestration.messages import Button, OutgoingFile, Reply
from orchestration.ports import Clock
from orchestration.scope import CompanyScope
from orchestration.staff_words import DROP_DRAFT, SEND_DRAFT, StaffCommand, StaffWord

log = structlog.get_logger()

_DRAFT_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class Taken:
    """What staff's words changed besides the database. `company_changed`: what processes keep of the company is old."""

    rested: list[TakenOver] = field(default_factory=list)
    """Whose states changed."""
    company_changed: bool = False
    crm_days: Mapping[DayKey, CrmDay] = field(default_factory=dict)
    """What was read for them."""


class StaffDesk:
    def __init__(self, stores: HandoverStores, handovers: HandoverDesk, clock: Clock) -> None:
        self._stores = stores
        self._handovers = handovers
        self._clock = clock
        self._commands = StaffCommands(
            stores.outbox, stores.staff, stores.handovers, stores.dialogues, stores.audit, stores.links
        )

    async def take(
        self,
        tx: Transaction,
        channel: Channel,
        scope: CompanyScope,
        where: Dialogue,
        words: Sequence[StaffWord],
        crm_days: Mapping[DayKey, CrmDay],
    ) -> Taken:
        """Carry out what staff said, in order, within the caller's transaction. `where`: the chat that they wrote in;
        `crm_days`: what CRMs have said of the days that it is about.

        States that changed are copied once it is committed (`copy_states`).
        """
        taken = Taken(crm_days=crm_days)
        for word in words:
            if word.from_owner:
                rested = await self._on_business_phone(tx, channel, scope, where, word)
            else:
                rested = await self._one(tx, channel, scope, where, word, taken)
            if rested is not None:
                taken.rested.append(rested)
        return taken

    async def copy_states(self, channel: Channel, changed: Sequence[TakenOver]) -> None:
        """Copy the states of dialogues that were put to rest; those of other channels are read from PostgreSQL."""
        for one in changed:
            if one.state is not None and one.dialogue.channel_id == channel.id:
                await self._stores.states.copy(key_of(channel, one.dialogue), one.state)

    async def _one(
        self,
        tx: Transaction,
        channel: Channel,
        scope: CompanyScope,
        where: Dialogue,
        word: StaffWord,
        taken: Taken,
    ) -> TakenOver | None:
        texts = Translator.for_language(scope.agent.language)
        if word.command is StaffCommand.ENROL:
            await self._enrol(tx, scope, where, word)
            return None
        thread = await self._thread_of(tx, where, word)
        member = await self._stores.staff.find(tx, word.author) if word.author else None
        if member is None:
            # Who only talks to others in the group is none of our business.
            if thread is not None or word.command is not None or word.action is not None:
                told = await may_tell_stranger(tx, where.id, now=self._clock())
                await self._answer(tx, where, word, texts.text("staff-not-enrolled") if told else "")
            return None
        if word.command is StaffCommand.BACK:
            await self._hand_back(tx, scope, where, word, thread, member)
        elif word.action is not None and word.action.startswith((f"{SEND_DRAFT}:", f"{DROP_DRAFT}:")):
            await self._press_draft(tx, scope, where, word, word.action, member)
        elif word.command is not None or word.action is not None:
            await self._command(tx, channel, scope, where, word, member, taken)
        elif word.edits is not None:
            await self._edit(tx, where, word, thread)
        elif thread is not None and word.text.startswith("/"):
            # A command with a slip in it is no word for the client.
            await self._answer(tx, where, word, texts.text("staff-unknown-command"))
        elif thread is not None:
            return await self._to_client(tx, scope, where, word, thread, member)
        return None

    async def _command(
        self,
        tx: Transaction,
        channel: Channel,
        scope: CompanyScope,
        where: Dialogue,
        word: StaffWord,
        member: StaffMember,
        taken: Taken,
    ) -> None:
        ask = StaffAsk(
            tx=tx,
            bot=channel,
            scope=scope,
            where=where,
            member=member,
            word=word,
            now=self._clock(),
            crm_days=taken.crm_days,
        )
        answer = await self._commands.run(ask)
        if answer is None:
            await self._answer(tx, where, word, ask.texts.text("staff-unknown-command"))
            return
        taken.company_changed = taken.company_changed or answer.changes_company
        await self._answer(tx, where, word, answer.text, answer.buttons, closes=answer.closes, turn_id=answer.turn_id)

    async def _press_draft(
        self,
        tx: Transaction,
        scope: CompanyScope,
        where: Dialogue,
        word: StaffWord,
        action: str,
        member: StaffMember,
    ) -> None:
        """Send the agent's words, or let them be: once, whoever of the staff presses first."""
        texts = Translator.for_language(scope.agent.language)
        verb, _, named = action.rpartition(":")
        if not _DRAFT_ID.fullmatch(named):
            # No button of ours: what a changed client presses may be anything.
            await self._answer(tx, where, word, texts.text("staff-draft-settled"))
            return
        draft = await self._stores.drafts.find_open(tx, UUID(named))
        client = await self._stores.dialogues.find_dialogue(tx, draft.dialogue_id) if draft is not None else None
        if draft is None or client is None:
            told = texts.text("staff-draft-settled")
        elif verb == SEND_DRAFT:
            await self._handovers.send_draft(tx, client, draft, staff_id=member.id)
            told = texts.text("staff-draft-sent", name=member.name)
        else:
            now = self._clock()
            await self._stores.drafts.settle(tx, draft.id, DraftStatus.DROPPED, now=now, staff_id=member.id)
            told = texts.text("staff-draft-dropped", name=member.name)
        await self._answer(tx, where, word, told, closes=True)

    async def _thread_of(self, tx: Transaction, where: Dialogue, word: StaffWord) -> Thread | None:
        """Return which client is meant: by the message that is replied to, else by the topic."""
        if word.reply_to is not None:
            found = await self._stores.handovers.find_by_message(tx, where.id, word.reply_to)
            if found is not None:
                return found
        return await self._stores.handovers.find_by_topic(tx, where.id, word.topic) if word.topic is not None else None

    async def _to_client(
        self,
        tx: Transaction,
        scope: CompanyScope,
        where: Dialogue,
        word: StaffWord,
        thread: Thread,
        member: StaffMember,
    ) -> TakenOver | None:
        client = await self._stores.dialogues.find_dialogue(tx, thread.dialogue_id)
        if client is None:
            return None
        file = None
        if word.attachment is not None and word.attachment.ref:
            given = word.attachment
            file = OutgoingFile(
                kind=given.kind, ref=given.ref, channel_id=str(where.channel_id), mime_type=given.mime_type
            )
        elif word.attachment is not None and not word.text:
            texts = Translator.for_language(scope.agent.language)
            await self._answer(tx, where, word, texts.text("staff-cannot-carry"))
            return None
        taken = await self._handovers.take_over(
            tx, scope, client, staff_chat=where, words=word.text, at=word.sent_at, staff_id=member.id
        )
        reply = Reply(text=word.text, file=file)
        await self._stores.outbox.put(
            tx, client, [_payload(reply)], turn_id=_turn_of(where, word.message_id), author=Author.PERSON
        )
        log.info("person_answered", dialogue_id=str(client.id))
        return taken

    async def _edit(self, tx: Transaction, where: Dialogue, word: StaffWord, thread: Thread | None) -> None:
        """Let the client see the words as they are now: before they went out, or in the message that they became."""
        if thread is None or word.edits is None or not word.text:
            return
        client = await self._stores.dialogues.find_dialogue(tx, thread.dialogue_id)
        if client is None:
            return
        turn_id = _turn_of(where, word.edits)
        if await self._stores.outbox.reword(tx, turn_id, word.text):
            return
        sent = await self._stores.outbox.find_message_of(tx, turn_id)
        if sent is not None:
            reply = Reply(text=word.text, replaces=sent)
            await self._stores.outbox.put(tx, client, [_payload(reply)], turn_id=turn_id, author=Author.PERSON)

    async def _hand_back(
        self,
        tx: Transaction,
        scope: CompanyScope,
        where: Dialogue,
        word: StaffWord,
        thread: Thread | None,
        member: StaffMember,
    ) -> None:
        texts = Translator.for_language(scope.agent.language)
        if thread is None:
            await self._answer(tx, where, word, texts.text("staff-back-where"))
            return
        client = await self._stores.dialogues.find_dialogue(tx, thread.dialogue_id)
        told = texts.text("staff-handed-back-by", name=member.name)
        if client is None or not await self._handovers.hand_back(tx, scope, client, told=told):
            await self._answer(tx, where, word, texts.text("staff-agent-answers-already"))

    async def _on_business_phone(
        self, tx: Transaction, channel: Channel, scope: CompanyScope, where: Dialogue, word: StaffWord
    ) -> TakenOver | None:
        """The business's own person has answered a client past us: the agent is silent, and nothing is sent again.

        What we have sent ourselves is no person's, should a messenger ever tell us of it so.
        """
        if await self._stores.outbox.is_ours(tx, channel.id, word.message_id):
            log.warning("echo_of_ours", channel=channel.type.value)
            return None
        client = await self._client_of(tx, channel, where.key.removeprefix(ECHO), word)
        thread = await self._stores.handovers.find(tx, client.id)
        staff_chat = thread.staff_chat if thread is not None else None
        taken = await self._handovers.take_over(
            tx, scope, client, staff_chat=staff_chat, words=word.text, at=word.sent_at
        )
        if staff_chat is not None:
            await self._handovers.show_answer(tx, client, word.text, word.attachment, at=word.sent_at)
        log.info("person_answered", dialogue_id=str(client.id), where="the business's own phone")
        return taken

    async def _client_of(self, tx: Transaction, channel: Channel, key: str, word: StaffWord) -> Dialogue:
        """Return whose dialogue this is, begun now where the client has never written.

        A messenger may know a client by another name now than when they wrote: then the number says who it is.
        """
        id_ = dialogue_id_of(channel.id, key)
        found = await self._stores.dialogues.find_dialogue(tx, id_)
        if found is None and word.client_phone is not None:
            found = await self._stores.dialogues.find_by_phone(tx, channel.id, word.client_phone)
        if found is not None:
            return found
        return await self._stores.dialogues.open_dialogue(
            tx, channel_id=channel.id, dialogue_id=id_, key=key, now=self._clock()
        )

    async def _enrol(self, tx: Transaction, scope: CompanyScope, where: Dialogue, word: StaffWord) -> None:
        texts = Translator.for_language(scope.agent.language)
        if not word.private or not word.author:
            await self._answer(tx, where, word, texts.text("staff-enrol-in-private"))
            return
        member = await self._stores.staff.enrol(tx, word.argument, telegram_user_id=word.author, now=self._clock())
        if member is None:
            await self._answer(tx, where, word, texts.text("staff-code-unknown"))
            return
        await self._stores.audit.record(
            tx,
            Action.STAFF_ENROL,
            subject=f"staff {member.id}",
            after={"name": member.name, "role": member.role.value},
            actor=Actor.staff("telegram", word.author),
        )
        log.info("staff_enrolled", staff_id=str(member.id), role=member.role.value)
        text = texts.text("staff-enrolled", name=member.name, company=scope.company.name, role=member.role.value)
        await self._answer(tx, where, word, text)

    async def _answer(
        self,
        tx: Transaction,
        where: Dialogue,
        word: StaffWord,
        text: str,
        buttons: tuple[tuple[Button, ...], ...] = (),
        *,
        closes: bool = False,
        turn_id: UUID | None = None,
    ) -> None:
        """Answer in the chat, and in the topic, in which it was said; without words, end a press alone."""
        if not text and word.press_id is None:
            return
        pressed = word.reply_to if closes and word.press_id is not None else None
        reply = Reply(
            text=text, topic=word.topic, acknowledges=word.press_id, closes_buttons_of=pressed, buttons=buttons
        )
        await self._stores.outbox.put(tx, where, [_payload(reply)], turn_id=turn_id, author=Author.SYSTEM)


def private_chat(bot: Channel, member: StaffMember) -> Dialogue | None:
    """Return a bot's private chat with a member; None where it is not known who they are there."""
    return None if member.telegram_user_id is None else chat_with(bot, str(member.telegram_user_id))


def _turn_of(where: Dialogue, message_id: str) -> UUID:
    """Name what becomes of a message of staff: an edit finds it again, and it is never put twice."""
    return uuid5(where.id, f"staff:{message_id}")


def _payload(reply: Reply) -> dict[str, object]:
    return reply.model_dump(mode="json", exclude_defaults=True)
