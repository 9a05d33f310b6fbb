"""A master's day that cannot be held, with what was booked past the agent: who is written to, who is to be phoned."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from house_desk import IRINA, Desk

from db.staff import Role

TOMORROW = date(2026, 11, 25)
ANNA, MARIA = "Анна Смирнова", "Мария Иванова"
INNA = "+79169990001"


@pytest.fixture
async def desk(house):
    made = Desk(house)
    await made.enrol()
    return made


async def says(desk, text):
    await desk.people.send_text(desk.bot, IRINA, text)
    await desk.house.settles()
    return desk.heard[-1]


async def the_list(desk, after=timedelta(minutes=1)):
    """The list as it stands after some time."""
    desk.house.clock.advance(after)
    await desk.house.settles(people=True)
    await desk.house.settles()
    return next(text for text in reversed(desk.heard) if "записей" in text)


async def booked(house, at="15:00"):
    client = house.client()
    await client.reaches_proposal(at)
    await client.presses("Да, записать")
    return client


def by_hand(house, hour, *, master=ANNA, client="Инна", phone=INNA):
    """Staff book in their CRM."""
    return house.salon_staff().book_by_hand(
        master=master,
        service="Стрижка женская",
        starts=datetime.combine(TOMORROW, time(hour)),
        client=client,
        phone=phone,
    )


def days_asked(house):
    return sum("start_date" in one["path"] for one in house.vendors.yclients.calls)


async def test_who_was_booked_past_the_agent_is_in_the_list_and_is_phoned(house, desk):
    ours = await booked(house)
    record = by_hand(house, 17)
    by_hand(house, 17, master=MARIA, client="Чужая", phone="+79169990002")

    proposed = await says(desk, "/sick Анна завтра")

    assert "записей 2" in proposed
    assert "17:00, Стрижка женская. Инна, +7••••••••01 📞 нужно позвонить" in proposed
    assert "только записи, которые сделал помощник" not in proposed
    assert INNA not in proposed
    assert "Чужая" not in proposed

    await desk.presses("Предложить клиентам")
    assert "не сможет принять вас" in ours.heard[-1]
    assert "предложено клиентов: 1" in desk.heard[-1]
    assert "Позвонить: 1" in await the_list(desk)
    await desk.presses("Кому звонить")
    assert desk.heard[-1] == f"Инна, {INNA}"
    async with house.core.database.company(house.company_id) as tx:
        [view] = [one for one in await house.core.audit.list_entries(tx) if one.action == "phone.view"]
    assert view.after == {f"record {record}": "/sick"}

    house.salon_staff().cancel_by_hand(record)
    after = await the_list(desk)
    assert "записей 1" in after
    assert "Инна" not in after


async def test_a_client_of_the_crms_own_visit_whose_number_we_know_is_asked_like_ours(house, desk):
    client = house.client()
    await client.says("Здравствуйте")
    await client.shares_contact()
    record = by_hand(house, 17, client="Елена", phone=client.phone)

    proposed = await says(desk, "/sick Анна завтра")
    assert "17:00, Стрижка женская. Елена" in proposed
    assert "нужно позвонить" not in proposed
    await desk.presses("Предложить клиентам")

    assert f"{ANNA} не сможет принять вас: среда, 25 ноября, 17:00" in client.heard[-1]
    await client.presses("Отменить запись")
    await client.presses("Да")
    assert "➖ отменена" in await the_list(desk)
    assert record not in [str(one["id"]) for one in house.records()]


async def test_a_number_that_was_only_typed_is_no_way_to_its_owner(house, desk):
    client = house.client()
    await client.says("Здравствуйте")
    await client.says(f"Мой номер {INNA}")
    by_hand(house, 17)
    heard = len(client.heard)

    proposed = await says(desk, "/sick Анна завтра")

    assert "Инна, +7••••••••01 📞 нужно позвонить" in proposed
    with pytest.raises(AssertionError, match="no button"):
        await desk.presses("Предложить клиентам")
    assert len(client.heard) == heard


async def test_where_the_crm_does_not_answer_the_list_says_so_and_is_whole_once_it_does(house, desk):
    await booked(house)
    by_hand(house, 17)
    fault = house.salon_staff().fail("day", times=1000, status=500)

    proposed = await says(desk, "/sick Анна завтра")
    assert "записей 1" in proposed
    assert "CRM не ответила: показаны только записи, которые сделал помощник" in proposed
    await desk.presses("Кому звонить")
    assert "CRM не ответила" in desk.heard[-1]
    await desk.presses("Предложить клиентам")

    fault.times = 0
    after = await the_list(desk, timedelta(minutes=20))
    assert "записей 2" in after
    assert "Инна, +7••••••••01 📞 нужно позвонить" in after
    assert "CRM не ответила" not in after


async def test_a_free_day_is_said_to_be_free_and_an_unknown_one_is_not(house, desk):
    assert "записей нет" in await says(desk, "/sick Ольга завтра")

    house.salon_staff().fail("day", times=1000, status=500)
    unknown = await says(desk, "/sick Ольга завтра")

    assert "записей нет" not in unknown
    assert "CRM не ответила" in unknown


async def test_who_may_not_ask_does_not_trouble_the_crm(house):
    desk = Desk(house)
    await desk.enrol(Role.MASTER)
    before = days_asked(house)

    assert "не входит в ваши права" in await says(desk, "/sick Анна завтра")

    assert days_asked(house) == before
