"""What a client answers to a reminder: that they come, or a wish to move or cancel, which goes the usual way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from db.booking_records import BookedAppointment
from db.records import Author
from orchestration.conversation import PROPOSAL_LIFETIME
from orchestration.menu import menu_rows
from orchestration.messages import Reply
from orchestration.my_appointments import MyAppointments
from orchestration.ports import VisitAnswers
from orchestration.reminders import CANCEL, COMING, MOVE, is_about, moment_text
from orchestration.turns import Turn

ANSWERED_WITHIN = timedelta(hours=36)
"""So long after a reminder a bare yes is an answer to it, where nothing was said in between."""
_WAYS = {MOVE: "move", CANCEL: "cancel"}


class Reminded:
    """Shows and changes only what is the client's own."""

    def __init__(self, answers: VisitAnswers, mine: MyAppointments) -> None:
        self._answers = answers
        self._mine = mine

    async def press(self, turn: Turn, rest: str) -> None:
        """Act on a button under a reminder; one of an earlier time is answered with what there is now."""
        what, _, about = rest.partition(":")
        id_, _, minute = about.partition(":")
        visit = await self._answers.find_visit(turn.dialogue, _uuid(id_))
        first = next((one for one in visit if one.id == _uuid(id_)), None)
        if first is None or first.starts_at <= turn.now:
            turn.replies.append(Reply(text=turn.texts.text("reminder-gone"), buttons=menu_rows(turn)))
            turn.outcome = "stale_button"
        elif not is_about(first, minute):
            when = self._when(turn, first)
            turn.replies.append(Reply(text=turn.texts.text("reminder-moved", when=when), buttons=menu_rows(turn)))
            turn.outcome = "stale_button"
        elif what == COMING:
            await self._coming(turn, visit, first)
        else:
            await self._mine.change(turn, _WAYS.get(what, ""), first.branch_id, first.crm_record_id)

    async def hear(self, turn: Turn) -> bool:
        """Take a bare yes, or words that say nothing but that they come, as an answer to the reminder just sent."""
        if turn.call is not None or _may_be_confirming(turn):
            return False
        if not (turn.texts.is_yes(turn.client_text) or turn.texts.is_one_of("reminder-coming-words", turn.client_text)):
            return False
        last = turn.history[-1] if turn.history else None
        if last is None or last.author is not Author.AGENT or turn.now - last.at > ANSWERED_WITHIN:
            return False
        visit = await self._answers.find_reminded(turn.dialogue, last.turn_id)
        if not visit or visit[0].starts_at <= turn.now:
            return False
        await self._coming(turn, visit, visit[0])
        return True

    async def _coming(self, turn: Turn, visit: Sequence[BookedAppointment], first: BookedAppointment) -> None:
        await self._answers.keep_coming(turn.dialogue, visit)
        turn.say(turn.texts.text("reminder-thanks", when=self._when(turn, first)))
        turn.outcome = "visit_confirmed"

    def _when(self, turn: Turn, booked: BookedAppointment) -> str:
        return moment_text(turn.texts, turn.scope.branch(booked.branch_id), booked)


def _may_be_confirming(turn: Turn) -> bool:
    """Say whether a yes may be one to a proposal, or its handling again: that goes first."""
    proposal = turn.conversation.proposal
    return proposal is not None and turn.now - proposal.shown_at <= 2 * PROPOSAL_LIFETIME


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
