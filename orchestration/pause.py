"""A paused company: clients are told that a person will answer, and are handed over to one."""

from __future__ import annotations

from db.records import Author
from orchestration.conversation import Step
from orchestration.handover import connect, hand_over
from orchestration.menu import ERASE
from orchestration.messages import Command
from orchestration.trouble import client_label
from orchestration.turns import StaffNotice, Turn

PAUSED = "paused"
"""What dialogues are handed over for, as it is counted."""


def goes_to_person(turn: Turn) -> bool:
    """Say whether the company's staff have paused the agent, and this turn is a person's to answer.

    What happens to a call is no question to the agent, a caller who leaves a message leaves it for a person, and that
    clients may have their data erased is not the staff's to pause.
    """
    message = turn.messages[0]
    if turn.scope.company.paused_at is None or message.call_event is not None:
        return False
    erases = message.command is Command.DELETE_ME or (message.action or "").partition(":")[0] == ERASE
    return not erases and turn.conversation.step is not Step.TAKING_MESSAGE


def answer_paused(turn: Turn) -> None:
    """Hand the client over, and tell them so once: not again to each word of theirs. What they were asked is void."""
    turn.conversation = turn.conversation.at_rest()
    message = turn.messages[0]
    words = turn.client_text or message.label or (f"/{message.command}" if message.command is not None else "")
    if _was_told(turn):
        notice = turn.staff_texts.text(
            "staff-call-person", kind=PAUSED, client=client_label(turn), summary=words or "—"
        )
        turn.call_person(PAUSED, words, notice=StaffNotice(text=notice))
        connect(turn)
    else:
        hand_over(turn, PAUSED, words)
    turn.outcome = PAUSED


def _was_told(turn: Turn) -> bool:
    """Say whether the last thing that was said to the client is that a person will answer."""
    last = next((one for one in reversed(turn.history) if one.author is not Author.CLIENT), None)
    return last is not None and last.text.endswith(turn.texts.text("agent-paused"))
