"""When something fails: the client always gets an answer, nothing is booked twice, and staff see why."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import select

from db.models import handovers
from sandbox.telegram.state import User

MINIMAL = """
name: {name}
slug: {slug}
time_zone: Asia/Yekaterinburg
address: Екатеринбург, ул. Малышева, 1
staff_chat: 555000
services:
  - name: Стрижка мужская
    price: 1700
    duration: 45
"""
KINDS = ("unknown_topic", "complaint", "health", "asked_for", "other")
OTHER_BOT = "700000002:SANDBOX-only-works-in-the-tests-000002"


async def staff_hear(house, words):
    people = house.vendors.telegram.people
    bot_id = house.bots[house.company_id]
    await people.wait_for(bot_id, 555_000, lambda _: any(words in heard for heard in house.staff_heard()))


async def test_wrong_credentials_the_client_is_called_back_and_staff_see_why(house):
    await house.core.companies.set_crm(
        house.company_id,
        "yclients",
        options={"api_url": house.vendors.yclients.url, "company_id": "4564"},
        secrets={name: SecretStr("wrong") for name in ("partner_token", "user_token")},
    )
    house.core.directory.forget(house.company_id)
    client = house.client()

    answer = await client.says("Хочу постричься завтра в 15:00")

    assert "перезвонят" in answer.text
    await staff_hear(house, "crm_auth_failed")


async def test_the_crm_is_down_the_wish_is_taken_down_and_a_person_is_told(house):
    client = house.client()
    house.vendors.yclients.fail_next("/book_services", times=20, html=True)
    house.vendors.yclients.fail_next("/company/", times=20, html=True)

    answer = await client.says("Хочу постричься завтра в 15:00")

    assert "перезвонят" in answer.text
    await staff_hear(house, "Хочу постричься завтра в 15:00")


@pytest.mark.parametrize("kind", ["unavailable", "blocked", "malformed_call", "cut"])
async def test_the_model_is_down_the_client_still_gets_an_answer(house, kind):
    client = house.client()
    house.vendors.gemini.fail_next(kind, times=20)

    answer = await client.says("Хочу постричься завтра")

    assert "администратор" in answer.text
    await staff_hear(house, "Хочу постричься завтра")


async def test_a_company_without_a_crm_still_talks(house):
    company_id = await house.add_company(MINIMAL.format(name="Без CRM", slug="nocrm"), OTHER_BOT)
    client = house.client(company_id=company_id)

    price = await client.says("Сколько стоит мужская стрижка?")
    booking = await client.says("Хочу записаться на мужскую стрижку завтра")

    assert "1700 руб." in price.text
    assert "администратор" in booking.text


async def test_two_companies_never_see_each_other(house):
    other = await house.add_company(MINIMAL.format(name="Борода", slug="boroda"), OTHER_BOT, account="7801")
    person = User(id=424242, first_name="Игорь")
    at_elita, at_boroda = house.client(), house.client(company_id=other)
    at_elita.user = at_boroda.user = person

    elita = await at_elita.says("Какие у вас услуги?")
    boroda = await at_boroda.says("Какие у вас услуги?")
    await at_elita.reaches_proposal()
    confused = await at_boroda.says("Да")
    await at_elita.presses("Да, записать")

    assert "Окрашивание" in elita.text
    assert "Окрашивание" not in boroda.text
    assert "мужская" in boroda.text
    assert "Готово" not in confused.text
    assert len(house.records()) == 1
    assert house.vendors.yclients.book.salons[7801].records == {}
    systems = [str(one.body) for one in house.vendors.gemini.requests]
    assert not any("Малышева" in body and "Тверская" in body for body in systems)


async def test_a_person_is_called_and_the_staff_chat_rings(house):
    client = house.client()

    answer = await client.says("Позовите человека")

    assert "администратор" in answer.text.lower()
    await staff_hear(house, "просит человека")


@pytest.mark.parametrize(
    ("words", "kind", "staff_words"),
    [
        ("Можно прийти с попугаем?", "unknown_topic", "нет ответа в сведениях компании"),
        ("У меня аллергия, это не опасно?", "health", "Вопрос о здоровье"),
        ("Хочу пожаловаться на администратора", "complaint", "Жалоба"),
        ("Позовите человека", "asked_for", "просит человека"),
        ("/person", "asked_for", "просит человека"),
    ],
)
async def test_what_a_person_is_called_for_is_kept_and_counted(house, words, kind, staff_words):
    counted = {one: handovers_of(one) for one in KINDS}

    await house.client().says(words)

    await staff_hear(house, staff_words)
    assert await kept_reasons(house) == [kind]
    assert {one: handovers_of(one) - before for one, before in counted.items()} == {one: one == kind for one in KINDS}


async def test_a_failure_is_counted_by_its_own_code(house):
    house.vendors.gemini.fail_next("unavailable", times=20)
    before = handovers_of("model_unavailable")

    await house.client().says("Хочу постричься завтра")

    assert await kept_reasons(house) == ["model_unavailable"]
    assert handovers_of("model_unavailable") == before + 1


def handovers_of(kind):
    return REGISTRY.get_sample_value("ai_admin_handovers_total", {"kind": kind}) or 0


async def kept_reasons(house):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(handovers.c.reason).where(handovers.c.company_id == house.company_id))
        return [row[0] for row in rows]


async def test_running_late_is_passed_on_and_nothing_is_promised(house):
    client = house.client()

    answer = await client.says("Я опаздываю на 15 минут")

    await staff_hear(house, "Опаздывает")
    assert "подожд" not in answer.text


async def test_commands_are_answered_by_code(house):
    client = house.client()

    assert "цифровой помощник" in (await client.says("/start")).text
    assert "Ваши записи: /my" in (await client.says("/help")).text
    assert "администратор" in (await client.says("/person")).text
    await staff_hear(house, "просит человека")


async def test_an_english_client_is_answered_in_english(house):
    client = house.client("Helen")

    await client.says("I would like a haircut tomorrow afternoon")

    assert "digital assistant" in client.heard[0]
