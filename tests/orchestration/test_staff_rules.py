"""What each role may do and see, as tables; what staff's buttons carry; who is told how a master's time goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from crm.base import Slot, Staff, StaffId
from db.booking_records import BookedAppointment, IntentKind
from db.records import Branch, BranchId, Company, CompanyId, Dialogue, DialogueId, new_id
from db.staff import Role, StaffMember
from locales import Translator
from orchestration.identity import mask_phone, mask_phones
from orchestration.lateness import LateAnswer, free_from, told_to_late_client
from orchestration.staff_day_text import BranchDay, WaitingClient, day_text
from orchestration.staff_press import About, StaffPress, about_of
from orchestration.staff_rules import Right, branches_of, may, may_ask, sees_visit, shown_phone
from orchestration.staff_words import StaffCommand

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CENTER = Branch(id=BranchId(uuid4()), key="center", name="Центр", time_zone="Europe/Moscow")
URAL = Branch(id=BranchId(uuid4()), key="ural", name="Урал", time_zone="Asia/Yekaterinburg")
BOTH = (CENTER, URAL)
PHONE = "+79161234567"


def member(role, *, name="Анна Смирнова", branches=(), crm_staff_id=None):
    return StaffMember(id=uuid4(), name=name, role=role, branches=branches, crm_staff_id=crm_staff_id)


def visit(branch=CENTER, *, staff_name="Анна Смирнова", staff_id=None, **more):
    values = {
        "id": uuid4(),
        "company_id": CompanyId(uuid4()),
        "branch_id": branch.id,
        "dialogue_id": DialogueId(uuid4()),
        "crm_record_id": "1",
        "external_id": "e",
        "starts_at": NOW + timedelta(hours=3),
        "duration": timedelta(hours=1),
        "service_names": ("Женская стрижка",),
        "staff_name": staff_name,
        "client_name": "Елена",
        "visitor_name": None,
        "phone": PHONE,
        "phone_proved": True,
        "staff_id": staff_id,
    }
    return BookedAppointment(**{**values, **more})


RIGHTS = [
    # right, owner, administrator, master
    (Right.ANSWER_CLIENTS, True, True, True),
    (Right.SEE_DAY, True, True, True),
    (Right.SEE_WAITING, True, True, False),
    (Right.SEE_PHONES, True, True, False),
    (Right.EXPORT, True, True, False),
    (Right.PAUSE, True, True, False),
    (Right.WRITE_NOTES, True, True, False),
    (Right.DECIDE_NOTES, True, False, False),
    (Right.MOVE_DAY, True, True, False),
    (Right.STATISTICS, True, True, False),
    (Right.SETTINGS, True, False, False),
]


@pytest.mark.parametrize(("right", "owner", "administrator", "master"), RIGHTS, ids=[str(row[0]) for row in RIGHTS])
def test_a_role_has_these_rights_and_no_others(right, owner, administrator, master):
    assert [may(member(role), right) for role in (Role.OWNER, Role.ADMINISTRATOR, Role.MASTER)] == [
        owner,
        administrator,
        master,
    ]


def test_every_right_stands_in_the_table():
    assert {row[0] for row in RIGHTS} == set(Right)


@pytest.mark.parametrize(
    ("command", "owner", "administrator", "master"),
    [
        (StaffCommand.TODAY, True, True, True),
        (StaffCommand.BACK, True, True, True),
        (StaffCommand.PAUSE, True, True, False),
        (StaffCommand.RESUME, True, True, False),
        (StaffCommand.NOTE, True, True, False),
        (StaffCommand.NOTES, True, True, False),
        (StaffCommand.UNDO, True, True, False),
        (StaffCommand.SICK, True, True, False),
    ],
)
def test_a_command_is_for_these_roles(command, owner, administrator, master):
    roles = (Role.OWNER, Role.ADMINISTRATOR, Role.MASTER)

    assert [may_ask(member(role), command) for role in roles] == [owner, administrator, master]


@pytest.mark.parametrize(
    ("role", "branches", "seen"),
    [
        (Role.OWNER, (), BOTH),
        (Role.ADMINISTRATOR, (), BOTH),
        (Role.ADMINISTRATOR, ("ural",), (URAL,)),
        (Role.MASTER, ("center",), (CENTER,)),
        (Role.ADMINISTRATOR, ("gone",), ()),
    ],
)
def test_branches_are_the_members_own(role, branches, seen):
    assert branches_of(member(role, branches=branches), BOTH) == seen


MASTER = {"role": Role.MASTER, "crm_staff_id": "99"}
VISITS = [
    ("an owner sees any", {"role": Role.OWNER}, visit(URAL, staff_name="Ольга"), True),
    ("an administrator of the branch", {"role": Role.ADMINISTRATOR, "branches": ("ural",)}, visit(URAL), True),
    ("an administrator of another", {"role": Role.ADMINISTRATOR, "branches": ("center",)}, visit(URAL), False),
    ("a master by the CRM's id", MASTER, visit(staff_name="А. Смирнова", staff_id="99"), True),
    ("a namesake by the CRM's id", MASTER, visit(staff_id="7"), False),
    ("a visit without an id goes by the name", MASTER, visit(), True),
    ("a master without an id goes by the name", {"role": Role.MASTER}, visit(staff_id="99"), True),
    ("another master by the name", {"role": Role.MASTER}, visit(staff_name="Ольга", staff_id="7"), False),
    ("a master at another branch", {**MASTER, "branches": ("ural",)}, visit(staff_id="99"), False),
]


@pytest.mark.parametrize(("who", "of", "expected"), [row[1:] for row in VISITS], ids=[row[0] for row in VISITS])
def test_a_visit_is_seen_by_who_may(who, of, expected):
    assert sees_visit(member(**who), of, BOTH) is expected


@pytest.mark.parametrize(
    ("role", "private", "whole"),
    [
        (Role.OWNER, True, True),
        (Role.OWNER, False, False),
        (Role.ADMINISTRATOR, True, True),
        (Role.ADMINISTRATOR, False, False),
        (Role.MASTER, True, False),
        (Role.MASTER, False, False),
    ],
)
def test_a_whole_number_is_shown_in_private_to_who_may_see_it(role, private, whole):
    assert shown_phone(member(role), PHONE, private=private) == (PHONE if whole else "+7••••••••67")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (PHONE, "+7••••••••67"),
        ("8 (916) 123-45-67", "8 (•••) •••-••-67"),
        ("+7 701 111 22 33", "+7 ••• ••• •• 33"),
        ("", ""),
        ("12", "••"),
    ],
)
def test_a_number_is_masked_but_for_its_first_figure_and_its_last_two(text, masked):
    assert mask_phone(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Елена, +79161234567. Опоздает", "Елена, +7••••••••67. Опоздает"),
        ("8 916 123-45-67 и 89160000001", "8 ••• •••-••-67 и 8••••••••01"),
        ("Стрижка 2500 руб., 25 ноября, 15:00", "Стрижка 2500 руб., 25 ноября, 15:00"),
    ],
)
def test_numbers_are_masked_wherever_they_stand(text, masked):
    assert mask_phones(text) == masked


def test_a_button_is_read_as_it_was_written_and_fits_into_telegrams_64_bytes():
    longest = max((answer.value for answer in LateAnswer), key=len)
    press = StaffPress(About.LATE, longest, (new_id(), new_id()))

    assert StaffPress.read(press.action(), ids=2) == press
    assert len(press.action().encode()) <= 64
    assert about_of(press.action()) is About.LATE


@pytest.mark.parametrize(
    "action",
    ["", "staff", "staff:note", "staff:note:yes", "staff:note:yes:zzz", "mine:note:yes:AAAAAAAAAAAAAAAAAAAAAA",
     "staff:other:yes:AAAAAAAAAAAAAAAAAAAAAA", "staff:note:yes:ййййййййййййййййййййй"],
)  # fmt: skip
def test_what_is_no_button_of_staffs_is_none(action):
    assert StaffPress.read(action, ids=1) is None


def slot(hour, minute=0, *, length=30):
    starts_at = NOW.replace(hour=hour, minute=minute)
    staff = Staff(id=StaffId("1"), name="Анна")
    return Slot(starts_at=starts_at, duration=timedelta(minutes=length), staff=staff, service_ids=())


@pytest.mark.parametrize(
    ("slots", "minutes"),
    [
        ([], 0),
        ([slot(15)], 30),
        ([slot(15), slot(15, 30), slot(16)], 90),
        ([slot(15, 30), slot(15)], 60),
        ([slot(15, 10)], 40),
        ([slot(15, 30)], 0),
        ([slot(15), slot(17)], 30),
        ([slot(14, 30)], 0),
        ([slot(15, length=60), slot(15, 30, length=60)], 90),
    ],
)
def test_the_time_after_a_visit_is_what_is_sold_without_a_gap(slots, minutes):
    assert free_from(NOW.replace(hour=15), slots) == timedelta(minutes=minutes)


@pytest.mark.parametrize("language", ["ru", "en", "kk"])
def test_a_late_client_is_told_each_answer_in_other_words_and_led_on_where_it_is_to_be_moved(language):
    texts = Translator.for_language(language)
    told = {answer: told_to_late_client(texts, answer) for answer in LateAnswer}

    assert len({reply.text for reply in told.values()}) == len(LateAnswer)
    assert [answer for answer, reply in told.items() if reply.buttons] == [LateAnswer.MOVE]


def test_the_day_says_what_was_done_by_the_branchs_clock_and_who_waits_the_longest_first():
    texts, company = Translator.for_language("ru"), Company(id=CompanyId(uuid4()), slug="s", name="Элита")
    made, moved = visit(), replace(visit(URAL), client_name="Ольга")
    waits = Dialogue(id=DialogueId(uuid4()), company_id=company.id, channel_id=uuid4(), key="1", client_name="Ирина")
    longer = replace(waits, client_name="Зоя", proved_phone=PHONE)
    days = [
        BranchDay(branch=CENTER, writes=[(IntentKind.CREATE, made)]),
        BranchDay(branch=URAL, writes=[(IntentKind.MOVE, moved)]),
    ]
    waiting = [
        WaitingClient(dialogue=waits, since=NOW - timedelta(minutes=5)),
        WaitingClient(dialogue=longer, since=NOW - timedelta(minutes=65)),
    ]

    said = day_text(texts, company, days, waiting, mask_phone, now=NOW)

    assert "Центр: вторник, 24 ноября" in said
    assert "Помощник записал: 1, перенёс: 0, отменил: 0" in said
    assert "➕ вторник, 24 ноября, 15:00, Женская стрижка, Анна Смирнова. Елена, +7••••••••67" in said
    assert "🔁 вторник, 24 ноября, 17:00, Женская стрижка" in said
    assert said.index("Зоя, +7••••••••67: 1 час 5 минут") < said.index("Ирина: 5 минут")
    assert "на паузе" not in said


def test_a_day_of_a_paused_company_begins_with_who_paused_it_and_is_silent_of_who_waits_for_a_master():
    texts = Translator.for_language("ru")
    company = Company(id=CompanyId(uuid4()), slug="s", name="Элита", paused_at=NOW, paused_by="Мария")

    said = day_text(texts, company, [BranchDay(branch=CENTER, writes=[])], None, mask_phone, now=NOW)

    assert said.startswith("⏸ Помощник на паузе: вторник, 24 ноября, 12:00 (Мария)")
    assert "Ждут" not in said
    assert "не ждёт" not in said
