"""Who was failed three times running is a person's; one answer in between begins the count anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from orchestration import handover
from orchestration.conversation import Conversation


@dataclass
class FakeTurn:
    outcome: str
    conversation: Conversation
    client_text: str = "Вопрос"
    called: list[str] = field(default_factory=list)


@pytest.mark.parametrize(
    ("outcomes", "called"),
    [
        (["reply_replaced"] * 3, 1),
        (["reply_replaced"] * 2, 0),
        (["reply_replaced", "voice_not_understood", "reply_replaced"], 1),
        (["reply_replaced", "reply_replaced", "answered", "reply_replaced"], 0),
        (["reply_replaced"] * 6, 2),
    ],
)
def test_three_failures_running_call_a_person(monkeypatch, outcomes, called):
    calls = []
    monkeypatch.setattr(handover, "hand_over", lambda turn, kind, summary: calls.append(SimpleNamespace(kind=kind)))
    conversation = Conversation()
    for outcome in outcomes:
        turn = FakeTurn(outcome=outcome, conversation=conversation)
        handover.bring_in_after_failures(turn)
        conversation = turn.conversation
    assert [one.kind for one in calls] == ["failures"] * called
