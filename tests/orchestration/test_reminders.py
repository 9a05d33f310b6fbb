"""When a client is reminded: decided by a pure rule, whatever clocks, nights and late workers do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from crm.base import Capability
from db.booking_records import BookedAppointment, ReminderState
from db.quiet_hours import DEFAULT_QUIET
from db.records import AgentSettings, Branch, BranchId, Company, CompanyId, CompanySnapshot, CrmSettings, new_id
from locales import Translator, languages
from orchestration.reminders import (
    CANCEL,
    COMING,
    MOVE,
    Plan,
    action_of,
    client_zone,
    is_about,
    moment_of,
    plan,
    reminder,
)
from orchestration.scope import CompanyScope

MOSCOW, BERLIN, ALMATY = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Almaty")
DAY, TWO = timedelta(hours=24), timedelta(hours=2)
LEADS = (DAY, TWO)
PLANNED, SENT, SKIPPED = ReminderState.PLANNED, ReminderState.SENT, ReminderState.SKIPPED
AHEAD = {DAY: PLANNED, TWO: PLANNED}


def at(text, zone=MOSCOW, *, fold=0):
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=zone, fold=fold)


def decide(starts_at, now, states, *, leads=LEADS, zone=MOSCOW):
    return plan(starts_at, leads, states, quiet=DEFAULT_QUIET, zone=zone, now=now)


VISIT = at("11-25 15:00")


@pytest.mark.parametrize(
    ("now", "states", "expected"),
    [
        pytest.param(
            at("11-24 12:00"), {}, Plan(planned=LEADS, due_at=at("11-24 15:00")), id="booked a day and more ahead"
        ),
        pytest.param(
            at("11-25 09:00"),
            {},
            Plan(planned=(TWO,), skipped=(DAY,), due_at=at("11-25 13:00")),
            id="booked on the day itself",
        ),
        pytest.param(at("11-25 13:30"), {}, Plan(skipped=LEADS), id="booked an hour and a half ahead"),
        pytest.param(
            at("11-24 14:59"), AHEAD, Plan(due_at=at("11-24 15:00")), id="woken early, or by a clock that was put back"
        ),
        pytest.param(at("11-24 15:00"), AHEAD, Plan(send=DAY, due_at=at("11-25 13:00")), id="a day before"),
        pytest.param(
            at("11-24 18:00"), AHEAD, Plan(send=DAY, due_at=at("11-25 13:00")), id="three hours late, still of use"
        ),
        pytest.param(
            at("11-24 18:01"), AHEAD, Plan(skipped=(DAY,), due_at=at("11-25 13:00")), id="so late that the next does"
        ),
        pytest.param(
            at("11-24 16:00"), {**AHEAD, DAY: SENT}, Plan(due_at=at("11-25 13:00")), id="sent, and the clock goes on"
        ),
        pytest.param(
            at("11-24 13:00"),
            {**AHEAD, DAY: SENT},
            Plan(due_at=at("11-25 13:00")),
            id="sent, and the clock was put back by two hours",
        ),
        pytest.param(at("11-25 13:00"), {**AHEAD, DAY: SENT}, Plan(send=TWO), id="two hours before"),
        pytest.param(at("11-25 14:00"), {**AHEAD, DAY: SENT}, Plan(send=TWO), id="an hour late"),
        pytest.param(at("11-25 14:01"), {**AHEAD, DAY: SENT}, Plan(skipped=(TWO,)), id="more than an hour late"),
        pytest.param(at("11-25 13:10"), AHEAD, Plan(skipped=(DAY,), send=TWO), id="both are due: the last is enough"),
        pytest.param(at("11-25 13:10"), {DAY: SKIPPED, TWO: SENT}, Plan(), id="nothing is left"),
        pytest.param(at("11-25 13:10"), {DAY: PLANNED}, Plan(skipped=LEADS), id="a lead that came late by a setting"),
    ],
)
def test_what_is_done_about_a_visit_at_three_in_the_afternoon(now, states, expected):
    decided = decide(VISIT, now, states)

    assert decided == expected


MORNING, NIGHT_SHIFT = at("11-25 10:00"), at("11-25 00:30")


@pytest.mark.parametrize(
    ("starts_at", "now", "states", "expected"),
    [
        pytest.param(
            MORNING,
            at("11-23 12:00"),
            {},
            Plan(planned=LEADS, due_at=at("11-24 10:00")),
            id="two hours before ten is night: the evening before",
        ),
        pytest.param(
            MORNING,
            at("11-24 10:00"),
            AHEAD,
            Plan(send=DAY, due_at=at("11-24 20:00")),
            id="and the evening before comes after the day before",
        ),
        pytest.param(MORNING, at("11-24 20:00"), {**AHEAD, DAY: SENT}, Plan(send=TWO), id="in the evening"),
        pytest.param(
            MORNING, at("11-24 21:00"), {**AHEAD, DAY: SENT}, Plan(skipped=(TWO,)), id="late, and night: nothing"
        ),
        pytest.param(
            MORNING, at("11-24 20:30"), {}, Plan(skipped=LEADS), id="booked in the evening for the morning: no reminder"
        ),
        pytest.param(
            NIGHT_SHIFT,
            at("11-24 20:00"),
            {**AHEAD, DAY: SENT},
            Plan(send=TWO),
            id="a visit in the middle of the night",
        ),
    ],
)
def test_nobody_is_reminded_at_night(starts_at, now, states, expected):
    assert decide(starts_at, now, states) == expected


def test_a_visit_that_is_nearly_there_is_not_reminded_of():
    lead = timedelta(minutes=45)

    assert decide(VISIT, at("11-25 14:30"), {lead: PLANNED}, leads=(lead,)).send == lead
    assert decide(VISIT, at("11-25 14:31"), {lead: PLANNED}, leads=(lead,)) == Plan(skipped=(lead,))


@pytest.mark.parametrize(
    ("starts_at", "lead", "zone", "moment"),
    [
        pytest.param(at("03-29 15:00", BERLIN), DAY, BERLIN, at("03-28 14:00", BERLIN), id="a day with 23 hours"),
        pytest.param(at("10-25 15:00", BERLIN), DAY, BERLIN, at("10-24 16:00", BERLIN), id="a day with 25 hours"),
        pytest.param(
            at("03-29 10:00", BERLIN),
            TWO,
            BERLIN,
            at("03-28 20:00", BERLIN),
            id="the night in which an hour is missing",
        ),
        pytest.param(
            at("10-25 03:30", BERLIN), TWO, BERLIN, at("10-24 20:00", BERLIN), id="out of the hour that comes twice"
        ),
        pytest.param(at("11-25 12:00"), TWO, ALMATY, at("11-25 10:00"), id="ten in Moscow is noon in Almaty"),
        pytest.param(
            at("11-25 21:00"), TWO, ALMATY, at("11-25 18:00"), id="seven in the evening in Moscow is nine in Almaty"
        ),
    ],
)
def test_a_lead_is_counted_in_real_hours_and_the_night_by_the_clients_wall(starts_at, lead, zone, moment):
    assert moment_of(starts_at, lead, DEFAULT_QUIET, zone) == moment


def test_whatever_happens_each_is_sent_at_most_once_and_never_at_night():
    """An appointment looked at by a clock that jumps to and fro."""
    starts_at, states, sent = at("03-29 10:00", BERLIN), {}, []
    now = starts_at.astimezone(UTC) - timedelta(days=3)
    for step in range(2000):
        decided = plan(starts_at, LEADS, states, quiet=DEFAULT_QUIET, zone=BERLIN, now=now)
        states |= dict.fromkeys(decided.planned, PLANNED) | dict.fromkeys(decided.skipped, SKIPPED)
        if decided.send is not None:
            states[decided.send] = SENT
            sent.append(decided.send)
            assert 9 <= now.astimezone(BERLIN).hour < 21
        now += timedelta(minutes=-31 if step % 5 == 0 else 13)

    assert sorted(sent) == sorted(LEADS)


# ---- the words


def booked(**changes):
    made = BookedAppointment(
        id=UUID(int=7),
        company_id=CompanyId(new_id()),
        branch_id=BRANCH.id,
        dialogue_id=new_id(),
        crm_record_id="1",
        external_id="",
        starts_at=VISIT,
        duration=timedelta(hours=1),
        service_names=("Стрижка",),
        staff_name="Анна",
        client_name="Елена",
        visitor_name=None,
        phone="+79160000001",
        phone_proved=True,
    )
    return replace(made, **changes)


BRANCH = Branch(id=BranchId(new_id()), key="main", name="Элита", time_zone="Europe/Moscow", address="Тверская, 15")


class Crm:
    def __init__(self, *capabilities):
        self.capabilities = frozenset(capabilities)


def scope(*capabilities):
    company = Company(id=CompanyId(new_id()), slug="elita", name="Элита")
    snapshot = CompanySnapshot(
        company=company,
        agent=AgentSettings(),
        branches=(BRANCH,),
        crm=CrmSettings(type="yclients", options={}, secrets=""),
    )
    return CompanyScope(snapshot=snapshot, open_crm=lambda _: Crm(*capabilities))


def labels(reply):
    return [button.action.split(":")[1] for button in reply.choices]


ALL = (Capability.SLOTS, Capability.MOVE, Capability.CANCEL)


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_reminder_says_when_what_with_whom_and_where_and_asks_to_confirm_move_or_cancel(language):
    said = reminder(scope(*ALL), BRANCH, Translator.for_language(language), [booked()])

    assert all(word in said.text for word in ("15:00", "Стрижка", "Анна", "Тверская, 15"))
    assert labels(said) == [COMING, MOVE, CANCEL]
    assert all(len(button.text) <= 20 for button in said.choices), "WhatsApp draws no longer ones as buttons"
    assert all(len(button.action.encode()) <= 64 for button in said.choices)
    assert said.template is not None
    assert said.template.actions == tuple(button.action for button in said.choices)


def test_only_what_the_crm_can_do_is_offered():
    assert labels(reminder(scope(), BRANCH, Translator.for_language("ru"), [booked()])) == [COMING]


def test_who_has_said_that_they_come_is_not_asked_again_unless_the_visit_was_moved():
    texts, coming = Translator.for_language("ru"), booked(confirmed_for=VISIT)
    moved = replace(coming, starts_at=VISIT + timedelta(hours=1))

    assert labels(reminder(scope(*ALL), BRANCH, texts, [coming])) == [MOVE, CANCEL]
    assert labels(reminder(scope(*ALL), BRANCH, texts, [moved])) == [COMING, MOVE, CANCEL]


def test_the_records_of_one_visit_are_told_together():
    later = booked(id=UUID(int=8), starts_at=VISIT + timedelta(hours=1), service_names=("Маникюр",), staff_name="Ольга")
    said = reminder(scope(*ALL), BRANCH, Translator.for_language("ru"), [booked(), later])

    assert all(word in said.text for word in ("15:00", "Стрижка", "16:00", "Маникюр", "Ольга"))


def test_a_button_is_about_one_appointment_at_one_time():
    pressed = action_of(COMING, booked()).split(":")

    assert is_about(booked(), pressed[3])
    assert not is_about(booked(starts_at=VISIT + timedelta(minutes=30)), pressed[3])


def test_the_client_lives_by_the_clock_of_their_number():
    assert client_zone(booked(phone="+77010000000"), BRANCH, VISIT).key == "Asia/Almaty"
    assert client_zone(booked(phone=""), BRANCH, VISIT).key == "Europe/Moscow"
