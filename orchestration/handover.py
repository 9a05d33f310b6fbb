"""Calling a person: the field of the turn's result, the staff's notice, and what the client is told."""

from __future__ import annotations

from orchestration.conversation import Step
from orchestration.trouble import client_label
from orchestration.turns import CallEnd, StaffNotice, Turn

AT_ONCE = frozenset({"asked_for", "complaint", "health", "paused", "listed_topic", "failures"})
"""Reasons for which a person answers from now on; for the others the agent goes on until they do."""
_FAILURES = frozenset({"reply_replaced", "voice_not_understood"})
"""How a turn ends in which the client got no answer to what they asked."""
_MOST_FAILURES = 3
_TOLD = {
    "complaint": "complaint-to-person",
    "health": "health-to-person",
    "photo": "photo-to-person",
    "paused": "agent-paused",
}
"""What is said where the reason asks for words of its own."""


def hand_over(turn: Turn, kind: str, summary: str) -> None:
    """Mark the dialogue for a person, ring the staff chat, and tell the client so. `kind` is what it is counted by.

    A call goes on with that person, or a message is taken down for them.
    """
    notice = turn.staff_texts.text("staff-call-person", kind=kind, client=client_label(turn), summary=summary or "—")
    at_once = kind in AT_ONCE
    turn.call_person(kind, summary, notice=StaffNotice(text=notice), at_once=at_once)
    if turn.call is None or kind in _TOLD:
        turn.say(turn.texts.text(_TOLD.get(kind, "person-called")))
    connect(turn)
    turn.outcome = "person_called"


def bring_in_after_failures(turn: Turn) -> None:
    """Call a person where the agent has failed the client several times in a row."""
    failures = turn.conversation.failures + 1 if turn.outcome in _FAILURES else 0
    if failures >= _MOST_FAILURES:
        hand_over(turn, "failures", turn.client_text)
        failures = 0
    if failures != turn.conversation.failures:
        turn.conversation = turn.conversation.model_copy(update={"failures": failures})


def connect(turn: Turn) -> None:
    """Pass a call on to whoever picks up now; where nobody does, ask what they are to be told."""
    if turn.call is None:
        return
    if turn.call.transfer_to is not None:
        turn.say(turn.texts.text("call-transfer"))
        turn.ends_call = CallEnd(reason="transfer", transfer_to=turn.call.transfer_to)
    else:
        turn.say(turn.texts.text("call-take-message"))
        turn.conversation = turn.conversation.at_rest().model_copy(update={"step": Step.TAKING_MESSAGE})
