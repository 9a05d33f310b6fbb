"""A person takes a client over in the staff chat, answers, and hands back; over the real parts and the sandboxes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from house_desk import IRINA, Desk
from sqlalchemy import select

from db.models import messages, sessions
from db.staff import Role, Staff
from house_installation import STAFF_CHAT
from sandbox.media import photo
from sandbox.telegram.state import User


@pytest.fixture
async def desk(house):
    made = Desk(house)
    await made.enrol()
    return made


async def in_charge(house):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(sessions.c.key, sessions.c.in_charge))
        return {row.key: row.in_charge for row in rows}


async def test_a_client_asks_for_a_person_who_answers_and_hands_back(house, desk):
    client = house.client()
    assert "администратор" in (await client.says("Позовите, пожалуйста, человека")).text

    shown = await desk.sees()
    assert any("Позовите, пожалуйста, человека" in words for words in shown)
    assert any("Елена" in words for words in shown)

    await desk.answers("Здравствуйте! Это Ирина, чем помочь?", to="Позовите")
    assert client.heard[-1] == "Здравствуйте! Это Ирина, чем помочь?"

    count = len(client.heard)
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Сколько стоит стрижка?")
    assert "Сколько стоит стрижка?" in (await desk.sees())[-1]
    assert len(client.heard) == count, "the agent talks over a person"

    await desk.answers("/back", to="Сколько стоит стрижка?")
    assert "2500" in (await client.says("Сколько стоит женская стрижка?")).text.replace(" ", "").replace("\u00a0", "")


async def test_the_agent_knows_what_the_person_said(house, desk):
    client = house.client()
    await client.says("Позовите человека")
    await desk.sees()
    await desk.answers("Мы подарим вам маску для волос", to="Позовите")
    await desk.answers("/back", to="Позовите")
    await client.says("Сколько стоит женская стрижка?")

    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(messages.c.author, messages.c.text).order_by(messages.c.id))
        said = [(row.author, row.text) for row in rows]
    assert ("person", "Мы подарим вам маску для волос") in said
    asked = house.vendors.gemini.requests[-1] if hasattr(house.vendors.gemini, "requests") else None
    assert asked is None or "маску для волос" in str(asked)


async def test_who_is_not_enrolled_answers_nobody(house):
    desk = Desk(house)
    client = house.client()
    await client.says("Позовите человека")
    count = len(client.heard)
    await desk.sees()

    await desk.answers("Я просто мимо проходил", to="Елена")

    assert len(client.heard) == count
    assert "person" not in (await in_charge(house)).values()


async def test_without_anybody_enrolled_the_agent_goes_on(house):
    client = house.client()
    await client.says("Позовите человека")
    assert (await client.says("Сколько стоит женская стрижка?")).text


async def test_a_code_counts_once_and_for_a_day(house):
    desk = Desk(house)
    code = await desk.enrol()
    assert "в списке сотрудников" in desk.heard[-1]

    await desk.people.send_start(desk.bot, IRINA, f"staff-{code}")
    await house.settles()
    assert "не подошёл" in desk.heard[-1]

    async with house.core.database.company(house.company_id) as tx:
        _, late = await Staff().invite(tx, name="Ольга", role=Role.MASTER, now=house.clock())
    house.clock.advance(timedelta(days=1, seconds=1))
    await desk.people.send_start(desk.bot, User(id=77, first_name="Ольга"), f"staff-{late}")
    await house.settles()
    assert "не подошёл" in desk.people.texts_from_bot(desk.bot, 77)[-1]


async def test_an_edit_changes_what_the_client_has(house, desk):
    client = house.client()
    await client.says("Позовите человека")
    await desk.sees()
    sent = await desk.answers("Ждём вас в 15:00", to="Позовите")
    assert client.heard[-1] == "Ждём вас в 15:00"
    count = len(client.heard)

    await desk.people.edit_text(desk.bot, IRINA, sent, "Ждём вас в 16:00")
    await house.settles()

    assert client.heard[-1] == "Ждём вас в 16:00"
    assert len(client.heard) == count


async def test_photos_go_both_ways(house, desk):
    client = house.client()
    await client.says("Позовите человека")
    await desk.sees()
    await house.vendors.telegram.people.send_photo(client.bot_id, client.user, photo("стрижка"), "Хочу так")
    assert any("Хочу так" in words for words in await desk.sees())
    staff_chat = desk.people.chat(desk.bot, STAFF_CHAT)
    assert any(one.from_bot and one.content.get("photo") for one in staff_chat.messages)

    picture = staff_chat.messages and next(
        one for one in reversed(staff_chat.messages) if one.from_bot and one.content.get("photo")
    )
    await desk.answers(None, to="Хочу так", photo=picture.content["photo"], caption="Вот так?")
    assert client.chat.messages[-1].content.get("photo")
    assert client.chat.messages[-1].content.get("caption") == "Вот так?"


async def test_nobody_answers_staff_are_rung_then_the_owner_and_the_client_may_go_on(house, desk):
    owner = User(id=888, first_name="Марина")
    await desk.enrol(Role.OWNER, owner)
    client = house.client()
    await client.says("Позовите человека")
    await desk.sees()

    house.clock.advance(timedelta(minutes=10))
    assert "ждёт ответа" in (await desk.sees())[-1]
    told = len(client.heard)
    house.clock.advance(timedelta(minutes=10))
    await desk.sees()
    assert "давно ждёт" in desk.people.texts_from_bot(desk.bot, 888)[-1]
    assert "пока не успел" in client.heard[-1]
    assert len(client.heard) == told + 1
    house.clock.advance(timedelta(hours=5))
    await desk.sees()
    assert len(client.heard) == told + 1, "the client is told once"

    assert "снова с вами" in (await client.presses("Продолжить с ассистентом")).text
    assert (await client.says("Сколько стоит женская стрижка?")).text


async def test_silence_after_a_persons_last_word_hands_back_but_not_over_a_client_who_waits(house, desk):
    client = house.client()
    await client.says("Позовите человека")
    await desk.sees()
    await desk.answers("Слушаю вас", to="Позовите")
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "У меня вопрос")
    await desk.sees()
    house.clock.advance(timedelta(hours=3))
    await desk.sees()
    assert (await in_charge(house))[f"{client.user.id}:{client.user.id}:"] == "person"

    await desk.answers("Отвечаю", to="У меня вопрос")
    house.clock.advance(timedelta(hours=2, minutes=1))
    assert "снова отвечает ассистент" in (await desk.sees())[-1]
    assert (await in_charge(house))[f"{client.user.id}:{client.user.id}:"] == "agent"
