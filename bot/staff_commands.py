"""What staff ask of the agent in their chat, carried out within the turn's commit: who may ask, and who does it.

Who asks is a member whom the owner enrolled; what their role allows is orchestration/staff_rules.py. What changes
something, and each view of a client's number, is written down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.console.links import ConsoleLinks
from bot.staff_ask import StaffAnswer, StaffAsk
from bot.staff_console import StaffConsole
from bot.staff_day import StaffDay
from bot.staff_late import StaffLate
from bot.staff_notes import StaffNotes
from bot.staff_phones import StaffPhones
from bot.staff_sick import StaffSick
from db.agent_notes import AgentNotes
from db.audit import Action, AuditTrail
from db.dialogues import Dialogues
from db.handovers import Handovers
from db.outbox import Outbox
from db.pause import read_paused, set_paused
from db.records import Author, Dialogue
from db.staff import Staff
from handlers.staff_notices import chat_with
from orchestration.messages import Reply
from orchestration.staff_press import About, about_of
from orchestration.staff_rules import Right, may, may_ask
from orchestration.staff_words import StaffCommand

Answering = Callable[[StaffAsk], Awaitable[StaffAnswer]]

PRESS_NEEDS: Mapping[About, Right] = {
    About.NOTE: Right.WRITE_NOTES,
    About.LATE: Right.ANSWER_CLIENTS,
    About.PHONE: Right.SEE_PHONES,
    About.SICK: Right.MOVE_DAY,
}


class StaffCommands:
    """Answers a command or a press. What is not a command of this table is somebody else's to answer."""

    def __init__(
        self,
        outbox: Outbox,
        staff: Staff,
        handovers: Handovers,
        dialogues: Dialogues,
        audit: AuditTrail,
        links: ConsoleLinks,
    ) -> None:
        self._outbox = outbox
        self._audit = audit
        day, late = StaffDay(handovers, dialogues, audit), StaffLate(dialogues, outbox, audit)
        notes = StaffNotes(AgentNotes(), staff, outbox, audit)
        sick = StaffSick(outbox, dialogues, audit)
        self._commands: Mapping[StaffCommand, Answering] = {
            StaffCommand.TODAY: day.tell,
            StaffCommand.PAUSE: self._on_pause,
            StaffCommand.RESUME: self._on_resume,
            StaffCommand.NOTE: notes.propose,
            StaffCommand.NOTES: notes.list,
            StaffCommand.UNDO: notes.undo,
            StaffCommand.CONSOLE: StaffConsole(links).tell,
            StaffCommand.SICK: sick.propose,
        }
        self._presses: Mapping[About, Answering] = {
            About.NOTE: notes.press,
            About.LATE: late.press,
            About.PHONE: StaffPhones(dialogues, outbox, audit).press,
            About.SICK: sick.press,
        }

    async def run(self, ask: StaffAsk) -> StaffAnswer | None:
        """Carry out what a member asks within the ask's transaction; None where it is nothing that stands here."""
        if ask.word.command is not None:
            command = self._commands.get(ask.word.command)
            if command is None:
                return None
            allowed = may_ask(ask.member, ask.word.command)
            return await command(ask) if allowed else _refused(ask)
        about = about_of(ask.word.action or "")
        if about is None:
            return None
        return await self._presses[about](ask) if may(ask.member, PRESS_NEEDS[about]) else _refused(ask)

    async def _on_pause(self, ask: StaffAsk) -> StaffAnswer:
        if not await set_paused(ask.tx, by=ask.member.name, now=ask.now):
            _, by = await read_paused(ask.tx) or (ask.now, "—")
            return StaffAnswer(text=ask.texts.text("staff-paused-already", by=by or "—"))
        await self._tell_others(ask, ask.texts.text("staff-paused-by", by=ask.member.name))
        await self._audit.record(
            ask.tx, Action.COMPANY_PAUSE, subject=ask.scope.company.slug, after={"paused": True}, actor=ask.actor
        )
        return StaffAnswer(text=ask.texts.text("staff-paused"), changes_company=True)

    async def _on_resume(self, ask: StaffAsk) -> StaffAnswer:
        if not await set_paused(ask.tx, by=None, now=ask.now):
            return StaffAnswer(text=ask.texts.text("staff-not-paused"))
        await self._tell_others(ask, ask.texts.text("staff-resumed-by", by=ask.member.name))
        await self._audit.record(
            ask.tx, Action.COMPANY_RESUME, subject=ask.scope.company.slug, after={"paused": False}, actor=ask.actor
        )
        return StaffAnswer(text=ask.texts.text("staff-resumed"), changes_company=True)

    async def _tell_others(self, ask: StaffAsk, text: str) -> None:
        """Tell the company's other staff chats: it holds for their clients too."""
        payload = Reply(text=text).model_dump(mode="json", exclude_defaults=True)
        for chat in _other_chats(ask):
            await self._outbox.put(ask.tx, chat, [payload], turn_id=None, author=Author.SYSTEM)


def _refused(ask: StaffAsk) -> StaffAnswer:
    return StaffAnswer(text=ask.texts.text("staff-not-allowed"))


def _other_chats(ask: StaffAsk) -> Sequence[Dialogue]:
    chats = dict.fromkeys(branch.staff_chat for branch in ask.scope.branches if branch.staff_chat)
    every = [chat_with(ask.bot, chat) for chat in chats]
    return [one for one in every if one.key != ask.where.key]
