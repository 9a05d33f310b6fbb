"""A master's day that cannot be held, as pure rules: what staff type, whom they mean, how far it is with each visit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from crm.base import Appointment, AppointmentService, Phone, RecordId, ServiceId, Staff, StaffId
from db.booking_records import BookedAppointment
from db.records import Branch, BranchId, CompanyId, DialogueId
from locales import Translator
from orchestration.crm_day import Untold
from orchestration.sick_day import (
    ANSWER_WITHIN,
    Standing,
    VisitNow,
    list_text,
    mark_of,
    masters_named,
    offer_to_client,
    read_order,
    standing_of,
)

TEXTS = Translator.for_language("ru")
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BRANCH = Branch(id=BranchId(uuid4()), key="main", name="Центр", time_zone="Europe/Moscow")
VISIT = BookedAppointment(
    id=uuid4(),
    company_id=CompanyId(uuid4()),
    branch_id=BRANCH.id,
    dialogue_id=DialogueId(uuid4()),
    crm_record_id="1",
    external_id="e",
    starts_at=NOW + timedelta(hours=3),
    duration=timedelta(hours=1),
    service_names=("Стрижка",),
    staff_name="Анна Смирнова",
    client_name="Елена",
    visitor_name=None,
    phone="+79161234567",
    phone_proved=True,
)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Анна сегодня", ("Анна", TODAY)),
        ("Анна Смирнова завтра", ("Анна Смирнова", date(2026, 11, 25))),
        ("Анна 25.11", ("Анна", date(2026, 11, 25))),
        ("Анна 5.1", ("Анна", date(2027, 1, 5))),
        ("Анна 25.11.2026", ("Анна", date(2026, 11, 25))),
        ("Анна 2026-11-25", ("Анна", date(2026, 11, 25))),
        ("Анна 23.11.2026", None),
        ("Анна 31.02", None),
        ("Анна 99.99", None),
        ("Анна 1.6", None),
        ("Анна вчера", None),
        ("Анна", None),
        ("25.11", None),
        ("", None),
    ],
)
def test_who_and_which_day_are_read_as_people_write_them(typed, read):
    assert read_order(TEXTS, typed, TODAY) == read


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("анна", ["Анна Смирнова", "Анна Ли"]),
        ("анна см", ["Анна Смирнова"]),
        ("Смирнова Анна", ["Анна Смирнова"]),
        ("анна ли", ["Анна Ли"]),
        ("ольга", []),
        ("нна", []),
    ],
)
def test_a_master_is_found_by_the_beginnings_of_their_names(typed, meant):
    masters = ["Анна Смирнова", "Анна Смирнова", "Анна Ли", "Мария Иванова"]

    assert masters_named(typed, masters) == meant


ASKED = {"asked_at": NOW, "approved": True}
STANDINGS = [
    ("nobody was asked yet", VISIT, {}, Standing.LISTED),
    ("asked a moment ago", VISIT, ASKED, Standing.ASKED),
    ("no answer in time", VISIT, {**ASKED, "now": NOW + ANSWER_WITHIN}, Standing.PHONE),
    ("wrote after they were asked", VISIT, {**ASKED, "wrote_at": NOW + timedelta(seconds=1)}, Standing.ANSWERED),
    ("wrote before they were asked", VISIT, {**ASKED, "wrote_at": NOW - timedelta(seconds=1)}, Standing.ASKED),
    (
        "wrote, and is not phoned however long they choose",
        VISIT,
        {**ASKED, "wrote_at": NOW + timedelta(seconds=1), "now": NOW + timedelta(hours=2)},
        Standing.ANSWERED,
    ),
    ("has no messenger", VISIT, {"approved": True}, Standing.PHONE),
    ("has blocked the bot", VISIT, {**ASKED, "unreachable": True}, Standing.PHONE),
    ("moved to another time", replace(VISIT, starts_at=NOW + timedelta(days=2)), ASKED, Standing.MOVED),
    ("moved to another master", replace(VISIT, staff_name="Мария Иванова"), ASKED, Standing.MOVED),
    ("cancelled", replace(VISIT, cancelled=True), ASKED, Standing.CANCELLED),
    ("was off before", replace(VISIT, cancelled=True), {"off_already": True}, Standing.LISTED),
    ("was off, asked", replace(VISIT, cancelled=True), {"off_already": True, **ASKED}, Standing.ASKED),
    (
        "was off, booked again",
        replace(VISIT, cancelled=True),
        {"off_already": True, **ASKED, "booked_again": True},
        Standing.AGAIN,
    ),
]


@pytest.mark.parametrize(
    ("visit", "more", "standing"), [row[1:] for row in STANDINGS], ids=[row[0] for row in STANDINGS]
)
def test_how_far_it_is_with_a_visit(visit, more, standing):
    usual = {
        "was_at": VISIT.starts_at,
        "asked_at": None,
        "wrote_at": None,
        "unreachable": False,
        "booked_again": False,
        "approved": False,
        "off_already": False,
        "now": NOW,
    }

    assert standing_of(visit, "Анна Смирнова", **{**usual, **more}) is standing


def test_the_list_counts_who_is_to_be_phoned_and_says_what_it_does_not_know():
    visits = [
        VisitNow(visit=VISIT, standing=Standing.PHONE, was_at=VISIT.starts_at),
        VisitNow(visit=VISIT, standing=Standing.ASKED, was_at=VISIT.starts_at),
    ]

    def said(**more):
        return list_text(TEXTS, BRANCH, "Анна", TODAY, visits, lambda phone: "•", **more)

    assert "Позвонить: 1" in said(by="Мария")
    assert "CRM не ответила" in said(by="Мария", untold=Untold.SILENT)
    assert "в этой CRM ему не видны" in said(by=None, untold=Untold.CANNOT)
    assert "помощник:" not in said(by=None)
    assert "отменили в CRM одну за другой" in said(by=None, off_already=True)
    assert "15:00, Стрижка. Елена, • 📞 нужно позвонить" in said(by="Мария")


def test_visits_booked_past_the_agent_stand_in_the_list_by_time_to_be_phoned():
    def in_crm(hours, **more):
        return Appointment(
            id=RecordId(f"r{hours}"),
            starts_at=NOW + timedelta(hours=hours),
            duration=timedelta(hours=1),
            staff=Staff(id=StaffId("1"), name="Анна"),
            services=(AppointmentService(id=ServiceId("1"), title="Маникюр"),),
            **more,
        )

    visits = [VisitNow(visit=VISIT, standing=Standing.ASKED, was_at=VISIT.starts_at)]
    others = [in_crm(5, client_name="Инна", phone=Phone("+79160000001")), in_crm(1)]

    text = list_text(TEXTS, BRANCH, "Анна", TODAY, visits, lambda phone: "•", by="Мария", others=others)

    assert text.splitlines()[:4] == [
        "Анна, вторник, 24 ноября: записей 3",
        "13:00, Маникюр. Клиент без имени 📞 нужно позвонить",
        "15:00, Стрижка. Елена, • ⏳ спросили, ждём ответа",
        "17:00, Маникюр. Инна, • 📞 нужно позвонить",
    ]
    assert "Позвонить: 2" in text
    alone = list_text(TEXTS, BRANCH, "Анна", TODAY, [], lambda phone: "•", by=None, others=others)
    assert "позвоните им" in alone
    assert "Предложить клиентам" not in alone


@pytest.mark.parametrize("language", ["ru", "en", "kk"])
def test_a_client_is_offered_three_ways_and_two_where_the_visit_is_off_already(language):
    texts = Translator.for_language(language)

    standing = offer_to_client(texts, BRANCH, VISIT, "Москва")
    off = offer_to_client(texts, BRANCH, replace(VISIT, cancelled=True), "Москва")

    assert [button.action.split(":")[1] for button in standing.choices] == ["same", "other", "cancel"]
    assert [button.action.split(":")[1] for button in off.choices] == ["same", "other"]
    assert {button.action.split(":")[2] for button in standing.choices} == {mark_of(BRANCH.id, "1")}
    assert "Стрижка" in standing.text
