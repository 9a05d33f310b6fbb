"""Notes to the agent's instructions: staff propose them, an owner's tap lets them into force, /undo takes them back."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from bot.staff_ask import StaffAnswer, StaffAsk
from db.agent_notes import LONGEST_NOTE, MOST_IN_FORCE, AgentNote, AgentNotes, NoteState
from db.audit import Action, AuditTrail
from db.outbox import Outbox
from db.records import Author
from db.staff import Role, Staff
from handlers.staff_notices import chat_with
from orchestration.messages import Button, Reply
from orchestration.staff_press import About, StaffPress
from orchestration.staff_rules import Right, may

ADMIT, REFUSE = "yes", "no"


class StaffNotes:
    """Each method is one command, or one press."""

    def __init__(self, notes: AgentNotes, staff: Staff, outbox: Outbox, audit: AuditTrail) -> None:
        self._notes = notes
        self._staff = staff
        self._outbox = outbox
        self._audit = audit

    async def propose(self, ask: StaffAsk) -> StaffAnswer:
        """Keep a note, and ask the owners to let it into force."""
        text = " ".join(ask.word.argument.split())
        if not text:
            return StaffAnswer(text=ask.texts.text("staff-note-usage"))
        if len(text) > LONGEST_NOTE:
            return StaffAnswer(text=ask.texts.text("staff-note-too-long", most=LONGEST_NOTE))
        note = await self._notes.propose(ask.tx, text, author=ask.member, now=ask.now)
        if note is None:
            return StaffAnswer(text=ask.texts.text("staff-note-too-many-wait"))
        asked = ask.texts.text("staff-note-proposed", text=note.text, by=note.author_name)
        buttons = self._buttons(ask, note)
        await self._ask_owners(ask, asked, buttons)
        await self._audit.record(
            ask.tx, Action.NOTE_PROPOSE, subject=f"note {note.id}", after={"text": note.text}, actor=ask.actor
        )
        return StaffAnswer(text=asked, buttons=buttons)

    async def press(self, ask: StaffAsk) -> StaffAnswer:
        """Let a note into force, or not, as an owner's tap says."""
        press = StaffPress.read(ask.word.action or "", ids=1)
        note = await self._notes.find(ask.tx, press.ids[0]) if press is not None else None
        if press is None or note is None:
            return StaffAnswer(text=ask.texts.text("staff-stale-button"), closes=True)
        if not may(ask.member, Right.DECIDE_NOTES):
            return StaffAnswer(text=ask.texts.text("staff-note-owner-decides"))
        if note.state is not NoteState.PROPOSED:
            decided = ask.texts.text("staff-note-decided", state=note.state.value, by=note.decided_by or "—")
            return StaffAnswer(text=decided, closes=True)
        if press.answer != ADMIT:
            await self._decide(ask, note, NoteState.UNDONE)
            return StaffAnswer(text=ask.texts.text("staff-note-refused", text=note.text), closes=True)
        if await self._notes.count_in_force(ask.tx) >= MOST_IN_FORCE:
            return StaffAnswer(text=ask.texts.text("staff-note-too-many", most=MOST_IN_FORCE))
        await self._decide(ask, note, NoteState.IN_FORCE)
        text = ask.texts.text("staff-note-in-force", text=note.text)
        return StaffAnswer(text=text, closes=True, changes_company=True)

    async def list(self, ask: StaffAsk) -> StaffAnswer:
        """Say what stands, with who wrote it and when."""
        standing = await self._notes.list_standing(ask.tx)
        if not standing:
            return StaffAnswer(text=ask.texts.text("staff-notes-none"))
        lines = [self._line(ask, note) for note in standing]
        return StaffAnswer(text="\n".join((ask.texts.text("staff-notes"), *lines)))

    async def undo(self, ask: StaffAsk) -> StaffAnswer:
        """Take the last note back: an owner whichever it is, others of those that they wrote themselves."""
        own = None if may(ask.member, Right.DECIDE_NOTES) else ask.member.id
        note = await self._notes.find_last(ask.tx, of=own)
        if note is None:
            return StaffAnswer(text=ask.texts.text("staff-undo-none"))
        await self._decide(ask, note, NoteState.UNDONE)
        was_in_force = note.state is NoteState.IN_FORCE
        return StaffAnswer(text=ask.texts.text("staff-undone", text=note.text), changes_company=was_in_force)

    async def _decide(self, ask: StaffAsk, note: AgentNote, state: NoteState) -> None:
        await self._notes.decide(ask.tx, note, state, by=ask.member.name, now=ask.now)
        action = Action.NOTE_ADMIT if state is NoteState.IN_FORCE else Action.NOTE_UNDO
        before, after = {"state": note.state.value}, {"state": state.value}
        await self._audit.record(ask.tx, action, subject=f"note {note.id}", before=before, after=after, actor=ask.actor)

    async def _ask_owners(self, ask: StaffAsk, text: str, buttons: tuple[tuple[Button, ...], ...]) -> None:
        """Ask the owners in private too: they need not read the group."""
        for owner in await self._staff.list(ask.tx, now=ask.now):
            if owner.role is not Role.OWNER or owner.telegram_user_id is None:
                continue
            chat = chat_with(ask.bot, str(owner.telegram_user_id))
            if chat.key == ask.where.key:
                continue
            payload = Reply(text=text, buttons=buttons).model_dump(mode="json", exclude_defaults=True)
            await self._outbox.put(ask.tx, chat, [payload], turn_id=None, author=Author.SYSTEM)

    def _buttons(self, ask: StaffAsk, note: AgentNote) -> tuple[tuple[Button, ...], ...]:
        admit = StaffPress(About.NOTE, ADMIT, (note.id,)).button(ask.texts.text("staff-note-admit"))
        refuse = StaffPress(About.NOTE, REFUSE, (note.id,)).button(ask.texts.text("staff-note-refuse"))
        return ((admit, refuse),)

    def _line(self, ask: StaffAsk, note: AgentNote) -> str:
        zone = ZoneInfo(ask.scope.branches[0].time_zone) if ask.scope.branches else None
        return ask.texts.text(
            "staff-note-line",
            state=note.state.value,
            text=note.text,
            by=note.author_name,
            when=ask.texts.moment(note.created_at.astimezone(zone)),
        )
