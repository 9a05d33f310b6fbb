"""Calling a person: the field of the turn's result, the staff's notice, and what the client is told."""

from __future__ import annotations

from orchestration.trouble import client_label
from orchestration.turns import StaffNotice, Turn

_TOLD = {"complaint": "complaint-to-person", "health": "health-to-person", "photo": "photo-to-person"}
"""What is said where the reason asks for words of its own."""


def hand_over(turn: Turn, kind: str, summary: str) -> None:
    """Mark the dialogue for a person, ring the staff chat, and tell the client so. `kind` is what it is counted by."""
    notice = turn.staff_texts.text("staff-call-person", kind=kind, client=client_label(turn), summary=summary or "—")
    turn.call_person(kind, summary, notice=StaffNotice(text=notice))
    turn.say(turn.texts.text(_TOLD.get(kind, "person-called")))
    turn.outcome = "person_called"
