"""Replies out to WhatsApp: drawn within Meta's limits, inside the window or by a template, each error by its code."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from db.models import company_channels
from db.outbox_models import replies
from handlers.whatsapp.drawing import draw
from handlers.whatsapp.media import _is_metas
from orchestration.messages import Button, Reply

SENT, FAILED, WAITING = "sent", "failed", "waiting"


def buttons(*texts, detail=""):
    return tuple((Button(text=text, action=f"a:{index}", detail=detail),) for index, text in enumerate(texts))


@pytest.mark.parametrize(
    ("choices", "drawn"),
    [
        (buttons("Да, записать", "Нет"), "buttons"),
        (buttons("Да", "Нет", "Назад"), "buttons"),
        (buttons("Да", "Нет", "Назад", "Отмена"), "list"),
        (buttons("Ровно двадцать букв!"), "buttons"),
        (buttons("Двадцать одна буква!!"), "list"),
        (buttons("Одно", "Одно"), "list"),
        (buttons("Стрижка", detail="2500 руб."), "list"),
        (buttons(*map(str, range(10))), "list"),
        (buttons(*map(str, range(11))), "numbers"),
        ((), "text"),
    ],
)
def test_choices_are_drawn_as_what_has_room_for_them(choices, drawn):
    [piece] = draw(Reply(text="Выберите", buttons=choices, list_label="Выбрать"))

    assert drawn == (
        "buttons" if piece.buttons else "list" if piece.rows else "numbers" if "1. " in piece.text else "text"
    )


def test_what_a_rows_title_has_no_room_for_stands_in_its_description():
    long = "Окрашивание в технике шатуш с уходом и укладкой"

    [piece] = draw(
        Reply(text="?", buttons=buttons(long, detail="8000 руб., 3 часа"), list_label="Выбрать из услуг салона")
    )

    [row] = piece.rows
    assert (row.title, row.description) == ("Окрашивание в технике…", f"{long}: 8000 руб., 3 часа")
    assert len(piece.list_button) <= 20


def test_a_long_text_with_buttons_goes_out_before_them():
    text = "\n".join(f"Строка {index} с какими-то словами" for index in range(300))

    pieces = draw(Reply(text=text, buttons=buttons("Да", "Нет")))

    assert [bool(piece.buttons) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert all(len(piece.text) <= 4096 for piece in pieces[:-1])
    assert len(pieces[-1].text) <= 1024
    assert " ".join(piece.text for piece in pieces).split() == text.split()


def test_an_acknowledgement_is_nothing_in_whatsapp():
    assert draw(Reply(acknowledges="x")) == []


@pytest.mark.parametrize(
    ("url", "api_url", "metas"),
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", None, True),
        ("https://scontent.whatsapp.net/v/1", None, True),
        ("http://lookaside.fbsbx.com/x", None, False),
        ("https://evil.example/x", None, False),
        ("https://fbsbx.com.evil.example/x", None, False),
        ("https://notfbsbx.com/x", None, False),
        ("http://127.0.0.1:1/x", "http://127.0.0.1:1", True),
        ("http://127.0.0.1:2/x", "http://127.0.0.1:1", False),
    ],
)
def test_the_access_token_goes_to_metas_hosts_only(url, api_url, metas):
    assert _is_metas(httpx.URL(url), httpx.URL(api_url) if api_url else None) is metas


async def last_reply(house):
    async with house.core.database.company(house.company_id) as tx:
        statement = select(replies).where(replies.c.company_id == house.company_id, replies.c.turn_id.is_not(None))
        rows = (await tx.connection.execute(statement.order_by(replies.c.id))).mappings().all()
    return [row for row in rows if row["dialogue_key"].startswith("RU.")][-1]


async def channel_status(house):
    async with house.core.database.company(house.company_id) as tx:
        statement = select(company_channels.c.status).where(company_channels.c.type == "whatsapp")
        return await tx.connection.scalar(statement)


@pytest.mark.parametrize("code", [131000, 131016, 131057])
async def test_what_is_metas_own_trouble_is_sent_again(house, code):
    client = await house.whatsapp_client()
    # The "typing" sign fails, and the first try.
    house.vendors.whatsapp.fail_next(times=2, code=code)

    await house.vendors.whatsapp.people.send_text(client.number_id, client.person, "Сколько стоит окрашивание?")
    await house.settles_with_time()

    assert [text for text in client.heard if "8000" in text] != []
    assert len(client.heard) == 1


@pytest.mark.parametrize("code", [130429, 131056, 80007])
async def test_a_rate_limit_waits_and_counts_as_no_failed_try(house, code):
    client = await house.whatsapp_client()
    house.vendors.whatsapp.fail_next(times=2, code=code)

    await house.vendors.whatsapp.people.send_text(client.number_id, client.person, "Сколько стоит окрашивание?")
    await house.settles_with_time()

    assert len(client.heard) == 1
    reply = await last_reply(house)
    assert (reply["status"], reply["attempts"]) == (SENT, 0)


@pytest.mark.parametrize("code", [190, 0, 10, 131031])
async def test_a_bad_token_marks_the_channel_broken_and_is_tried_once(house, code):
    client = await house.whatsapp_client()
    house.vendors.whatsapp.fail_next(times=50, code=code)

    await house.vendors.whatsapp.people.send_text(client.number_id, client.person, "Здравствуйте")
    await house.settles()

    assert (await last_reply(house))["status"] == FAILED
    assert await channel_status(house) == "broken"
    assert house.vendors.whatsapp._faults["messages"].times >= 47


async def test_a_connection_cut_after_the_effect_is_counted_as_uncertain(house):
    client = await house.whatsapp_client()
    await client.says("Здравствуйте")
    house.vendors.whatsapp.fail_next(times=2, cut_after=True)

    await house.vendors.whatsapp.people.send_text(client.number_id, client.person, "Сколько стоит окрашивание?")
    await house.settles_with_time()

    assert [("8000" in text) for text in client.heard].count(True) >= 1
    assert (await last_reply(house))["status"] == SENT


async def say_a_day_later(house, client):
    """Let the reply be ready only after the window has closed: the "typing" sign fails, and the first try."""
    house.vendors.whatsapp.fail_next(times=2, code=131016)
    await house.vendors.whatsapp.people.send_text(client.number_id, client.person, "Сколько стоит окрашивание?")
    await house.settles()
    house.clock.advance(timedelta(hours=25))
    await house.settles_with_time()


async def test_after_a_day_the_companys_template_goes_out_with_the_words(house):
    whatsapp = house.vendors.whatsapp
    number = whatsapp.add_number(whatsapp.add_app(), id_="106540352242922", token="t-1", name="Элита")
    whatsapp.add_template(number, "answer_ready", "ru", "Салон «Элита»: {{1}}")
    await house.add_number(house.company_id, number.id, name="answer_ready", language="ru", takes_text=True)
    client = await house.whatsapp_client()

    await say_a_day_later(house, client)

    assert client.last.type == "template"
    assert client.last.text.startswith("Салон «Элита»: ")
    assert "8000 руб." in client.last.text


async def test_without_a_template_staff_are_told_and_nothing_is_retried(house):
    client = await house.whatsapp_client()

    await say_a_day_later(house, client)

    assert client.heard == []
    assert (await last_reply(house))["status"] == FAILED
    assert any("больше суток назад" in text and "8000 руб." in text for text in house.staff_heard())


async def test_what_meta_reports_as_too_late_goes_the_templates_way(house):
    """The window is Meta's to judge: what it took and then reported as too late is sent again as the template, once."""
    whatsapp = house.vendors.whatsapp
    number = whatsapp.add_number(whatsapp.add_app(), id_="106540352242922", token="t-1", name="Элита")
    whatsapp.add_template(number, "answer_ready", "ru", "Мы ответили вам, напишите нам.")
    await house.add_number(house.company_id, number.id, name="answer_ready", language="ru")
    client = await house.whatsapp_client()
    chat = whatsapp.people.open_chat(number.id, client.person)
    await whatsapp.people.send_text(number.id, client.person, "Здравствуйте")
    # By Meta's clock the person wrote long ago.
    chat.wrote_at = house.clock() - timedelta(hours=30)
    await house.settles()

    assert [message.type for message in chat.messages if message.from_business] == ["template"]
    assert client.last.text == "Мы ответили вам, напишите нам."


async def test_a_client_who_cannot_be_reached_is_marked(house):
    client = await house.whatsapp_client()
    await client.says("Здравствуйте")
    house.vendors.whatsapp.people.chat(client.number_id, client.person.user_id).blocked = True

    await house.vendors.whatsapp.people.send_text(client.number_id, client.person, "Сколько стоит окрашивание?")
    await house.settles()

    assert (await last_reply(house))["status"] == FAILED
    assert any("не дошло до клиента" in text for text in house.staff_heard())


async def test_the_client_sees_that_it_was_read_and_that_an_answer_is_being_written(house):
    client = await house.whatsapp_client()
    await client.says("Здравствуйте")

    [sign] = [call["body"] for call in house.vendors.whatsapp.calls if call["body"].get("status") == "read"]
    assert sign["typing_indicator"] == {"type": "text"}
