"""The console's day as the CRM has it: what the agent booked, and what was booked past it."""

from __future__ import annotations

import re
from datetime import date, datetime, time

import pytest

from db.staff import Role
from house_console import Salon

ANNA, MARIA = "Анна Смирнова", "Мария Иванова"
INNA = "+79169990001"
ON = "?on=2026-11-25"


@pytest.fixture
async def salon(house):
    return await Salon.of(house)


@pytest.fixture
def served(house):
    return house.url


@pytest.fixture
async def day(house):
    """A visit of the agent's at 15:00, and two that staff have made: Инна with Анна, Жанна with Мария."""
    client = house.client("Елена")
    await client.reaches_proposal()
    await client.presses("Да, записать")
    crm = house.salon_staff()
    for hour, master, name, phone in ((17, ANNA, "Инна", INNA), (11, MARIA, "Жанна", "+79169990002")):
        starts = datetime.combine(date(2026, 11, 25), time(hour))
        crm.book_by_hand(master=master, service="Стрижка женская", starts=starts, client=name, phone=phone)
    return client


def phone_paths(told):
    return re.findall(r'action="(/console/day/[^"]+/records/[^"]+/phone)"', told)


async def test_the_whole_day_stands_there_by_time_with_numbers_masked(house, salon, sign_in, day):
    browser = await sign_in(salon)

    first = await browser.get(f"/console/day{ON}")
    told = await browser.get(f"/console/day/crm{ON}")

    assert "Инна" not in first
    assert "Сверяем с CRM" in first
    assert [one for one in re.findall(r"Жанна|Елена|Инна", told)] == ["Жанна", "Елена", "Инна"]
    assert told.count("не через помощника") == 2
    assert told.count("в CRM так же") == 1
    assert INNA not in told
    assert day.phone not in told


async def test_a_day_is_asked_for_in_one_call_however_many_visits_it_has(house, salon, sign_in, day):
    browser = await sign_in(salon)
    calls = house.vendors.yclients.calls
    before = len(calls)

    await browser.get(f"/console/day/crm{ON}")

    made = [one["path"] for one in list(calls)[before:]]
    assert sum("/records/" in one for one in made) == 1
    assert not any("/record/" in one for one in made)


async def test_a_number_of_the_crms_own_client_is_shown_to_who_may_see_it_and_that_is_written_down(
    house, salon, sign_in, day, audit
):
    browser = await sign_in(salon)
    path = phone_paths(await browser.get(f"/console/day/crm{ON}"))[-1]
    assert await audit(salon.company_id, "phone.view") == []

    shown = await browser.post(path, htmx=True)

    assert f'href="tel:{INNA}"' in shown
    [view] = await audit(salon.company_id, "phone.view")
    assert view.subject.startswith("record ")
    assert view.actor == f"staff telegram:{browser.member.telegram_user_id}"


async def test_a_master_sees_only_their_own_and_no_number(house, salon, sign_in, day):
    owner = await sign_in(salon)
    path = phone_paths(await owner.get(f"/console/day/crm{ON}"))[-1]
    browser = await sign_in(salon, Role.MASTER, name=ANNA)

    told = await browser.get(f"/console/day/crm{ON}")

    assert "Инна" in told
    assert "Жанна" not in told
    assert phone_paths(told) == []
    assert INNA not in told
    await browser.post(path, status=403)


async def test_an_administrator_of_another_branch_gets_no_number(house, salon, sign_in, day, audit):
    owner = await sign_in(salon)
    path = phone_paths(await owner.get(f"/console/day/crm{ON}"))[-1]
    browser = await sign_in(salon, Role.ADMINISTRATOR, branches=("elsewhere",))

    await browser.post(path, status=404)

    assert await audit(salon.company_id, "phone.view") == []


async def test_where_the_crm_does_not_answer_only_ours_are_shown_and_that_is_said(house, salon, sign_in, day):
    browser = await sign_in(salon)
    house.salon_staff().fail("day", times=1000, status=500)

    told = await browser.get(f"/console/day/crm{ON}")

    assert "Елена" in told
    assert "Инна" not in told
    assert "CRM не ответила: показаны только записи, которые сделал помощник" in told


async def test_ours_that_is_not_on_the_crms_day_is_asked_for_and_said_to_be_cancelled(house, salon, sign_in, day):
    browser = await sign_in(salon)
    [record] = [str(one["id"]) for one in house.records() if one["client"]["name"] == "Елена"]
    house.salon_staff().cancel_by_hand(record)

    assert "в CRM отменено" in await browser.get(f"/console/day/crm{ON}")
