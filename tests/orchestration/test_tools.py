"""The agent's tools on a real company and the local CRM: what they tell the model, and what they refuse."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from db.booking_models import intents
from db.booking_records import StaffTime
from db.errors import DatabaseUnavailable
from db.records import Usage, new_id
from db.slot_claims import SlotClaims
from locales import Translator, languages
from orchestration.agent import Agent, AgentLimits
from orchestration.ports import CallPart, Content, ModelAnswer
from orchestration.prompts import PromptManager
from orchestration.tools.appointments import visitor_in
from orchestration.tools.base import Arguments, Tool
from orchestration.tools.manager import ToolManager


async def test_with_several_branches_the_agent_is_told_to_ask(desk):
    answer = await desk.call("get_services")

    assert answer["error"]["code"] == "branch_needed"
    assert [one["branch_id"] for one in answer["error"]["branches"]] == ["center", "ural"]
    assert await desk.code("get_staff", branch_id="nowhere") == "branch_needed"


async def test_services_are_the_branchs_own_told_in_the_companys_words(desk):
    center = {one["name"]: one for one in (await desk.call("get_services", branch_id="center"))["services"]}
    ural = {one["name"] for one in (await desk.call("get_services", branch_id="Урал"))["services"]}

    assert center["Стрижка женская"]["ask_before"] == ["Какая длина волос?"]
    assert center["Стрижка женская"]["price"] == "2500 руб."
    assert center["Маникюр"]["price"] == "от 1800 до 2200 руб."
    assert center["Маникюр"]["booking"] == "person"
    assert center["Консультация"]["booking"] == "person"
    assert center["Окрашивание"]["link"] == "https://example.org/colour"
    assert "Стрижка мужская" in ural
    assert "Свадебная причёска" not in ural
    found = (await desk.call("get_services", branch_id="center", query="маникюра"))["services"]
    assert [one["name"] for one in found] == ["Маникюр"]


async def test_a_time_that_somebody_is_booking_is_not_shown(desk):
    afternoon = {"date_from": "2026-11-25", "branch_id": "center", "time_from": "14:00", "time_to": "17:00"}
    hidden = {(time, "Анна Смирнова") for time in ("14:30", "15:00", "15:30")}
    beside = {("14:00", "Анна Смирнова"), ("16:00", "Анна Смирнова"), ("15:00", "Мария Иванова")}

    async def shown():
        found = await desk.call("get_available_slots", services=[{"service_id": "501"}], **afternoon)
        return {(slot["time"], slot["staff"]) for slot in found["slots"]}

    assert await shown() >= hidden | beside
    booked = StaffTime(
        branch_id=desk.scope.branches[0].id,
        staff_id="101",
        starts_at=datetime(2026, 11, 25, 15, 0, tzinfo=ZoneInfo("Europe/Moscow")),
        duration=timedelta(hours=1),
    )
    async with desk.house.core.database.company(desk.scope.company.id) as tx:
        expires_at = desk.turn.now + timedelta(minutes=1)
        await SlotClaims().take(tx, {new_id(): booked}, now=desk.turn.now, expires_at=expires_at)

    assert await shown() >= beside
    assert not await shown() & hidden


async def test_slots_are_told_by_the_branchs_own_clock(desk):
    center = await desk.slot()
    found = await desk.call(
        "get_available_slots", services=[{"service_id": "701"}], date_from="2026-11-25", branch_id="ural"
    )
    windowed = await desk.call(
        "get_available_slots",
        services=[{"service_id": "501", "staff_id": "101"}],
        date_from="2026-11-25",
        branch_id="center",
        time_from="15:00",
        time_to="16:00",
    )

    assert (center["time"], center["weekday"], center["price"]) == ("09:00", "среда", "2500 руб.")
    assert found["slots"][0]["time"] == "10:00"
    assert [one["time"] for one in windowed["slots"]] == ["15:00", "15:30", "16:00"]
    assert {one["staff"] for one in windowed["slots"]} == {"Анна Смирнова"}


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("get_available_slots", {"services": [{"service_id": "501"}], "date_from": "2026-11-23"}, "dates_past"),
        (
            "get_available_slots",
            {"services": [{"service_id": "501"}], "date_from": "2026-11-25", "date_to": "2026-11-24"},
            "dates_past",
        ),
        (
            "get_available_slots",
            {"services": [{"service_id": "501"}], "date_from": "2026-11-25", "date_to": "2026-12-25"},
            "dates_too_far",
        ),
        ("get_available_slots", {"services": [{"service_id": "501"}], "date_from": "2027-11-25"}, "dates_too_far"),
        ("get_available_slots", {"services": [{"service_id": "999"}], "date_from": "2026-11-25"}, "unknown_service"),
        ("get_available_slots", {"services": [{"service_id": "503"}], "date_from": "2026-11-25"}, "booked_by_person"),
        ("get_available_slots", {"services": [], "date_from": "2026-11-25"}, "invalid_arguments"),
        ("get_available_slots", {"services": [{"service_id": "501"}], "date_from": "завтра"}, "invalid_arguments"),
        (
            "get_available_slots",
            {"services": [{"service_id": "501"}], "date_from": "2026-11-25", "price": 1},
            "invalid_arguments",
        ),
        ("get_staff", {"service_id": "999"}, "unknown_service"),
        ("create_appointment", {"slot_id": "s_invented"}, "unknown_slot"),
        ("cancel_appointment", {"appointment_id": "a_invented"}, "unknown_appointment"),
        ("reschedule_appointment", {"appointment_id": "a_invented", "slot_id": "s_x"}, "unknown_appointment"),
        ("tell_staff", {"kind": "late", "text": "x", "appointment_id": "a_invented"}, "unknown_appointment"),
        ("transfer_money", {}, "unknown_tool"),
        ("get_products", {}, "unknown_tool"),
    ],
)
async def test_what_cannot_be_is_refused_in_words_the_model_can_use(desk, name, arguments, code):
    if name in ("get_available_slots", "get_staff"):
        arguments = {**arguments, "branch_id": "center"}

    answer = await desk.call(name, **arguments)

    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
    assert desk.turn.replies == []


async def test_a_service_with_prepayment_gets_the_crms_link_and_staff_a_note(desk):
    await desk.call("get_available_slots", services=[{"service_id": "504"}], date_from="2026-11-25", branch_id="center")

    [reply] = desk.turn.replies
    assert "предоплатой" in reply.text
    assert "https://" in reply.text
    assert "Свадебная причёска" in desk.turn.notices[0].text


async def test_a_service_with_a_link_gets_it(desk):
    await desk.call("get_available_slots", services=[{"service_id": "502"}], date_from="2026-11-25", branch_id="center")

    assert "https://example.org/colour" in desk.turn.replies[0].text


async def test_questions_to_ask_before_are_demanded_and_the_visitor_is_shown(desk):
    slot = await desk.slot()

    assert await desk.code("create_appointment", slot_id=slot["slot_id"]) == "answers_needed"
    await desk.call(
        "create_appointment", slot_id=slot["slot_id"], comment="Длинные", visitor_name="Маша", phone="+7 916 123-45-67"
    )

    [reply] = desk.turn.replies
    assert "Придёт: Маша" in reply.text
    assert "Центр, Москва, ул. Мира, 1" in reply.text
    assert desk.turn.dialogue.typed_phone == "+79161234567"
    async with desk.house.core.database.company(desk.scope.company.id) as tx:
        assert await tx.connection.scalar(select(func.count()).select_from(intents)) == 0


@pytest.mark.parametrize("spoken", sorted(languages()))
async def test_who_comes_is_found_in_the_record_whatever_the_client_speaks(desk, spoken):
    """The record's comment is the staff's, in the company's language."""
    desk.turn.texts = Translator.for_language(spoken)

    assert visitor_in(desk.turn, ["Записал помощник", "Придёт: Маша"]) == "Маша"
    assert visitor_in(desk.turn, ["Записал помощник"]) is None


async def test_a_phone_that_only_the_model_wrote_is_no_phone(desk):
    slot = await desk.slot()

    await desk.call("create_appointment", slot_id=slot["slot_id"], comment="Длинные", phone="+7 999 000-00-00")

    assert desk.turn.dialogue.typed_phone is None
    assert desk.turn.replies[0].ask_contact


async def test_an_offer_expires(desk):
    slot = await desk.slot()
    desk.turn.now += timedelta(minutes=31)

    assert await desk.code("create_appointment", slot_id=slot["slot_id"], comment="x") == "unknown_slot"


async def test_a_person_is_called_for_one_of_a_closed_set_of_kinds(desk):
    """Gemini checks arguments against the declaration in its VALIDATED mode: the values have to stand in it, inline."""
    [declared] = [one for one in desk.manager.declarations(desk.scope) if one.name == "call_a_person"]
    kinds = declared.parameters["properties"]["kind"]["enum"]

    assert kinds == ["unknown_topic", "complaint", "health", "asked_for", "other"]
    assert declared.parameters["required"] == ["kind", "summary"]
    assert "$" not in str(declared.parameters)
    assert await desk.code("call_a_person", kind="boredom", summary="x") == "invalid_arguments"
    for kind in kinds:
        await desk.call("call_a_person", kind=kind, summary="x")
    assert [one.reason for one in desk.turn.handovers] == kinds
    assert len({notice.text for notice in desk.turn.notices}) == len(kinds)


async def test_tools_are_declared_in_one_order_and_only_those_that_fit(desk):
    names = [one.name for one in desk.manager.declarations(desk.scope)]

    assert names == [
        "get_services",
        "get_staff",
        "get_available_slots",
        "create_appointment",
        "my_appointments",
        "reschedule_appointment",
        "cancel_appointment",
        "join_waiting_list",
        "call_a_person",
        "tell_staff",
    ]
    for one in desk.manager.declarations(desk.scope):
        assert one.parameters["type"] == "object"
        assert "anyOf" not in str(one.parameters)


async def test_every_call_is_kept_with_its_outcome(desk):
    await desk.call("get_services", branch_id="center")
    await desk.call("get_services", branch_id="center", query="x" * 5000)

    assert [(one.name, one.outcome) for one in desk.turn.tool_calls] == [
        ("get_services", "ok"),
        ("get_services", "invalid_arguments"),
    ]
    assert desk.turn.tool_calls[1].arguments == {"truncated": True}


async def test_a_turn_whose_time_runs_out_while_a_tool_runs_leaves_no_call_without_its_result(desk):
    """Gemini answers 400 to a history with a call and no result: the dialogue would never be answered again."""

    class CallsAtOnce:
        async def generate(self, request):
            call = CallPart(id="1", name="never_ends", arguments={})
            return ModelAnswer(content=Content(role="model", parts=(call,)), usage=Usage(calls=1), model="scripted")

    async def never_end(turn, arguments):
        await asyncio.Event().wait()

    tool = Tool(name="never_ends", description="Never ends.", arguments=Arguments, run=never_end, reads_only=True)
    limits = AgentLimits(time=timedelta(milliseconds=50))

    await Agent(CallsAtOnce(), ToolManager((tool,)), PromptManager(), limits).answer(desk.turn, "Хочу постричься")

    assert [content.role for content in desk.turn.said] == ["user", "model"]
    assert not any(content.calls for content in desk.turn.said)
    assert "администратор" in desk.turn.replies[-1].text


async def test_a_failure_of_tools_side_by_side_is_told_as_what_it_is(desk):
    """In an exception group an outage counted against the message: five of them, and it was put on the dead list."""

    class CallsTwo:
        async def generate(self, request):
            calls = tuple(CallPart(id=id_, name="breaks", arguments={}) for id_ in "12")
            return ModelAnswer(content=Content(role="model", parts=calls), usage=Usage(calls=1), model="scripted")

    async def break_(turn, arguments):
        raise DatabaseUnavailable("starting up")

    tool = Tool(name="breaks", description="Breaks.", arguments=Arguments, run=break_, reads_only=True)

    with pytest.raises(DatabaseUnavailable):
        await Agent(CallsTwo(), ToolManager((tool,)), PromptManager(), AgentLimits()).answer(desk.turn, "Цены?")
