"""A client's whole number, which a group is not shown: given to who presses for it, in private, and written down."""

from __future__ import annotations

from bot.staff_ask import StaffAnswer, StaffAsk
from db.audit import Action, AuditTrail
from db.dialogues import Dialogues
from db.outbox import Outbox
from db.records import Author, DialogueId
from handlers.staff_notices import chat_with
from orchestration.messages import Reply
from orchestration.staff_press import StaffPress
from orchestration.trouble import label_of


class StaffPhones:
    def __init__(self, dialogues: Dialogues, outbox: Outbox, audit: AuditTrail) -> None:
        self._dialogues = dialogues
        self._outbox = outbox
        self._audit = audit

    async def press(self, ask: StaffAsk) -> StaffAnswer:
        """Give the number in the member's private chat with the bot, wherever it was pressed for."""
        press = StaffPress.read(ask.word.action or "", ids=1)
        client = await self._dialogues.find_dialogue(ask.tx, DialogueId(press.ids[0])) if press is not None else None
        if client is None or not (client.proved_phone or client.typed_phone):
            return StaffAnswer(text=ask.texts.text("staff-no-phone"))
        await self._audit.record(
            ask.tx, Action.PHONE_VIEW, subject=f"dialogue {client.id}", after={"shown": "phone"}, actor=ask.actor
        )
        label = label_of(client, ask.texts)
        if ask.word.private:
            return StaffAnswer(text=label)
        payload = Reply(text=label).model_dump(mode="json", exclude_defaults=True)
        chat = chat_with(ask.bot, str(ask.word.author))
        await self._outbox.put(ask.tx, chat, [payload], turn_id=None, author=Author.SYSTEM)
        return StaffAnswer(text=ask.texts.text("staff-phone-sent", name=ask.member.name))
