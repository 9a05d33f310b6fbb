"""When a client is thanked for a visit and when invited again: tables of cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm.base import Appointment, RecordId, Staff, StaffId
from db.booking_records import BookedAppointment
from db.outreach_settings import OutreachSettings
from db.records import BranchId, CompanyId, DialogueId, new_id
from orchestration.care_rules import invited_at, not_thanked, plan_thanks, visits_of

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
VISIT = "aiadm-0123456789abcdef0123456789abcdef"


def record(external_id=VISIT, starts_at=NOON, service="Стрижка"):
    return BookedAppointment(
        id=new_id(),
        company_id=CompanyId(new_id()),
        branch_id=BranchId(new_id()),
        dialogue_id=DialogueId(new_id()),
        crm_record_id="7",
        external_id=external_id,
        starts_at=starts_at,
        duration=HOUR,
        service_names=(service,),
        staff_name="Анна",
        client_name="Елена",
        visitor_name=None,
        phone="+79160000001",
        phone_proved=True,
    )


def test_records_that_were_booked_together_are_one_visit():
    parts = [record(f"{VISIT}-2", NOON + HOUR, "Маникюр"), record(f"{VISIT}-1", NOON), record("", NOON)]
    together, alone = visits_of(parts)

    assert together.key == VISIT
    assert together.service_names == ("Стрижка", "Маникюр")
    assert together.ends_at == NOON + 2 * HOUR
    # Staff made it: it is known by its own record.
    assert alone.key.endswith(" 7")


@pytest.mark.parametrize(
    ("hours_after_start", "is_due", "waits"),
    [
        (0.5, False, True),
        (3.9, False, True),
        (4, True, False),
        pytest.param(27.9, True, False, id="a day is left for it"),
        pytest.param(28, False, False, id="too late"),
    ],
)
def test_thanks_come_some_hours_after_the_end_and_not_much_later(hours_after_start, is_due, waits):
    now = NOON + hours_after_start * HOUR
    plan = plan_thanks(visits_of([record()]), frozenset(), OutreachSettings(), now=now)

    assert bool(plan.due) is is_due
    assert (plan.next_at == NOON + 4 * HOUR) is waits


def test_what_is_decided_or_switched_off_is_not_due():
    visits, now = visits_of([record()]), NOON + 5 * HOUR
    off = OutreachSettings(thank_you=False)

    assert plan_thanks(visits, frozenset([VISIT]), OutreachSettings(), now=now).due == ()
    assert plan_thanks(visits, frozenset(), off, now=now).due == ()
    # It may be switched on by then.
    assert plan_thanks(visits, frozenset(), off, now=NOON).next_at == NOON + 4 * HOUR


def stands(**changes):
    there = Appointment(
        id=RecordId("7"), starts_at=NOON, duration=HOUR, staff=Staff(id=StaffId("1"), name="Анна"), services=()
    )
    return replace(there, **changes)


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ([stands()], None),
        ([None], "cancelled"),
        ([stands(cancelled=True)], "cancelled"),
        ([stands(missed=True)], "missed"),
        pytest.param([stands(cancelled=True), stands()], None, id="one of two took place"),
        pytest.param([stands(missed=True), stands()], None, id="came to one of two"),
    ],
)
def test_nobody_is_thanked_for_what_did_not_take_place(theirs, why):
    assert not_thanked(theirs) == why


@pytest.mark.parametrize(
    ("settings", "services", "weeks"),
    [
        pytest.param(OutreachSettings(), ("Стрижка",), None, id="off unless the owner turns it on"),
        pytest.param(OutreachSettings(win_back_weeks=5), ("Стрижка",), 5, id="the company's weeks"),
        pytest.param(
            OutreachSettings(win_back_weeks=5, win_back_services={"Окрашивание": 8}), ("окрашивание",), 8, id="its own"
        ),
        pytest.param(
            OutreachSettings(win_back_weeks=5, win_back_services={"Окрашивание": 8, "Маникюр": 3}),
            ("Окрашивание", "Маникюр"),
            3,
            id="of several the first that is due",
        ),
        pytest.param(OutreachSettings(win_back_services={"Стрижка": 3}), ("Стрижка",), None, id="still off"),
    ],
)
def test_a_client_is_invited_after_the_weeks_of_what_was_done(settings, services, weeks):
    at = invited_at(NOON, services, settings, now=NOON + WEEK)

    assert at == (NOON + weeks * WEEK if weeks else None)


def test_who_has_gone_elsewhere_is_not_invited():
    settings = OutreachSettings(win_back_weeks=5)

    assert invited_at(NOON, ("Стрижка",), settings, now=NOON + 31 * WEEK) is not None
    assert invited_at(NOON, ("Стрижка",), settings, now=NOON + 32 * WEEK) is None
