"""One person in Telegram and WhatsApp is one client once both phones are proved, and is forgotten in both."""

from __future__ import annotations

import json

from house_desk import Desk
from sqlalchemy import select, update

from db.columns import metadata
from db.models import sessions


async def both(house):
    """The same person with the same phone, in both messengers."""
    over_whatsapp = await house.whatsapp_client()
    over_telegram = house.client()
    over_telegram.phone = over_whatsapp.phone
    return over_telegram, over_whatsapp


async def rows(house, table):
    async with house.core.database.company(house.company_id) as tx:
        return list(
            (await tx.connection.execute(select(table).where(table.c.company_id == house.company_id))).mappings()
        )


async def test_what_was_booked_in_one_channel_is_shown_and_cancelled_in_the_other(house):
    telegram, whatsapp = await both(house)
    await telegram.reaches_proposal()
    await telegram.presses("Да, записать")

    shown = await whatsapp.says("мои записи")
    await whatsapp.presses("ср, 25 ноября, 15:00")
    await whatsapp.presses("Отменить запись")
    cancelled = await whatsapp.presses("Да, отменить запись")

    assert "15:00" in shown.text
    assert "отменена" in cancelled.text
    assert house.records() == []


async def test_what_was_said_in_one_channel_is_known_in_the_other_once_both_phones_are_proved(house):
    telegram, whatsapp = await both(house)
    await whatsapp.says("Здравствуйте, у меня кудрявые волосы")
    await telegram.says("Добрый день")
    await telegram.says("Сколько стоит окрашивание?")
    before = json.dumps(house.vendors.gemini.requests[-1].body, ensure_ascii=False)

    await telegram.shares_contact()
    await telegram.says("Сколько стоит окрашивание?")
    after = json.dumps(house.vendors.gemini.requests[-1].body, ensure_ascii=False)

    assert "кудрявые" not in before
    assert "кудрявые" in after
    assert len({row["client_id"] for row in await rows(house, sessions) if row["client_id"]}) == 1


async def test_while_a_person_answers_in_one_channel_the_agent_is_silent_in_the_other(house):
    telegram, whatsapp = await both(house)
    await whatsapp.says("Здравствуйте")
    await telegram.says("Здравствуйте")
    await telegram.shares_contact()
    async with house.core.database.company(house.company_id) as tx:
        statement = update(sessions).where(sessions.c.company_id == house.company_id, sessions.c.key == "RU.000001")
        await tx.connection.execute(statement.values(in_charge="person"))
    count = len(telegram.heard)

    await house.vendors.telegram.people.send_text(telegram.bot_id, telegram.user, "Вы тут?")
    await house.settles()

    assert len(telegram.heard) == count


async def test_what_a_client_writes_in_another_channel_reaches_the_person_who_answers_them(house):
    desk = Desk(house)
    await desk.enrol()
    telegram, whatsapp = await both(house)
    await whatsapp.says("Здравствуйте")
    await telegram.says("Здравствуйте")
    await telegram.shares_contact()
    await telegram.says("Позовите человека")
    await desk.sees()
    await desk.answers("Слушаю вас", to="Позовите")

    count = len(whatsapp.heard)
    await house.vendors.whatsapp.people.send_text(whatsapp.number_id, whatsapp.person, "Пишу теперь отсюда")
    assert any("Пишу теперь отсюда" in words for words in await desk.sees())
    assert len(whatsapp.heard) == count

    await desk.answers("Отвечаю здесь", to="Пишу теперь отсюда")
    assert whatsapp.heard[-1] == "Отвечаю здесь"
    await desk.answers("/back", to="Пишу теперь отсюда")
    assert "8000" in (await whatsapp.says("Сколько стоит окрашивание?")).text
    assert "8000" in (await telegram.says("Сколько стоит окрашивание?")).text


async def test_a_client_who_asks_is_forgotten_in_every_channel_and_staff_are_told(house):
    telegram, whatsapp = await both(house)
    await whatsapp.says("Здравствуйте, меня зовут Зинаида")
    await telegram.reaches_proposal()
    await telegram.presses("Да, записать")

    await whatsapp.says("удалите мои данные")
    done = await whatsapp.presses("Да, удалить")
    await house.settles()

    assert "удалены" in done.text
    assert len(house.records()) == 1
    tables = [table for table in metadata.sorted_tables if "company_id" in table.c]
    kept = [repr(dict(row)) for table in tables for row in await rows(house, table)]
    # The notice itself names the client: staff have to find the card in the CRM.
    notice = next(row for row in kept if "удалить свои данные" in row)
    for personal in ("Зинаида", "Елена", whatsapp.phone, whatsapp.phone.lstrip("+")):
        assert not [row for row in kept if personal in row and row is not notice], personal
    assert any("удалить свои данные" in text for text in house.staff_heard())


async def test_nothing_is_deleted_without_the_yes_to_exactly_that(house):
    client = house.client()
    await client.says("/delete_me")
    await client.presses("Нет")

    assert [row["client_name"] for row in await rows(house, sessions)] == ["Елена"]


async def test_a_client_without_a_visible_number_is_asked_for_it_and_books(house):
    client = await house.whatsapp_client(hidden=True)
    await client.says("записаться")
    await client.presses("Стрижка женская")
    await client.presses("Анна Смирнова")
    await client.presses("ср, 25 ноября")
    asked = await client.presses("09:00")
    proposal = await client.hears_after(
        house.vendors.whatsapp.people.share_contact(client.number_id, client.person, "+79161112233")
    )
    receipt = await client.presses("Да, записать")

    assert "номер телефона" in asked.text
    assert "09:00" in proposal.text
    assert "Готово" in receipt.text
    assert [record["client"]["phone"] for record in house.records()] == ["+79161112233"]


async def test_somebody_elses_contact_opens_nobodys_appointments(house):
    owner = await house.whatsapp_client("Ольга")
    await owner.says("Запишите меня на женскую стрижку завтра в 15:00 к Анне Смирновой")
    stranger = await house.whatsapp_client(hidden=True)
    await stranger.says("мои записи")

    answer = await stranger.hears_after(
        house.vendors.whatsapp.people.share_contact(stranger.number_id, stranger.person, owner.phone, own=False)
    )

    assert "не ваш номер" in answer.text


async def test_the_language_that_a_client_chose_stays_whatever_they_write_in(house):
    client = house.client()
    await client.says("/language")
    chosen = await client.presses("English")
    answered = await client.says("Сколько стоит окрашивание?")
    menu = await client.says("/my")

    assert "English it is" in chosen.text
    assert "8,000 RUB" in answered.text
    assert "share your number" in menu.text


async def test_where_a_client_came_from_is_kept(house):
    client = house.client()
    await client.says("/start instagram_spring")
    await client.says("/start other")

    assert [row["source"] for row in await rows(house, sessions) if row["client_name"]] == ["instagram_spring"]
