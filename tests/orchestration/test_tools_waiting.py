"""The model may offer the waiting list; it writes nothing, and what the client agrees to is the code's own words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.outreach_settings import OutreachSettings
from orchestration.turns import CallFacts
from orchestration.waiting_list import has_waiting_list

HAIRCUT = {"service_ids": ["501"], "date_from": "2026-11-25"}


async def test_the_client_is_asked_with_the_words_that_they_agree_to(salon):
    answer = await salon.call(
        "join_waiting_list", **HAIRCUT, staff_id="101", date_to="2026-11-27", time_from="14:00", time_to="18:00"
    )
    [reply] = salon.turn.replies
    wish = salon.turn.conversation.waits

    assert answer == {"status": "client_asked_to_agree"}
    assert "Стрижка женская, Анна Смирнова, среда, 25 ноября – пятница, 27 ноября, с 14:00, до 18:00" in reply.text
    assert "вы соглашаетесь получать от «Салон красоты Элита» сообщения" in reply.text
    assert [button.action for button in reply.choices] == [f"wait:yes:{wish.id}", f"wait:no:{wish.id}"]
    # Nothing is kept before the client's own yes.
    assert salon.turn.outreach == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({**HAIRCUT, "service_ids": ["nowhere"]}, "unknown_service"),
        ({**HAIRCUT, "staff_id": "999"}, "unknown_staff"),
        ({**HAIRCUT, "date_from": "2026-11-01"}, "dates_past"),
        ({**HAIRCUT, "date_to": "2027-01-25"}, "dates_too_far"),
        ({"date_from": "2026-11-25"}, "invalid_arguments"),
    ],
)
async def test_what_cannot_be_waited_for_is_refused_with_a_reason(salon, arguments, code):
    assert await salon.code("join_waiting_list", **arguments) == code
    assert salon.turn.replies == []


async def test_a_caller_cannot_be_told_of_anything_later(salon):
    salon.turn.call = CallFacts()

    assert await salon.code("join_waiting_list", **HAIRCUT) == "cannot_be_told"


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({}, True),
        ({"outreach": OutreachSettings(waiting_list=False)}, False),
    ],
)
async def test_the_tool_is_there_where_the_company_has_a_list(salon, changes, there):
    snapshot = replace(salon.scope.snapshot, agent=replace(salon.scope.agent, **changes))
    scope = replace(salon.scope, snapshot=snapshot)

    assert has_waiting_list(scope) is there
    names = [tool.name for tool in salon.manager.declarations(scope)]
    assert ("join_waiting_list" in names) is there
