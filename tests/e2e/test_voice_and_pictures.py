"""Voice notes are written down and read as words; pictures go to a person; the rest gets a fitting answer."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from db.models import messages


async def test_a_client_books_by_voice_notes_alone(house):
    client = house.client()

    await client.says_aloud("Хочу постричься завтра после обеда")
    times = await client.says_aloud("Женская стрижка, мастер Анна Смирнова")
    await client.says_aloud("Давайте в 15:00")
    await client.shares_contact()
    receipt = await client.says_aloud("Да")

    assert "15:00" in times.text
    assert "Готово" in receipt.text
    assert len(house.records()) == 1


async def test_no_recording_and_no_picture_is_kept(house):
    client = house.client()
    await client.says_aloud("Сколько стоит окрашивание?")
    await client.shows("окрашивание омбре", "Запишите меня на окрашивание")

    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(messages.c.text, messages.c.parts))
        kept = json.dumps([list(row) for row in rows], ensure_ascii=False)

    assert "Сколько стоит окрашивание?" in kept
    assert "inline" not in kept
    assert '"media"' not in kept


async def test_a_picture_goes_to_a_person_and_no_price_is_told_from_it(house):
    client = house.client()
    answer = await client.shows("окрашивание", "Сколько это стоит?")
    await house.settles()

    assert "специалист" in answer.text
    assert "8000" not in "\n".join(client.heard)
    assert any("фото" in told and "Сколько это стоит?" in told for told in house.staff_heard())


async def test_words_under_a_picture_that_are_not_about_it_are_answered_too(house):
    client = house.client()
    await client.shows("причёска", "Запишите меня завтра на женскую стрижку")
    await house.settles()

    assert "специалист" in "\n".join(client.heard)
    assert any("Анна" in said for said in client.heard)


async def test_what_cannot_be_made_out_is_asked_again(house):
    answer = await house.client().says_aloud(None)

    assert "Не удалось разобрать" in answer.text


async def test_too_long_a_voice_note_is_not_listened_to(house):
    answer = await house.client().says_aloud("Да", seconds=200)

    assert "слишком длинно" in answer.text
    assert list(house.vendors.gemini.requests) == []


async def test_what_the_messenger_does_not_give_is_asked_for_again(house):
    house.vendors.telegram.fail_next("getfile", times=5)

    answer = await house.client().says_aloud("Здравствуйте")

    assert "Не получилось открыть" in answer.text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            {
                "sticker": {
                    "file_id": "s",
                    "file_unique_id": "s",
                    "type": "regular",
                    "width": 1,
                    "height": 1,
                    "is_animated": False,
                    "is_video": False,
                }
            },
            "Чем могу помочь",
        ),
        ({"location": {"latitude": 55.7, "longitude": 37.6}}, "ул. Тверская, 15"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "прочитать не могу"),
        ({"document": {"file_id": "d", "file_unique_id": "d", "mime_type": "application/pdf"}}, "Файлы я открывать не"),
        ({"video_note": {"file_id": "n", "file_unique_id": "n", "length": 1, "duration": 1}}, "Видео"),
        ({"document": {"file_id": "d", "file_unique_id": "d"}, "caption": "Сколько стоит окрашивание?"}, "8000 руб."),
    ],
    ids=["sticker", "location", "dice", "document", "video note", "a document with words"],
)
async def test_other_things_get_a_fitting_answer(house, content, words):
    answer = await house.client().sends(**content)

    assert words in answer.text


async def test_changed_words_are_answered_and_confirm_nothing(house):
    client = house.client()
    await client.reaches_proposal()
    await client.says("Подождите минутку")
    mine = [message for message in client.chat.messages if not message.from_bot][-1]
    people, count = house.vendors.telegram.people, len(client.heard)

    await people.edit_text(client.bot_id, client.user, mine.message_id, "да")
    await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > count)

    assert house.records() == []
