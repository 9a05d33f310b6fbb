"""Calls where no stream may be opened: each thing said is a request, and the end states are the same."""

from __future__ import annotations

import pytest

WISH = "Меня зовут Елена, хочу постричься завтра после обеда"
WHO = "Женская стрижка, мастер Анна Смирнова"


async def reach_question(phone):
    await phone.asks(WISH)
    await phone.asks(WHO)
    return await phone.asks("Давайте в 15:00")


@pytest.mark.parametrize("twice", [False, True])
async def test_a_call_books_and_cancels_however_often_a_request_comes(house, twice):
    async with await house.phone(streams=False) as phone:
        phone.twice = twice
        question = await reach_question(phone)
        booked = await phone.asks("Да")
        assert len(house.records()) == 1
        await phone.asks("Отмените мою запись")
        cancelled = await phone.asks("Да")
        farewell = await phone.asks("До свидания")

    assert question.endswith("Записать вас?")
    assert "вы записаны" in booked
    assert "отменена" in cancelled
    assert "до свидания" in farewell
    assert phone.ended_by == "business"
    assert house.records() == []


async def test_silence_is_asked_after_twice_and_then_the_call_ends(house):
    async with await house.phone(streams=False) as phone:
        await phone.hears()
        first = await phone.says_nothing()
        second = await phone.says_nothing()
        third = await phone.says_nothing()

    assert "слышите" in first
    assert "на линии" in second
    assert "До свидания" in third
    assert phone.ended_by == "business"


async def test_who_hangs_up_before_the_yes_has_no_booking(house):
    async with await house.phone(streams=False) as phone:
        await reach_question(phone)
    await house.settles()

    assert house.records() == []


async def test_nobody_picks_up_and_a_message_is_taken_down(house):
    phone = await house.phone(streams=False, transfer_to="+74957654321")
    house.telephony.dial_status = "busy"
    async with phone:
        await phone.say("Позовите администратора")
        await phone.hears_of("Дозвониться")
        taken = await phone.asks("Перезвоните мне после шести")
    await house.settles()

    assert phone.dialled == ["+74957654321"]
    assert "передал" in taken
    assert any("Перезвоните мне после шести" in text for text in house.staff_heard())
