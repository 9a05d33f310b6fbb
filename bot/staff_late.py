"""Staff's answer to a client who is late: pressed once, told to the client by code in exactly these words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from bot.staff_ask import StaffAnswer, StaffAsk
from db.audit import Action, AuditTrail
from db.dialogues import Dialogues
from db.late_answers import take_late_answer
from db.outbox import Outbox
from db.records import Author, DialogueId, HistoryMessage
from locales import Translator
from orchestration.identity import mask_phone
from orchestration.lateness import LateAnswer, label_of, told_to_late_client
from orchestration.staff_day_text import client_text
from orchestration.staff_press import StaffPress

COUNTS_FOR = timedelta(hours=12)
"""A notice of yesterday is about a visit that is over."""


class StaffLate:
    def __init__(self, dialogues: Dialogues, outbox: Outbox, audit: AuditTrail) -> None:
        self._dialogues = dialogues
        self._outbox = outbox
        self._audit = audit

    async def press(self, ask: StaffAsk) -> StaffAnswer:
        """Tell the client what was pressed; a second answer to the same notice tells nothing but what the first was."""
        press = StaffPress.read(ask.word.action or "", ids=2)
        if press is None or press.answer not in set(LateAnswer):
            return StaffAnswer(text=ask.texts.text("staff-stale-button"), closes=True)
        answer, (client_id, notice_id) = LateAnswer(press.answer), press.ids
        client = await self._dialogues.find_dialogue(ask.tx, DialogueId(client_id))
        if client is None or ask.now - made_at(notice_id) > COUNTS_FOR:
            return StaffAnswer(text=ask.texts.text("staff-stale-button"), closes=True)
        standing = await take_late_answer(ask.tx, notice_id, client.id, answer=answer, by=ask.member.name, now=ask.now)
        if standing is not None:
            label = label_of(ask.texts, LateAnswer(standing))
            return StaffAnswer(text=ask.texts.text("staff-late-answered-already", answer=label), closes=True)
        texts = Translator.for_language(client.language, default=ask.scope.agent.language)
        reply = told_to_late_client(texts, answer)
        said = HistoryMessage(author=Author.PERSON, text=reply.text, at=ask.now, turn_id=notice_id)
        await self._dialogues.add_messages(ask.tx, client.id, [said])
        payload = reply.model_dump(mode="json", exclude_defaults=True)
        await self._outbox.put(ask.tx, client, [payload], turn_id=notice_id, author=Author.PERSON)
        await self._audit.record(
            ask.tx,
            Action.LATE_ANSWER,
            subject=f"dialogue {client.id}",
            after={"answer": answer.value},
            actor=ask.actor,
        )
        named = client_text(ask.texts, client.client_name, client.proved_phone or client.typed_phone, mask_phone)
        told = ask.texts.text("staff-late-told", client=named, words=reply.text, by=ask.member.name)
        return StaffAnswer(text=told, closes=True)


def made_at(id_: UUID) -> datetime:
    """Return when an id of ours was made: a uuid7 begins with it, in milliseconds (RFC 9562, 5.7)."""
    return datetime.fromtimestamp((id_.int >> 80) / 1000, tz=UTC)
