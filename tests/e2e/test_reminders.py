"""Clients are reminded of their visits, and answer with one tap; what staff do in the CRM changes the reminder."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from bot.channels.whatsapp import set_template
from db.booking_models import appointments, reminders
from db.models import messages, sessions
from db.records import ChannelType
from house_installation import ELITA_NUMBER
from sandbox.telegram.people import buttons_of

TOMORROW = date(2026, 11, 25)
MOSCOW = ZoneInfo("Europe/Moscow")
DAY, TWO = timedelta(hours=24), timedelta(hours=2)
TEMPLATE = "Напоминаем о вашей записи: {{1}}. Ждём вас!"


@pytest.fixture
async def reminding(house):
    """The house, whose owner has answered that the CRM reminds nobody."""
    await answer(house, (DAY, TWO))
    # The first look at the CRM begins what later looks go on from.
    await house.settles(crm=True)
    return house


async def answer(house, leads):
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(snapshot.agent, reminders=leads)
    await house.core.companies.replace_company(snapshot.company, agent, snapshot.branches)
    house.core.directory.forget(house.company_id)


async def book(house, client):
    """Book 15:00 tomorrow with Anna; return the record's id in the CRM."""
    await client.reaches_proposal()
    await client.presses("Да, записать")
    await house.settles(reminders=True)
    return str(house.records()[-1]["id"])


async def comes(house, moment):
    """Let it be this time in Moscow, and everything that is due then be done."""
    house.clock.now = datetime.fromisoformat(f"2026-11-{moment}").replace(tzinfo=MOSCOW).astimezone(ZoneInfo("UTC"))
    await house.settles(crm=True, reminders=True)
    await house.settles()


async def rows(house, table):
    async with house.core.database.company(house.company_id) as tx:
        found = await tx.connection.execute(select(table).where(table.c.company_id == house.company_id))
        return list(found.mappings())


def reminded(client, since=0):
    return [text for text in client.heard[since:] if "Напоминаю о вашей записи" in text or "Ждём вас: " in text]


async def test_a_client_is_reminded_a_day_and_two_hours_before_and_the_crm_is_told_that_they_come(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    await comes(house, "24 14:59")
    assert reminded(client) == []

    await comes(house, "24 15:00")
    [first] = reminded(client)
    assert "среда, 25 ноября, 15:00" in first
    assert "Анна Смирнова" in first
    thanks = await client.presses("Приду")
    await house.settles(reminders=True)

    assert "Спасибо, ждём вас" in thanks.text
    assert [record["attendance"] for record in house.records()] == [2]

    await comes(house, "25 12:59")
    assert len(reminded(client)) == 1
    await comes(house, "25 13:00")
    assert len(reminded(client)) == 2
    # Who has said so is not asked again.
    assert not client.is_offered("Приду")
    assert client.is_offered("Отменить")
    await comes(house, "25 14:00")
    await comes(house, "25 16:00")
    assert len(reminded(client)) == 2


async def test_nobody_is_reminded_until_the_owner_has_answered_or_where_the_crm_does_it(house):
    client = house.client()
    await book(house, client)
    await comes(house, "24 15:00")
    await answer(house, ())
    await comes(house, "25 13:00")

    assert reminded(client) == []


async def test_once_the_owner_has_answered_what_stands_already_is_reminded_of_too(house):
    client = house.client()
    await book(house, client)
    house.clock.advance(timedelta(minutes=11))
    await answer(house, (DAY, TWO))
    house.clock.advance(timedelta(minutes=2))
    await house.settles(reminders=True)

    await comes(house, "24 15:00")
    assert len(reminded(client)) == 1


async def test_a_yes_in_words_is_an_answer_to_the_reminder(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    await comes(house, "24 15:00")

    said = await client.says("Да, приду")
    await house.settles(reminders=True)

    assert "Спасибо, ждём вас" in said.text
    assert [record["attendance"] for record in house.records()] == [2]


async def test_a_visit_is_cancelled_out_of_its_reminder_after_a_yes_and_reminded_of_no_more(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    await comes(house, "24 15:00")

    asked = await client.presses("Отменить")
    assert "Отменить запись?" in asked.text
    assert len(house.records()) == 1
    done = await client.presses("Да, отменить запись")

    assert "отменена" in done.text
    assert house.records() == []
    await comes(house, "25 13:00")
    assert len(reminded(client)) == 1


async def test_a_visit_is_moved_out_of_its_reminder_by_the_usual_buttons(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    await comes(house, "24 15:00")

    asked = await client.presses("Перенести")

    assert "К какому мастеру?" in asked.text


async def test_a_visit_that_staff_move_in_the_crm_is_reminded_of_at_its_new_time_alone(reminding):
    house = reminding
    client = house.client()
    record_id = await book(house, client)
    house.salon_staff().move_by_hand(record_id, datetime.combine(TOMORROW, time(18)))

    await comes(house, "24 15:00")
    assert reminded(client) == []
    assert "перенёс" in client.heard[-1]
    await comes(house, "24 18:00")

    [said] = reminded(client)
    assert "18:00" in said


async def test_a_visit_that_staff_cancel_in_the_crm_is_reminded_of_no_more(reminding):
    house = reminding
    client = house.client()
    record_id = await book(house, client)
    house.salon_staff().cancel_by_hand(record_id)

    await comes(house, "24 15:00")
    await comes(house, "25 13:00")

    assert reminded(client) == []
    assert [text for text in client.heard if "отменил вашу запись" in text]


async def test_what_staff_move_between_the_sweep_and_the_reminder_is_seen_right_before_it(reminding):
    """The watch over the CRM has just looked: only the reading before the reminder can tell."""
    house = reminding
    client = house.client()
    record_id = await book(house, client)
    await comes(house, "24 14:59")
    house.salon_staff().cancel_by_hand(record_id)
    await comes(house, "24 15:00")

    assert reminded(client) == []
    assert "отменил вашу запись" in client.heard[-1]


async def test_a_button_of_an_earlier_time_confirms_nothing(reminding):
    house = reminding
    client = house.client()
    record_id = await book(house, client)
    await comes(house, "24 15:00")
    message, data = client.button("Приду")
    house.salon_staff().move_by_hand(record_id, datetime.combine(TOMORROW, time(18)))
    await comes(house, "24 16:00")
    count = len(client.heard)

    await house.vendors.telegram.people.press_stale_button(client.bot_id, client.user, message.message_id, data)
    await house.settles(reminders=True)

    [said] = client.heard[count:]
    assert "18:00" in said
    assert [record["attendance"] for record in house.records()] == [0]


async def test_nobody_else_can_answer_move_or_cancel(reminding):
    house = reminding
    client, stranger = house.client(), house.client()
    await book(house, client)
    await stranger.says("Здравствуйте")
    await stranger.shares_contact()
    await comes(house, "24 15:00")
    own = stranger.chat.messages[-1].message_id

    for label in ("Приду", "Перенести", "Отменить"):
        count = len(stranger.heard)
        _, data = client.button(label)
        await house.vendors.telegram.people.press_stale_button(stranger.bot_id, stranger.user, own, data)
        await house.settles(reminders=True)
        [said] = stranger.heard[count:]
        assert "Этой записи уже нет" in said

    assert [(one["attendance"], one["deleted"]) for one in house.records()] == [(0, False)]
    assert [row["confirmed_for"] for row in await rows(house, appointments)] == [None]


async def test_while_the_crm_is_down_nothing_is_sent_and_afterwards_once(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    house.vendors.yclients.fail_next("/record/", times=1000, html=True)
    await comes(house, "24 15:00")
    assert reminded(client) == []

    house.vendors.yclients.clear_faults()
    await comes(house, "24 15:30")
    await comes(house, "24 15:40")

    assert len(reminded(client)) == 1


async def test_an_outage_that_lasts_too_long_costs_the_reminder_and_not_the_next_one(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    house.vendors.yclients.fail_next("/record/", times=1000, html=True)
    await comes(house, "24 15:00")
    house.vendors.yclients.clear_faults()
    await comes(house, "24 19:00")
    assert reminded(client) == []

    await comes(house, "25 13:00")
    assert len(reminded(client)) == 1


async def test_what_staff_book_in_the_crm_for_a_client_of_ours_is_reminded_of_and_counts_for_nothing_else(reminding):
    house = reminding
    client = house.client()
    await client.says("Здравствуйте")
    await client.shares_contact()
    before = len(client.heard)
    house.salon_staff().book_by_hand(
        master="Анна Смирнова",
        service="Стрижка женская",
        starts=datetime.combine(TOMORROW, time(15)),
        client="Елена",
        phone=client.phone,
    )
    house.salon_staff().book_by_hand(
        master="Мария Иванова",
        service="Стрижка женская",
        starts=datetime.combine(TOMORROW, time(15)),
        client="Ирина",
        phone="+79990000000",
    )
    await comes(house, "24 12:40")
    assert client.heard[before:] == []
    assert [row["by_staff"] for row in await rows(house, appointments)] == [True]

    await comes(house, "24 15:00")
    assert len(reminded(client)) == 1
    await client.presses("Отменить")
    await client.presses("Да, отменить запись")
    assert [record["client"]["name"] for record in house.records()] == ["Ирина"]
    await comes(house, "25 13:00")
    assert len(reminded(client)) == 1


async def test_a_visit_of_two_masters_is_reminded_of_once(reminding):
    house = reminding
    client = house.client()
    await client.reaches_visit()
    await client.presses("Да, записать")
    await house.settles(reminders=True)
    assert len(house.records()) == 2

    for moment in ("24 15:00", "24 16:00", "24 17:00", "24 18:00"):
        await comes(house, moment)

    [said] = reminded(client)
    assert "Ольга Петрова" in said
    await client.presses("Приду")
    await house.settles(reminders=True)
    assert [record["attendance"] for record in house.records()] == [2, 2]


async def test_who_is_just_being_spoken_with_is_reminded_a_little_later(reminding):
    """A reminder between a question and its answer would make the answer one to the reminder."""
    house = reminding
    client = house.client()
    await book(house, client)
    await comes(house, "24 14:55")
    await client.says("Сколько стоит окрашивание?")

    await comes(house, "24 15:00")
    assert reminded(client) == []
    await comes(house, "24 15:10")
    assert len(reminded(client)) == 1


async def test_whom_a_person_answers_is_not_talked_over(reminding):
    house = reminding
    client = house.client()
    await book(house, client)

    async def answered_by(who):
        async with house.core.database.company(house.company_id) as tx:
            mine = sessions.c.company_id == house.company_id
            await tx.connection.execute(update(sessions).where(mine).values(in_charge=who))

    await answered_by("person")
    await comes(house, "24 15:00")
    assert reminded(client) == []
    await answered_by("agent")
    await comes(house, "24 15:10")
    assert len(reminded(client)) == 1


async def test_who_cannot_be_reached_any_more_is_not_written_to(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    await house.vendors.telegram.people.block_bot(client.bot_id, client.user)
    await house.settles()

    await comes(house, "24 15:00")

    assert reminded(client) == []
    assert {row["state"] for row in await rows(house, reminders)} == {"planned", "skipped"}


async def test_who_asked_to_be_forgotten_is_not_reminded(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    await client.says("Удалите мои данные")
    await client.presses("Да, удалить")
    await house.settles()

    await comes(house, "24 15:00")

    assert reminded(client) == []


async def test_the_reminder_stands_in_the_history_that_the_model_sees(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    await comes(house, "24 15:00")

    [said] = [row for row in await rows(house, messages) if "Напоминаю" in row["text"]]
    assert said["author"] == "agent"
    await client.says("А сколько это займёт времени?")
    assert "Напоминаю о вашей записи" in str(house.vendors.gemini.requests[-1].body)


async def test_a_reminder_that_was_committed_is_delivered_by_whoever_takes_over(reminding):
    house = reminding
    client = house.client()
    await book(house, client)
    house.vendors.telegram.fail_next("sendmessage", times=100, code=500)
    await comes(house, "24 15:00")
    await house.kill_worker()
    house.vendors.telegram.clear_faults()
    assert reminded(client) == []
    assert [row["state"] for row in await rows(house, reminders)].count("sent") == 1

    house.clock.advance(house.lease + timedelta(seconds=1))
    async with house.another_worker():
        await house.settles_with_time()

    assert len(reminded(client)) == 1


async def test_a_yes_after_a_reminder_is_none_to_a_question_that_was_asked_before_it(reminding):
    """Asked a day ago whether to cancel, and reminded since: "yes" means that they come."""
    house = reminding
    client = house.client()
    await book(house, client)
    await comes(house, "24 15:00")
    assert "Отменить запись?" in (await client.presses("Отменить")).text
    await comes(house, "25 13:00")

    said = await client.says("Да")
    await house.settles(reminders=True)

    assert "Спасибо, ждём вас" in said.text
    assert [record["attendance"] for record in house.records()] == [2]


# ---- WhatsApp


async def with_template(house, *, buttons=("Приду", "Перенести", "Отменить"), status="APPROVED"):
    number = await house.whatsapp_number()
    whatsapp = house.vendors.whatsapp
    whatsapp.add_template(
        whatsapp.state.numbers[ELITA_NUMBER], "visit_reminder", "ru", TEMPLATE, buttons=buttons, status=status
    )
    channels = await house.core.companies.list_channels(house.company_id)
    channel = next(one for one in channels if one.type is ChannelType.WHATSAPP)
    chosen = {"name": "visit_reminder", "language": "ru", "buttons": len(buttons)}
    await set_template(house.core, channel, "reminder", chosen)
    house.core.directory.forget(house.company_id)
    return number


async def booked_over_whatsapp(house):
    client = await house.whatsapp_client()
    await client.says("Хочу постричься завтра после обеда")
    await client.says("Женская стрижка, мастер Анна Смирнова")
    await client.says("Давайте в 15:00")
    await client.presses("Да, записать")
    await house.settles(reminders=True)
    assert len(house.records()) == 1
    return client


async def test_within_whatsapps_window_free_words_with_buttons_go_out(reminding):
    house = reminding
    client = await booked_over_whatsapp(house)

    await comes(house, "24 15:00")

    assert client.last.type == "interactive"
    assert [choice["title"] for choice in client.last.choices] == ["Приду", "Перенести", "Отменить"]
    await client.presses("Приду")
    await house.settles(reminders=True)
    assert [record["attendance"] for record in house.records()] == [2]


async def test_outside_of_the_window_the_template_goes_out_with_the_same_buttons(reminding):
    house = reminding
    await with_template(house)
    client = await booked_over_whatsapp(house)
    await comes(house, "24 15:00")

    await comes(house, "25 13:00")

    assert client.last.type == "template"
    assert client.last.text.startswith("Напоминаем о вашей записи: среда, 25 ноября, 15:00")
    assert "Анна Смирнова" in client.last.text
    thanks = await client.presses("Приду")
    await house.settles(reminders=True)
    assert "Спасибо, ждём вас" in thanks.text
    assert [record["attendance"] for record in house.records()] == [2]


async def test_a_template_that_meta_has_paused_is_told_to_staff(reminding):
    house = reminding
    await with_template(house, status="PAUSED")
    client = await booked_over_whatsapp(house)
    await comes(house, "24 15:00")

    await comes(house, "25 13:00")

    assert client.last.type == "interactive"
    assert any("больше суток назад" in text and "25 ноября" in text for text in house.staff_heard())


async def test_a_client_in_two_messengers_is_reminded_once_where_they_wrote_last(reminding):
    house = reminding
    over_whatsapp = await house.whatsapp_client()
    over_telegram = house.client()
    over_telegram.phone = over_whatsapp.phone
    await book(house, over_telegram)
    house.clock.advance(timedelta(minutes=5))
    await over_whatsapp.says("Здравствуйте")

    await comes(house, "24 15:00")

    assert reminded(over_telegram) == []
    assert len(reminded(over_whatsapp)) == 1
    assert not buttons_of(over_telegram.chat.messages[-1]) or "Приду" not in str(over_telegram.chat.messages[-1])
    await over_whatsapp.presses("Приду")
    await house.settles(reminders=True)
    assert [record["attendance"] for record in house.records()] == [2]
