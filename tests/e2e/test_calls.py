"""Scripted calls over the telephone, at thirty times the speed of life: the same end states as in the messengers."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from db.call_models import calls
from db.models import messages
from db.records import ChannelType, WorkKind
from sandbox.telephony.twiml import Refused

WISH = "Меня зовут Елена, хочу постричься завтра после обеда"
WHO = "Женская стрижка, мастер Анна Смирнова"


async def reach_question(phone, at="15:00"):
    """Talk until a haircut is read back for a yes."""
    await phone.asks(WISH)
    await phone.asks(WHO)
    return await phone.asks(f"Давайте в {at}")


async def kept_calls(house):
    async with house.core.database.company(house.company_id) as tx:
        return (await tx.connection.execute(select(calls))).mappings().all()


async def said_by_agent(house):
    """What the history holds of the agent's words, in order."""
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(
            select(messages.c.text).where(messages.c.author == "agent").order_by(messages.c.id)
        )
        return [row.text for row in rows]


async def test_a_call_books_moves_and_cancels_and_says_goodbye(house):
    async with await house.phone() as phone:
        question = await reach_question(phone)
        booked = await phone.asks("Да")
        [record] = house.records()
        assert record["datetime"].startswith("2026-11-25T15:00")

        await phone.asks("Перенесите мою запись на 16:00")
        moved = await phone.asks("Да")
        assert house.records()[0]["datetime"].startswith("2026-11-25T16:00")

        await phone.asks("Отмените мою запись")
        cancelled = await phone.asks("Да")
        farewell = await phone.asks("До свидания")
        await phone.is_hung_up_on()

    assert house.records() == []
    assert "пятнадцать часов" in question
    assert "девятьсот шестнадцать" in question, "the phone is read back"
    assert question.endswith("Записать вас?")
    assert "вы записаны" in booked
    assert "перенесена" in moved
    assert "отменена" in cancelled
    assert "до свидания" in farewell
    assert phone.ended_by == "business"
    assert not any(character.isdigit() for who, text in phone.transcript if who == "agent" for character in text)
    [call] = await kept_calls(house)
    assert (call["outcome"], call["caller"]) == ("said_goodbye", "+79160009999")
    assert call["ended_at"] is not None


async def test_somebody_speaks_while_something_is_looked_up(house):
    async with await house.phone() as phone:
        await phone.asks(WISH)

    bridges = [text for who, text in phone.transcript if who == "bridge"]
    assert bridges == ["Секунду, смотрю."]


async def test_a_yes_over_the_last_words_of_the_question_counts(house):
    async with await house.phone() as phone:
        await phone.asks(WISH)
        await phone.asks(WHO)
        await phone.say("Давайте в 15:00")
        question = await phone.hears_first(3)
        whole = await whole_answer(phone)
        await phone.interrupts(whole.removesuffix("Записать вас?").strip() + " Записать")
        booked = await phone.asks("Да")

    assert question
    assert "вы записаны" in booked
    assert len(house.records()) == 1


async def test_a_yes_before_the_question_was_heard_books_nothing(house):
    async with await house.phone() as phone:
        await phone.asks(WISH)
        await phone.asks(WHO)
        await phone.say("Давайте в 15:00")
        await phone.barges_in("Да", after=3)
        again = await phone.hears()

        assert house.records() == []
        assert again.endswith("Записать вас?")
        await phone.asks("Да")

    assert len(house.records()) == 1


async def whole_answer(phone):
    """The whole of what is being said, before it is spoken to its end."""
    while not phone.transcript or phone.transcript[-1][0] != "agent":
        await phone.is_silent(0.2)
    return phone.transcript[-1][1]


async def test_the_history_keeps_only_what_was_heard(house):
    async with await house.phone() as phone:
        await phone.asks(WISH)
        await phone.say(WHO)
        heard = await phone.barges_in("Нет, подождите, сколько стоит маникюр?", after=4)
        await phone.hears()
        kept = await said_by_agent(house)

    cut = kept[1]
    assert heard.removeprefix("Секунду, смотрю. ").startswith(cut.split("…")[0].split(":")[0])
    assert "Какое время" not in cut


async def test_what_is_said_before_an_answer_begins_is_answered_together(house):
    async with await house.phone() as phone:
        # In one breath: at a person's speed a quick machine would answer in between.
        for words in ("Меня зовут Елена, хочу постричься", "завтра после обеда, женская стрижка, мастер Анна Смирнова"):
            await phone.send({"type": "prompt", "voicePrompt": words, "lang": "ru-RU", "last": True})
        answer = await phone.hears()

    assert "двадцать пятого ноября" in answer
    assert answer.count("?") <= 2


async def test_a_provider_that_repeats_a_message_books_once(house):
    async with await house.phone() as phone:
        await reach_question(phone)
        await phone.say("Да")
        await phone.repeats()
        await phone.hears()
        await phone.is_silent(2)

    assert len(house.records()) == 1


async def test_a_message_that_comes_late_or_broken_changes_nothing(house):
    async with await house.phone() as phone:
        await phone.asks(WISH)
        await phone.socket.send_str("{not json")
        await phone.send({"type": "prompt_of_tomorrow", "voicePrompt": "?"} | {"voicePrompt": ""})
        await phone.send({"type": "interrupt", "utteranceUntilInterrupt": "что-то совсем другое"})
        answer = await phone.asks(WHO)

    assert "Стрижка женская" in answer


async def test_a_call_that_drops_before_the_yes_leaves_no_booking(house):
    async with await house.phone() as phone:
        await reach_question(phone)
        await phone.drops(call_stands=False)
    await house.settles()

    assert house.records() == []
    [call] = await kept_calls(house)
    assert call["outcome"] == "dropped"


async def test_a_call_that_drops_on_a_yes_is_booked_and_staff_call_the_client(house):
    async with await house.phone() as phone:
        await reach_question(phone)
        await phone.say("Да")
        await phone.hears()
        await phone.drops(call_stands=False)
    await house.settles()

    assert len(house.records()) == 1
    assert any("оборвался" in text and "+79160009999" in text for text in house.staff_heard())


async def test_a_line_that_tears_is_taken_up_where_it_was(house):
    async with await house.phone() as phone:
        await reach_question(phone)
        await phone.drops(call_stands=True)
        again = await phone.hears()
        booked = await phone.asks("Да")

    assert "связь прервалась" in again
    assert "вы записаны" in booked
    assert len(house.records()) == 1
    [call] = await kept_calls(house)
    assert (call["connections"], call["outcome"]) == (2, "hung_up")


async def test_a_person_who_is_asked_for_gets_the_call_and_a_summary(house):
    async with await house.phone(transfer_to="+74957654321") as phone:
        said = await phone.asks("Позовите администратора")
        await phone.is_hung_up_on()

    await house.settles()
    assert said == "Соединяю вас с администратором."
    assert phone.dialled == ["+74957654321"]
    assert json.loads(phone.handoff) == {"reason": "transfer", "transfer": "+74957654321"}
    assert any("+79160009999" in text for text in house.staff_heard())
    [call] = await kept_calls(house)
    assert call["outcome"] == "transfer"


async def test_nobody_picks_up_and_a_message_is_taken_down(house):
    phone = await house.phone(transfer_to="+74957654321")
    house.telephony.dial_status = "no-answer"
    async with phone:
        await phone.asks("Позовите администратора")
        await phone.hears_of("Дозвониться")
        taken = await phone.asks("Перезвоните мне после шести")
    await house.settles()

    assert "передал" in taken
    assert any("Перезвоните мне после шести" in text for text in house.staff_heard())


async def test_out_of_hours_a_message_is_taken_down(house):
    house.clock.advance(timedelta(hours=12))
    async with await house.phone() as phone:
        said = await phone.asks("Позовите администратора")
        taken = await phone.asks("Это Елена, перезвоните мне завтра")
    await house.settles()

    assert "не может подойти" in said
    assert "передал" in taken
    assert phone.dialled == []
    assert any("Это Елена, перезвоните мне завтра" in text for text in house.staff_heard())


async def book_in_telegram(house):
    """A client of the messenger, with an appointment and a proved number."""
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да")
    return client


async def test_a_caller_changes_an_appointment_with_the_digits_from_their_messenger(house):
    client = await book_in_telegram(house)
    async with await house.phone(client.phone) as phone:
        greeting = phone.transcript[0][1]
        asked = await phone.asks("Отмените мою запись")
        await house.settles()
        code = "".join(filter(str.isdigit, client.heard[-1]))[:4]
        assert len(house.records()) == 1
        wrong = await phone.asks("1111" if code != "1111" else "2222")
        await phone.keys(f"{code}#")
        await phone.hears()
        question = await phone.asks("Отмените мою запись")
        done = await phone.asks("Да") if "Верно" in question else question
    await house.settles()

    assert "Елена" in greeting
    assert "четыре цифры" in asked
    assert "не подошли" in wrong
    assert "отменена" in done
    assert house.records() == []
    assert any("Спасибо за звонок" in text and "Запись отменена" in text for text in client.heard)


async def test_a_forged_number_opens_nothing(house):
    client = await book_in_telegram(house)
    async with await house.phone(client.phone) as phone:
        await phone.asks("Отмените мою запись")
        for digits in ("0000", "0001", "0002"):
            said = await phone.asks(digits)
    await house.settles()

    assert "Подтвердить номер не получилось" in said
    assert len(house.records()) == 1


async def test_nobody_is_flooded_with_codes(house):
    client = await book_in_telegram(house)
    for _ in range(4):
        async with await house.phone(client.phone) as phone:
            said = await phone.asks("Отмените мою запись")
    await house.settles()

    assert "не могу" in said
    assert sum("Код для звонка" in text for text in client.heard) == 3


async def test_a_business_may_take_the_number_as_proof(house):
    client = await book_in_telegram(house)
    async with await house.phone(client.phone, accept_caller_id=True) as phone:
        await phone.asks("Отмените мою запись")
        done = await phone.asks("Да")

    assert "отменена" in done
    assert house.records() == []


async def test_a_hidden_number_is_asked_for_and_taken_from_the_keys(house):
    async with await house.phone(None) as phone:
        await phone.asks(WISH)
        await phone.asks(WHO)
        asked = await phone.asks("Давайте в 15:00")
        await phone.keys("89160001122#")
        question = await phone.hears()
        await phone.asks("Да")

    assert "нужен номер" in asked
    assert question.endswith("Записать вас?")
    [record] = house.records()
    assert record["client"]["phone"].endswith("9160001122")


async def test_silence_is_asked_after_twice_and_then_the_call_ends_kindly(house):
    async with await house.phone() as phone:
        first = await phone.hears()
        second = await phone.hears()
        third = await phone.hears()
        fourth = await phone.hears()
        await phone.is_hung_up_on()

    assert "Чем помочь" in first
    assert "слышите" in second
    assert "на линии" in third
    assert "До свидания" in fourth
    [call] = await kept_calls(house)
    assert call["outcome"] == "silence"


async def test_a_call_has_an_end(house):
    async with await house.phone(longest_minutes=0.5) as phone:
        await phone.asks(WISH)
        while phone.ended_by is None:
            await phone.is_silent(1)

    said = [text for who, text in phone.transcript if who == "agent"]
    assert any("одна минута" in text for text in said)
    assert "время разговора вышло" in said[-1]
    [call] = await kept_calls(house)
    assert call["outcome"] == "too_long"


async def test_what_is_not_understood_is_asked_back(house):
    async with await house.phone() as phone:
        await phone.hears()
        said = await phone.asks("…")
        again = await phone.asks("…")
        at_last = await phone.asks("…")

    assert "не расслышал" in said
    assert "не расслышал" in again
    assert "Соединяю" in at_last


async def test_speaking_over_a_question_of_the_lines_own_takes_nothing_back(house):
    async with await house.phone() as phone:
        await reach_question(phone)
        while not any("слышите" in text for _, text in phone.transcript):
            await phone.is_silent(1)
        await phone.interrupts("Вы меня")
        booked = await phone.asks("Да")

    assert "вы записаны" in booked


async def test_nobody_is_asked_whether_they_are_there_while_the_greeting_is_spoken(house):
    async with await house.phone() as phone:
        await phone.is_silent(len(phone.transcript[0][1]) / 14 + 4)

        assert not any("слышите" in text for _, text in phone.transcript)


async def test_lines_are_counted(house):
    async with await house.phone(lines=1), await house.phone("+79160008888") as second:
        pass

    assert "линии заняты" in second.transcript[0][1]


@pytest.mark.parametrize("wrong", ["signature", "token"])
async def test_whoever_cannot_prove_who_they_are_gets_no_call(house, wrong):
    phone = await house.phone()
    if wrong == "signature":
        house.telephony.auth_token = "guessed"
    else:
        phone.webhook_url = phone.webhook_url[:-5] + "wrong"
    with pytest.raises(Refused, match="403" if wrong == "signature" else "404"):
        async with phone:
            pass

    assert await kept_calls(house) == []


async def test_a_stream_opens_once(house):
    async with await house.phone() as phone:
        await phone.hears()

        assert await phone.replays() == 1008


async def test_a_yes_whose_process_died_is_carried_out_by_another_and_nothing_else_is_answered(house):
    async with await house.phone() as phone:
        await reach_question(phone)
        record = await stored_only(house, phone, "Да")
        house.clock.advance(timedelta(seconds=21))
        await house.core.doorbell.ring(WorkKind.TURN)
        await house.settles()
        assert len(house.records()) == 1

        told = len(house.vendors.gemini.requests)
        await stored_only(house, phone, "А сколько стоит маникюр?")
        house.clock.advance(timedelta(seconds=21))
        await house.core.doorbell.ring(WorkKind.TURN)
        await house.settles()

    assert record.caller == "+79160009999"
    assert len(house.vendors.gemini.requests) == told


async def stored_only(house, phone, words):
    """Store what the caller said, as a process does that dies before it answers."""
    channel = next(
        one for one in await house.core.companies.list_channels(house.company_id) if one.type is ChannelType.VOICE
    )
    record = await house.desk.find(channel, phone.sid)
    await house.desk.turns(channel, record).hear(words)
    return record
