"""Photos, voice notes, films and files: sent by people in groups, by bots in both ways, and copied."""

from __future__ import annotations

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramEntityTooLarge
from aiogram.types import BufferedInputFile

from sandbox.media import photo, voice_note
from sandbox.telegram.state import User

ANNA = User(id=12, first_name="Анна")
ELENA = User(id=5, first_name="Елена")
PICTURE = photo("работа")
RECORDING = voice_note("Скоро буду", seconds=2)


async def body_of(bot, file_id):
    file = await bot.get_file(file_id)
    return (await bot.download_file(file.file_path)).read()


async def test_staff_send_files_into_a_topic_and_the_bot_can_fetch_them(bot, group, updates):
    await bot.create_forum_topic(group.id, "Мария")
    topic = group.topic("Мария")
    anna = await group.join(ANNA)
    await updates()

    shown = await anna.send_photo(PICTURE, "Вот так", topic=topic)
    await anna.send_voice(RECORDING, seconds=2, reply_to=shown)
    await anna.send_document(b"%PDF-1.7", "Прайс.pdf", topic=topic)
    await anna.send_video(b"\0\0\0\x18ftypmp42", "Фильм", topic=topic)
    await anna.send_anything(topic=topic, location={"latitude": 55.7, "longitude": 37.6})
    told = [one.message for one in await updates()]

    assert {one.message_thread_id for one in told} == {topic.id}
    assert (told[0].caption, told[0].photo[-1].file_size) == ("Вот так", len(PICTURE))
    assert await body_of(bot, told[0].photo[-1].file_id) == PICTURE
    assert told[1].voice.duration == 2
    assert told[1].reply_to_message.message_id == shown.message_id
    assert await body_of(bot, told[1].voice.file_id) == RECORDING
    assert (told[2].document.file_name, told[2].document.mime_type) == ("Прайс.pdf", "application/pdf")
    assert told[3].video.file_size == 12
    assert told[4].location.latitude == 55.7
    assert [one.text for one in told] == [None] * 5
    assert group.texts(topic) == ["Вот так", "🎤", "📎", "Фильм", "📍"]
    await anna.edit(shown, "Вот эдак")
    assert (await updates())[0].edited_message.caption == "Вот эдак"


async def test_a_bot_uploads_files_and_sends_them_again_by_their_ids(telegram, bot, group):
    await telegram.people.send_text(bot.id, ELENA, "Здравствуйте")
    picture = await bot.send_photo(
        group.id, BufferedInputFile(PICTURE, "a.png"), caption="<b>Вот</b>", parse_mode="HTML"
    )
    voice = await bot.send_voice(group.id, BufferedInputFile(RECORDING, "a.ogg"), duration=2)
    film = await bot.send_video(group.id, BufferedInputFile(b"film", "a.mp4"), duration=7)
    file = await bot.send_document(group.id, BufferedInputFile(b"%PDF", "Прайс.pdf"))

    again = [
        await bot.send_photo(ELENA.id, picture.photo[-1].file_id),
        await bot.send_voice(ELENA.id, voice.voice.file_id),
        await bot.send_video(ELENA.id, film.video.file_id),
        await bot.send_document(ELENA.id, file.document.file_id, caption="Цены"),
    ]

    assert picture.caption == "Вот"
    assert await body_of(bot, again[0].photo[-1].file_id) == PICTURE
    assert again[1].voice.duration == 2
    assert again[2].video.duration == 7
    assert (again[3].document.file_name, again[3].caption) == ("Прайс.pdf", "Цены")
    assert telegram.people.texts_from_bot(bot.id, ELENA.id) == ["🖼", "🎤", "📎", "Цены"]


async def test_messages_are_copied_from_the_topic_to_the_client_and_back(telegram, bot, group, refused):
    topic = await bot.create_forum_topic(group.id, "Елена")
    anna = await group.join(ANNA)
    await telegram.people.send_text(bot.id, ELENA, "Здравствуйте")
    await telegram.people.send_photo(bot.id, ELENA, PICTURE, "Хочу так")
    asked = telegram.people.chat(bot.id, ELENA.id).messages
    answer = await anna.send_voice(RECORDING, topic=topic.message_thread_id)
    words = await anna.write("Сделаем", topic=topic.message_thread_id)

    for message in list(asked):
        await bot.copy_message(
            group.id, ELENA.id, message.message_id, message_thread_id=topic.message_thread_id, disable_notification=True
        )
    copied = await bot.copy_message(ELENA.id, group.id, answer.message_id)
    await bot.copy_message(ELENA.id, group.id, words.message_id)

    here = group.messages(topic.message_thread_id)
    assert [one.text for one in here] == ["🎤", "Сделаем", "Здравствуйте", "Хочу так"]
    assert (here[-1].content["caption"], here[-1].silent, here[-1].reply_to) == ("Хочу так", True, None)
    chat = telegram.people.chat(bot.id, ELENA.id)
    assert chat.find(copied.message_id).content["voice"]["duration"] == 3
    assert telegram.people.texts_from_bot(bot.id, ELENA.id) == ["🎤", "Сделаем"]
    new = await bot.copy_message(ELENA.id, group.id, here[-1].message_id, caption="Другое")
    assert chat.find(new.message_id).content["caption"] == "Другое"
    with refused(TelegramBadRequest, "Bad Request: message to copy not found"):
        await bot.copy_message(ELENA.id, group.id, 999)
    with refused(TelegramBadRequest, "Bad Request: can't copy message"):
        await bot.copy_message(ELENA.id, group.id, topic.message_thread_id)


async def test_a_client_who_blocked_the_bot_is_still_read_but_not_written_to(telegram, bot, group):
    await telegram.people.send_text(bot.id, ELENA, "Здравствуйте")
    await telegram.people.block_bot(bot.id, ELENA)

    assert await bot.copy_message(group.id, ELENA.id, 1)
    assert (await bot.get_chat(ELENA.id)).first_name == "Елена"


async def test_captions_are_edited_and_texts_of_files_are_not(bot, group, refused):
    sent = await bot.send_photo(group.id, BufferedInputFile(PICTURE, "a.png"), caption="Раз")
    said = await bot.send_message(group.id, "Раз")

    changed = await bot.edit_message_caption(chat_id=group.id, message_id=sent.message_id, caption="Два")

    assert (changed.caption, changed.text, bool(changed.photo)) == ("Два", None, True)
    with refused(TelegramBadRequest, "Bad Request: there is no text in the message to edit"):
        await bot.edit_message_text("x", chat_id=group.id, message_id=sent.message_id)
    with refused(TelegramBadRequest, "Bad Request: there is no caption in the message to edit"):
        await bot.edit_message_caption(chat_id=group.id, message_id=said.message_id, caption="x")


async def test_what_is_no_file_or_too_large_is_refused(telegram, bot, group, refused):
    voice = await bot.send_voice(group.id, BufferedInputFile(RECORDING, "a.ogg"))
    ten = 10 * 1024 * 1024
    large = PICTURE + bytes(ten)

    words = f"file of size {len(large)} bytes is too big for a photo; the maximum size is {ten} bytes"
    with refused(TelegramBadRequest, f"Bad Request: {words}"):
        await bot.send_photo(group.id, BufferedInputFile(large, "a.png"))
    assert await bot.send_document(group.id, BufferedInputFile(large, "a.png"))
    with refused(TelegramEntityTooLarge, "Request Entity Too Large"):
        await bot.send_document(group.id, BufferedInputFile(bytes(5 * ten + 1), "a.bin"))
    with refused(TelegramBadRequest, "Bad Request: IMAGE_PROCESS_FAILED"):
        await bot.send_photo(group.id, BufferedInputFile(b"no picture", "a.png"))
    with refused(TelegramBadRequest, "Bad Request: file must be non-empty"):
        await bot.send_document(group.id, BufferedInputFile(b"", "a.bin"))
    with refused(TelegramBadRequest, "Bad Request: wrong file identifier/HTTP URL specified"):
        await bot.send_photo(group.id, "AgACAgIAAxkBAAI")
    with refused(TelegramBadRequest, "Bad Request: can't use file of type VoiceNote as Photo"):
        await bot.send_photo(group.id, voice.voice.file_id)
    with refused(TelegramBadRequest, "Bad Request: message caption is too long"):
        await bot.send_photo(group.id, BufferedInputFile(PICTURE, "a.png"), caption="x" * 1025)
    assert len(telegram.violations) == 6, "each of these but the request's own size is a fault of the bot's"


@pytest.mark.parametrize("permission", ["can_send_photos", "can_send_voice_notes"])
async def test_a_member_bot_sends_the_files_that_members_may(bot, group, refused, permission):
    await group.add_bot(bot.id)
    group.chat.permissions[permission] = False
    send = {
        "can_send_photos": (bot.send_photo, PICTURE, "photos"),
        "can_send_voice_notes": (bot.send_voice, RECORDING, "voice notes"),
    }
    method, body, words = send[permission]

    with refused(TelegramBadRequest, f"Bad Request: not enough rights to send {words} to the chat"):
        await method(group.id, BufferedInputFile(body, "a"))


async def test_pictures_of_an_album_are_messages_of_their_own(bot, group, updates):
    await updates()

    await group.owner.send_album([PICTURE, photo("ещё")], "Две работы")

    told = [one.message for one in await updates()]
    assert [one.caption for one in told] == ["Две работы", None]
    assert len({one.media_group_id for one in told}) == 1


async def test_a_clients_contact_and_file_are_copied_and_shown(telegram, bot, group):
    await telegram.people.share_contact(bot.id, ELENA, "+79990000000")
    await telegram.people.send_document(bot.id, ELENA, b"%PDF", "Анализы.pdf")

    for message_id in (1, 2):
        await bot.copy_message(group.id, ELENA.id, message_id)

    contact, file = group.messages()
    assert contact.content["contact"]["phone_number"] == "+79990000000"
    assert file.content["document"]["file_name"] == "Анализы.pdf"


async def test_what_is_not_in_the_request_or_only_elsewhere_is_not_sent(bot, group, refused):
    with refused(TelegramBadRequest, "Bad Request: failed to get HTTP URL content"):
        await bot.send_photo(group.id, "https://example.org/a.png")
    with refused(TelegramBadRequest, "Bad Request: there is no document in the request"):
        await bot.send_document(group.id, "attach://nowhere")
