"""Booking over Telegram, from the first words to the record in the CRM."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest


async def test_a_client_books_and_the_appointment_stands_in_the_crm(house):
    client = house.client()

    asked_back = await client.says("Хочу постричься завтра после обеда")
    times = await client.says("Женская стрижка, мастер Анна Смирнова")
    asked_for_phone = await client.says("Давайте в 15:00")
    proposal = await client.shares_contact()
    receipt = await client.presses("Да, записать")

    assert "цифровой помощник" in asked_back.text
    assert asked_back.text.rstrip().endswith("?")
    assert "15:00" in times.text
    assert "номер телефона" in asked_for_phone.text
    for fact in (
        "Стрижка женская",
        "Анна Смирнова",
        "среда, 25 ноября, 15:00",
        "2500 руб.",
        "ул. Тверская, 15",
        "Елена",
    ):
        assert fact in proposal.text
        assert fact in receipt.text
    [record] = house.records()
    assert record["datetime"] == "2026-11-25T15:00:00+03:00"
    assert record["seance_length"] == 3600
    assert record["staff_id"] == 101
    assert [service["cost"] for service in record["services"]] == [2500]
    assert record["client"]["phone"] == client.phone
    assert record["api_id"].startswith("aiadm-")


async def test_nothing_is_booked_before_the_client_confirms(house):
    client = house.client()

    await client.reaches_proposal()

    assert house.records() == []


@pytest.mark.parametrize(
    ("words", "booked"),
    [
        ("Да", 1),
        ("да, спасибо!", 1),
        ("Ок 👍", 0),
        ("👍", 1),
        ("да, но в 16", 0),
        ("Да\nой нет", 0),
        ("нет", 0),
        ("дааа?", 0),
    ],
)
async def test_only_a_turn_that_is_nothing_but_a_listed_yes_confirms(house, words, booked):
    client = house.client()
    await client.reaches_proposal()

    await client.says(words)

    assert len(house.records()) == booked


async def test_a_bare_yes_to_another_question_confirms_nothing_but_the_button_still_does(house):
    client = house.client()
    await client.reaches_proposal()
    await client.says("Сколько стоит окрашивание?")

    await client.says("да")
    assert house.records() == []

    receipt = await client.presses("Да, записать")
    assert "Готово" in receipt.text
    assert len(house.records()) == 1


async def test_a_second_client_is_offered_other_times_and_books_one_by_a_tap(house):
    first, second = house.client("Елена"), house.client("Ольга")
    await first.reaches_proposal()
    await second.reaches_proposal()

    await first.presses("Да, записать")
    sorry = await second.presses("Да, записать")
    again = await second.presses("15:00 · Мария Иванова")
    receipt = await second.presses("Да, записать")

    assert "только что заняли" in sorry.text
    assert "Мария Иванова" in again.text
    assert "Готово" in receipt.text
    assert sorted(record["staff_id"] for record in house.records()) == [101, 102]


async def test_a_proposal_expires_after_ten_minutes(house):
    client = house.client()
    await client.reaches_proposal()

    house.clock.advance(timedelta(minutes=11))
    answer = await client.presses("Да, записать")

    assert "десяти минут" in answer.text
    assert house.records() == []


async def test_a_newer_proposal_voids_the_older_one(house):
    client = house.client()
    await client.reaches_proposal()
    old_message, old_data = client.button("Да, записать")
    await client.says("Нет, давайте в 16:00")
    people = house.vendors.telegram.people

    count = len(client.heard)
    await people.press_stale_button(client.bot_id, client.user, old_message.message_id, old_data)
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > count)

    assert "уже не действует" in client.heard[-1]
    assert house.records() == []


async def test_a_button_pressed_twice_books_once(house):
    client = house.client()
    await client.reaches_proposal()
    message, data = client.button("Да, записать")
    await client.presses("Да, записать")
    people = house.vendors.telegram.people

    count = len(client.heard)
    await people.press_stale_button(client.bot_id, client.user, message.message_id, data)
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > count)

    assert "уже сделано" in client.heard[-1]
    assert len(house.records()) == 1


async def test_a_changed_price_is_asked_again(house):
    client = house.client()
    await client.reaches_proposal()
    haircut = house.salon.services[0]
    dearer = type(haircut)(
        id=haircut.id, title=haircut.title, price_min=3000, price_max=3000, seconds=3600, staff=haircut.staff
    )
    house.salon.services = (dearer, *house.salon.services[1:])
    await house.core.redis.flushdb()

    asked = await client.presses("Да, записать")
    assert "условия изменились" in asked.text
    assert "3000 руб." in asked.text
    assert house.records() == []

    await client.presses("Да, записать")
    assert [record["services"][0]["cost"] for record in house.records()] == [3000]


async def test_a_typed_phone_makes_one_booking_marked_for_staff(house):
    client = house.client()
    await client.says("Хочу постричься завтра после обеда")
    await client.says("Женская стрижка, мастер Анна Смирнова")
    await client.says("Давайте в 15:00")

    proposal = await client.says("8 (916) 123-45-67")
    await client.presses("Да, записать")

    assert "Записать вас?" in proposal.text
    [record] = house.records()
    assert record["client"]["phone"] == "+79161234567"
    assert "не подтверждён" in record["comment"]
    await house.vendors.telegram.people.wait_for(client.bot_id, 555_000, lambda _: bool(house.staff_heard()))
    assert "неподтверждённым номером" in house.staff_heard()[-1]

    await client.says("Хочу ещё записаться на стрижку завтра в 17:00 к Анне Смирновой")
    if "одну запись" not in client.heard[-1]:
        await client.says("Давайте в 17:00")
    assert "одну запись" in client.heard[-1]
    assert len(house.records()) == 1


async def test_somebody_elses_contact_proves_nothing(house):
    client = house.client()
    await client.says("Мои записи")

    answer = await client.shares_contact(own=False)

    assert "не ваш номер" in answer.text


async def test_appointments_are_shown_moved_and_cancelled_by_their_own_client(house):
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")

    shown = await client.says("Мои записи")
    assert "15:00" in shown.text

    await client.says("Перенесите мою запись на пятницу на 12:00")
    for _ in range(3):
        if any(button["text"].startswith("Да, перенести") for button in _buttons(client)):
            break
        await client.says("Давайте в 12:00")
    moved = await client.presses("Да, перенести")
    assert "перенесена" in moved.text
    [record] = house.records()
    assert record["datetime"].startswith("2026-11-27T12:00")

    await client.says("Отмените запись")
    cancelled = await client.presses("Да, отменить")
    assert "отменена" in cancelled.text
    assert house.records() == []


async def test_a_time_that_was_just_cancelled_can_be_booked_again_at_once(house):
    first, second = house.client("Елена"), house.client("Ольга")
    await first.reaches_proposal()
    await first.presses("Да, записать")
    await first.says("Мои записи")
    await first.says("Отмените запись")
    await first.presses("Да, отменить")

    await second.reaches_proposal()
    receipt = await second.presses("Да, записать")

    assert "Готово" in receipt.text
    assert [record["client"]["phone"] for record in house.records()] == [second.phone]


async def test_a_typed_phone_does_not_reveal_appointments(house):
    owner, stranger = house.client("Елена"), house.client("Ольга")
    await owner.reaches_proposal()
    await owner.presses("Да, записать")

    answer = await stranger.says(f"Покажите мои записи, мой телефон {owner.phone}")

    assert "15:00" not in answer.text
    assert "Поделитесь своим номером" in answer.text


async def test_an_update_that_telegram_brings_twice_changes_nothing(house):
    client = house.client()
    await client.says("Здравствуйте!")
    people = house.vendors.telegram.people
    bot = house.vendors.telegram.state.bots[client.bot_id]

    await people.resend_last(client.bot_id)
    async with asyncio.timeout(10), house.vendors.telegram.state.changed:
        await house.vendors.telegram.state.changed.wait_for(lambda: not bot.updates)
    await client.says("Сколько стоит окрашивание?")

    assert len(client.heard) == 2


def _buttons(client):
    rows = [row for message in client.chat.messages for row in (message.markup or {}).get("inline_keyboard", [])]
    return [button for row in rows for button in row]
