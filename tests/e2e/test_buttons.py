"""Booking by buttons alone: no model is asked, one message turns its pages, and words in the middle disturb nothing."""

from __future__ import annotations

from sandbox.telegram.people import buttons_of


def labels(message):
    return [button["text"] for button in buttons_of(message)]


async def reach_times(client):
    await client.says("/book")
    await client.presses("Стрижка женская")
    await client.presses("Анна Смирнова")
    return await client.presses("ср, 25 ноября")


async def test_a_client_books_by_buttons_alone_and_no_model_is_asked(house):
    client = house.client()

    services = await client.says("/book")
    masters = await client.presses("Стрижка женская")
    days = await client.presses("Анна Смирнова")
    times = await client.presses("ср, 25 ноября")
    asked_for_phone = await client.presses("15:00")
    proposal = await client.shares_contact()
    receipt = await client.presses("Да, записать")

    assert "Стрижка женская · 2500 руб., 1 час" in labels(services)
    assert labels(masters)[0] == "К любому мастеру"
    assert services.message_id == masters.message_id == days.message_id == times.message_id
    assert "номер телефона" in asked_for_phone.text
    assert "среда, 25 ноября, 15:00" in proposal.text
    assert "Готово" in receipt.text
    [record] = house.records()
    assert record["datetime"] == "2026-11-25T15:00:00+03:00"
    assert record["staff_id"] == 101
    assert list(house.vendors.gemini.requests) == []


async def test_what_only_a_person_books_or_wants_a_prepayment_is_not_offered(house):
    services = await house.client().says("/book")

    assert not any("Свадебная" in label or "Наращивание" in label for label in labels(services))


async def test_back_returns_to_the_question_before_and_cancel_ends_it(house):
    client = house.client()
    await reach_times(client)

    days = await client.presses("Назад")
    masters = await client.presses("Назад")
    services = await client.presses("Назад")
    over = await client.presses("Отмена")

    assert "На какой день" in days.text
    assert "К какому мастеру" in masters.text
    assert "Назад" not in labels(services)
    assert "не записываю" in over.text
    assert house.records() == []


async def test_any_master_is_one_button_a_time(house):
    client = house.client()
    await client.says("/book")
    await client.presses("Стрижка женская")
    await client.presses("К любому мастеру")
    times = await client.presses("ср, 25 ноября")

    shown = [label.partition(" ")[0] for label in labels(times) if label[:2].isdigit()]
    assert len(shown) == len(set(shown))


async def test_words_in_the_middle_are_answered_and_the_booking_stays_where_it_was(house):
    client = house.client()
    await reach_times(client)

    price = await client.says("Сколько стоит окрашивание?")
    await client.presses("15:00")
    await client.shares_contact()
    receipt = await client.presses("Да, записать")

    assert "8000 руб." in price.text
    assert "Готово" in receipt.text
    assert len(house.records()) == 1


async def test_back_from_the_confirmation_chooses_another_time(house):
    client = house.client()
    await reach_times(client)
    await client.presses("15:00")
    await client.shares_contact()

    times = await client.presses("Назад")
    await client.presses("16:00")
    receipt = await client.presses("Да, записать")

    assert "Какое время" in times.text
    assert "16:00" in receipt.text
    assert [record["datetime"][11:16] for record in house.records()] == ["16:00"]


async def test_a_button_of_an_earlier_booking_is_answered_with_what_is_possible(house):
    client = house.client()
    await client.says("/book")
    message, data = client.button("Стрижка женская")
    await client.says("/book")
    people, count = house.vendors.telegram.people, len(client.heard)

    await people.press_stale_button(client.bot_id, client.user, message.message_id, data)
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > count)

    assert "уже не действует" in client.heard[-1]
    assert "Записаться" in labels(client.chat.messages[-1])


async def test_a_time_that_is_gone_is_answered_with_other_times(house):
    first, second = house.client("Елена"), house.client("Ольга")
    for client in (first, second):
        await reach_times(client)
        await client.presses("15:00")
        await client.shares_contact()
    await first.presses("Да, записать")

    sorry = await second.presses("Да, записать")

    assert "только что заняли" in sorry.text
    assert len(house.records()) == 1


async def test_my_appointments_are_moved_and_cancelled_by_buttons(house):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    asked = len(house.vendors.gemini.requests)

    await client.says("/my")
    await client.presses("ср, 25 ноября, 15:00")
    await client.presses("Перенести")
    await client.presses("Анна Смирнова")
    await client.presses("чт, 26 ноября")
    await client.presses("12:00")
    moved = await client.presses("Да, перенести")

    assert "перенесена" in moved.text
    assert [record["datetime"][:16] for record in house.records()] == ["2026-11-26T12:00"]

    await client.says("Мои записи")
    await client.presses("чт, 26 ноября, 12:00")
    await client.presses("Отменить запись")
    cancelled = await client.presses("Да, отменить запись")

    assert "отменена" in cancelled.text
    assert house.records() == []
    assert len(house.vendors.gemini.requests) == asked


async def test_typed_words_of_a_button_press_it(house):
    client = house.client()
    await client.says("/book")

    masters = await client.says("стрижка женская")

    assert "К какому мастеру" in masters.text


async def test_while_the_model_is_down_a_client_books_by_buttons(house):
    client = house.client()
    house.vendors.gemini.fail_next("unavailable", times=20)

    told = await client.says("Хочу постричься завтра")
    services = await client.presses("Записаться")

    assert "кнопками" in told.text
    assert "На какую услугу" in services.text


async def test_with_the_model_down_for_a_whole_conversation_the_client_still_books(house):
    client = house.client()
    house.vendors.gemini.fail_next("unavailable", times=900)

    told = await client.says("Хочу постричься завтра")
    again = await client.says("Алло, вы тут?")
    await client.presses("Записаться")
    await client.presses("Стрижка женская")
    await client.presses("Анна Смирнова")
    await client.presses("ср, 25 ноября")
    await client.presses("15:00")
    await client.shares_contact()
    receipt = await client.presses("Да, записать")

    assert "не могу ответить как следует" in told.text
    assert "не могу ответить как следует" in again.text
    assert "Готово" in receipt.text
    [record] = house.records()
    assert record["datetime"] == "2026-11-25T15:00:00+03:00"


async def test_without_a_crm_the_client_is_told_that_a_person_books(house):
    company_id = await house.add_company(
        "name: Без CRM\nslug: nocrm\ntime_zone: Europe/Moscow\n", "700000002:SANDBOX-only-works-in-the-tests-000002"
    )

    answer = await house.client(company_id=company_id).says("/book")

    assert "записать может администратор" in answer.text
