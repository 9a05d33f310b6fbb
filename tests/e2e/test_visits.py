"""Several services in one visit: offered, confirmed, booked, listed and cancelled as one."""

from __future__ import annotations

import pytest

HAIRCUT = "среда, 25 ноября, 15:00, Стрижка женская, Анна Смирнова"
MANICURE = "среда, 25 ноября, 16:00, Маникюр, Ольга Петрова"


async def test_a_haircut_by_one_master_and_a_manicure_by_another_are_booked_as_one_visit(house):
    client = house.client()

    times = await client.says("Запишите меня завтра после обеда на женскую стрижку у Анны и маникюр у Ольги")
    await client.says("Давайте в 15:00")
    proposal = await client.shares_contact()
    receipt = await client.presses("Да, записать")

    assert "Анна Смирнова, Ольга Петрова" in times.text
    for fact in (HAIRCUT, MANICURE, "2 часа 30 минут", "2500 руб.", "от 4300 до 4700 руб.", "Елена"):
        assert fact in proposal.text
        assert fact in receipt.text
    haircut, manicure = house.records()
    assert (haircut["datetime"], haircut["staff_id"]) == ("2026-11-25T15:00:00+03:00", 101)
    assert (manicure["datetime"], manicure["staff_id"]) == ("2026-11-25T16:00:00+03:00", 103)
    assert haircut["client"]["phone"] == manicure["client"]["phone"] == client.phone
    assert haircut["api_id"].removesuffix("-1") == manicure["api_id"].removesuffix("-2")
    assert "16:00 Маникюр, Ольга Петрова" in haircut["comment"]


async def test_one_master_who_does_everything_in_a_row_is_preferred_and_is_one_record(house):
    client = house.client()
    await client.says("Запишите меня завтра с утра на женскую стрижку и окрашивание")
    await client.says("Давайте в 10:00")

    proposal = await client.shares_contact()
    await client.presses("Да, записать")

    assert "Услуга: Стрижка женская, Окрашивание" in proposal.text
    assert "10\xa0500 руб." in proposal.text
    [record] = house.records()
    assert [service["id"] for service in record["services"]] == [501, 502]
    assert record["seance_length"] == 4 * 3600
    assert not record["api_id"].endswith("-1")


async def test_a_yes_to_a_visit_in_words_books_all_of_it_and_an_old_button_says_that_it_is_done(house):
    client = house.client()
    await client.reaches_visit()
    message, data = client.button("Да, записать")

    await client.says("Да")
    people = house.vendors.telegram.people
    count = len(client.heard)
    await people.press_stale_button(client.bot_id, client.user, message.message_id, data)
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > count)

    assert "уже сделано" in client.heard[-1]
    assert len(house.records()) == 2


async def test_cancelling_one_appointment_of_a_visit_cancels_the_rest_too(house):
    client = house.client()
    await client.reaches_visit()
    await client.presses("Да, записать")

    shown = await client.says("/my")
    await client.presses("16:00")
    asked = await client.presses("Отменить запись")
    cancelled = await client.presses("Да, отменить визит")

    assert HAIRCUT in shown.text
    assert MANICURE in shown.text
    assert "Отменить весь визит?" in asked.text
    assert HAIRCUT in asked.text
    assert MANICURE in cancelled.text
    assert house.records() == []


async def test_one_appointment_of_a_visit_can_be_cancelled_alone_and_what_is_left_is_moved_as_any(house):
    client = house.client()
    await client.reaches_visit()
    await client.presses("Да, записать")
    await client.says("/my")
    await client.presses("16:00")
    await client.presses("Отменить запись")

    asked = await client.presses("Только эту запись")
    await client.presses("Да, отменить запись")
    await client.says("/my")
    await client.presses("15:00")
    moving = await client.presses("Перенести")

    assert "Маникюр" in asked.text
    assert "Стрижка" not in asked.text
    assert [record["staff_id"] for record in house.records()] == [101]
    assert "К какому мастеру?" in moving.text


async def test_a_visit_is_not_moved_link_by_link_neither_by_buttons_nor_by_words(house):
    client = house.client()
    await client.reaches_visit()
    await client.presses("Да, записать")
    await client.says("/my")
    await client.presses("15:00")

    by_button = await client.presses("Перенести")
    by_words = await client.says("Перенесите мою стрижку на пятницу на 12:00")

    assert "по отдельности я их не переношу" in by_button.text
    assert "по отдельности я их не переношу" in by_words.text, by_words.text
    assert sorted(record["datetime"][:16] for record in house.records()) == ["2026-11-25T15:00", "2026-11-25T16:00"]


@pytest.mark.parametrize(
    ("language", "visit", "total", "receipt", "taken"),
    [
        ("ru", "Визит:", "от 4300 до 4700 руб.", "Готово, вы записаны.", "ничего не записано"),
        ("en", "Visit:", "from 4,300 to 4,700 RUB", "Done, you are booked.", "nothing is booked"),
        ("kk", "Келу:", "4300 – 4700 рубль", "Дайын, Сіз жазылдыңыз.", "ештеңе жазылмады"),
    ],
)
async def test_a_visit_is_told_in_the_clients_language(house, language, visit, total, receipt, taken):
    first, second = house.client("Елена"), house.client("Ольга")
    for client in (first, second):
        await client.says(f"/language {language}")
        proposal = await client.reaches_visit()
        assert visit in proposal.text
        assert total in proposal.text

    yes = next(choice["text"] for choice in first.chat.messages[-1].markup["inline_keyboard"][0])
    booked = await first.presses(yes)
    sorry = await second.presses(yes)

    assert receipt in booked.text
    assert taken in sorry.text
