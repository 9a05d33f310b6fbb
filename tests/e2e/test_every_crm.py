"""The same conversation in every CRM: it ends with the appointment there, or with the page and a note for staff."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.demo_crms import connect_crm
from sandbox.bitrix24.server import Bitrix24Server
from sandbox.dikidi.server import DikidiServer
from sandbox.one_c.odata.staff_side import OneCODataSalon
from sandbox.one_c.service.server import OneCServiceSalon
from sandbox.seeds import elita_business

CRMS = {
    "bitrix24": lambda clock: Bitrix24Server(elita_business(), clock, threshold=100_000),
    "1c": lambda clock: OneCServiceSalon(elita_business(), clock=clock),
    "1c-odata": lambda clock: OneCODataSalon(elita_business(), clock=clock),
    "dikidi": lambda clock: DikidiServer(elita_business(), clock),
}


@pytest.fixture
async def connect(house):
    """Let the company keep its books in another CRM."""
    started = []

    async def connecting(salon):
        await salon.start()
        started.append(salon)
        await connect_crm(house.core, house.company_id, salon)
        return salon

    yield connecting
    for salon in started:
        await salon.stop()
        assert list(salon.violations) == []


@pytest.mark.parametrize("name", CRMS)
async def test_a_client_books_by_talking_and_the_visit_stands_in_the_crm(house, connect, name):
    salon = await connect(CRMS[name](house.clock))
    client = house.client()
    question = await client.reaches_proposal()
    receipt = await client.presses("Да, записать")

    assert "среда, 25 ноября, 15:00" in question.text
    assert "Готово, вы записаны" in receipt.text
    [visit] = salon.list_visits()
    assert (visit.starts, visit.master) == (datetime.fromisoformat("2026-11-25T15:00"), "Анна Смирнова")
    assert visit.services == ("Стрижка женская",)


@pytest.mark.parametrize("name", [name for name in CRMS if name != "dikidi"])
async def test_the_visit_is_cancelled_by_buttons_alone(house, connect, name):
    salon = await connect(CRMS[name](house.clock))
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    await client.says("/my")
    await client.presses("15:00")
    await client.presses("Отменить")
    await client.presses("Да, отменить запись")

    assert [visit.cancelled for visit in salon.list_visits()] in ([True], [])


@pytest.mark.parametrize("name", CRMS)
async def test_a_visit_is_reminded_of_where_it_can_be_read_again_and_not_once_staff_have_cancelled_it(
    house, connect, name
):
    salon = await connect(CRMS[name](house.clock))
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(snapshot.agent, reminders=(timedelta(hours=24), timedelta(hours=2)))
    await house.core.companies.replace_company(snapshot.company, agent, snapshot.branches)
    house.core.directory.forget(house.company_id)
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    await house.settles(reminders=True)
    [visit] = salon.list_visits()

    house.clock.now = datetime.fromisoformat("2026-11-24T15:00+03:00")
    await house.settles(crm=True, reminders=True)
    await house.settles()
    assert ("Напоминаю о вашей записи" in client.heard[-1]) is (name != "dikidi")
    if name == "dikidi":
        return
    assert "Спасибо, ждём вас" in (await client.presses("Приду")).text
    salon.cancel_by_hand(visit.id)
    house.clock.now = datetime.fromisoformat("2026-11-25T13:00+03:00")
    await house.settles(crm=True, reminders=True)
    await house.settles()
    assert not [text for text in client.heard if "Ждём вас: " in text]


async def test_where_a_crm_can_neither_move_nor_cancel_no_button_says_so(house, connect):
    await connect(CRMS["dikidi"](house.clock))
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    shown = await client.says("/my")
    await client.presses("15:00")

    assert "15:00" in shown.text
    assert not client.is_offered("Перенести")
    assert not client.is_offered("Отменить")


async def test_with_the_page_alone_the_client_gets_it_and_staff_the_wish(house, connect):
    salon = await connect(DikidiServer(elita_business(), house.clock, mode="link"))
    client = house.client()
    await client.says("Хочу постричься")
    answer = await client.says("Женская стрижка, завтра после обеда")
    await house.vendors.telegram.people.wait_for(client.bot_id, 555_000, lambda _: bool(house.staff_heard()))

    assert "https://dikidi.net/100500" in answer.text
    assert "Стрижка женская" in house.staff_heard()[-1]
    assert "завтра после обеда" in house.staff_heard()[-1]
    assert salon.list_visits() == ()
    assert salon.calls == ()


async def test_with_the_page_alone_the_command_gives_it_and_no_list_is_offered(house, connect):
    await connect(DikidiServer(elita_business(), house.clock, mode="link"))
    client = house.client()
    answer = await client.says("/book")
    await client.says("/help")

    assert "https://dikidi.net/100500" in answer.text
    assert client.is_offered("Записаться")
    assert not client.is_offered("Мои записи")


async def test_when_the_widget_can_no_longer_be_read_clients_get_the_page(house, connect):
    salon = await connect(DikidiServer(elita_business(), house.clock))
    salon.challenged = True
    for _ in range(2):
        await house.client().says("Хочу постричься завтра после обеда")
    client = house.client()
    await client.says("Хочу постричься")
    answer = await client.says("Женская стрижка, завтра после обеда")

    assert "https://dikidi.net/100500" in answer.text


async def test_what_the_crm_sells_is_told_beside_what_the_companys_file_says(house, connect):
    await connect(CRMS["1c"](house.clock))
    answer = await house.client().says("Какие у вас есть товары?")

    assert "Шампунь Matrix" in answer.text
    assert "Маска для волос" in answer.text
