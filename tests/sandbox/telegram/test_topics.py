"""A forum's topics and pinned messages, as a bot makes and uses them."""

from __future__ import annotations

import pytest
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import ReplyParameters

from sandbox.telegram.state import User

OLGA = User(id=11, first_name="Ольга")
ANNA = User(id=12, first_name="Анна")
ELENA = User(id=5, first_name="Елена")


async def test_a_topic_is_made_renamed_closed_and_reopened_and_the_bot_sees_its_own_doing(bot, group, updates, refused):
    await updates()
    topic = await bot.create_forum_topic(group.id, "Мария · Telegram", icon_color=9367192)
    await bot.edit_forum_topic(group.id, topic.message_thread_id, name="Мария ✅")
    await bot.close_forum_topic(group.id, topic.message_thread_id)
    with refused(TelegramBadRequest, "Bad Request: TOPIC_NOT_MODIFIED"):
        await bot.close_forum_topic(group.id, topic.message_thread_id)
    await bot.reopen_forum_topic(group.id, topic.message_thread_id)

    told = [one.message for one in await updates()]
    made = told[0]
    assert (topic.name, topic.icon_color) == ("Мария · Telegram", 9367192)
    assert made.forum_topic_created.name == "Мария · Telegram"
    assert made.message_id == made.message_thread_id == topic.message_thread_id
    assert told[1].forum_topic_edited.name == "Мария ✅"
    assert told[2].forum_topic_closed is not None
    assert told[3].forum_topic_reopened is not None
    assert {one.from_user.id for one in told} == {bot.id}
    assert [(one.name, one.closed) for one in group.topics] == [("Мария ✅", False)]


async def test_a_message_in_a_topic_says_so_and_answers_the_topics_first_message(bot, group, updates):
    made = await bot.create_forum_topic(group.id, "Мария")
    topic = group.topic("Мария")
    anna = await group.join(ANNA)
    sent = await bot.send_message(group.id, "Хочу стрижку", message_thread_id=made.message_thread_id)
    await updates()

    plain = await anna.write("Беру", topic=topic)
    await anna.reply(group.messages(topic)[0], "Когда?")
    await anna.write("Мимо темы")
    told = [one.message for one in await updates()]

    assert (sent.message_thread_id, sent.is_topic_message) == (topic.id, True)
    assert [one.message_thread_id for one in told] == [topic.id, topic.id, None]
    assert [one.is_topic_message for one in told] == [True, True, None]
    assert told[0].message_id == plain.message_id
    assert told[0].reply_to_message.forum_topic_created.name == "Мария"
    assert told[1].reply_to_message.message_id == sent.message_id
    assert told[2].reply_to_message is None
    assert group.texts(topic) == ["Хочу стрижку", "Беру", "Когда?"]
    assert group.texts() == ["Мимо темы"]
    assert group.texts_from_bot(topic) == ["Хочу стрижку"]
    assert (await bot.edit_message_text("Хочу!", chat_id=group.id, message_id=sent.message_id)).is_topic_message


async def test_an_answer_goes_where_what_it_answers_stands(bot, group):
    await bot.create_forum_topic(group.id, "Мария")
    await bot.create_forum_topic(group.id, "Пётр")
    maria, petr = group.topics
    asked = await group.owner.write("Кто?", topic=maria)
    general = await group.owner.write("Всем")
    answer = ReplyParameters(message_id=asked.message_id)

    inside = await bot.send_message(group.id, "Я", reply_parameters=answer)
    across = await bot.send_message(group.id, "Там", message_thread_id=petr.id, reply_parameters=answer)
    beside = await bot.send_message(group.id, "И вам", reply_parameters=ReplyParameters(message_id=general.message_id))

    assert (inside.message_thread_id, inside.is_topic_message) == (maria.id, True)
    assert across.message_thread_id == petr.id
    assert across.external_reply.message_id == asked.message_id
    assert across.reply_to_message.forum_topic_created.name == "Пётр"
    assert (beside.message_thread_id, beside.is_topic_message) == (general.message_id, None)


async def test_there_is_no_writing_into_a_topic_that_is_not_there(telegram, bot, group, refused):
    topic = await bot.create_forum_topic(group.id, "Мария")
    await group.owner.delete_topic(group.topic("Мария"))
    await telegram.people.send_text(bot.id, ELENA, "Здравствуйте")
    general = await group.owner.write("В общем")

    for thread in (topic.message_thread_id, 1, 999, general.message_id):
        with refused(TelegramBadRequest, "Bad Request: message thread not found"):
            await bot.send_message(group.id, "x", message_thread_id=thread)
    with refused(TelegramBadRequest, "Bad Request: message thread not found"):
        await bot.send_message(ELENA.id, "x", message_thread_id=5)
    with refused(TelegramBadRequest, "Bad Request: TOPIC_ID_INVALID"):
        await bot.edit_forum_topic(group.id, topic.message_thread_id, name="Снова")
    assert telegram.violations == [], "a topic that is gone is no fault of the bot's"


async def test_topics_are_for_forums_and_for_bots_with_the_right(telegram, bot, group, refused):
    plain = telegram.group("Соседи", owner=OLGA)
    await plain.add_bot(bot.id, administrator=True, can_manage_topics=True)
    topic = await group.owner.create_topic("Тема Ольги")
    own = await bot.create_forum_topic(group.id, "Мария")
    await group.add_bot(bot.id, administrator=True, can_pin_messages=True)

    with refused(TelegramBadRequest, "Bad Request: the chat is not a forum"):
        await bot.create_forum_topic(plain.id, "Мария")
    with refused(TelegramBadRequest, "Bad Request: not enough rights to create a topic"):
        await bot.create_forum_topic(group.id, "Пётр")
    with refused(TelegramBadRequest, "Bad Request: not enough rights to edit the topic"):
        await bot.edit_forum_topic(group.id, topic.id, name="x")
    with refused(TelegramBadRequest, "Bad Request: not enough rights to close or open the topic"):
        await bot.close_forum_topic(group.id, topic.id)
    with refused(TelegramBadRequest, "Bad Request: not enough rights to delete the topic"):
        await bot.delete_forum_topic(group.id, topic.id)
    assert await bot.close_forum_topic(group.id, own.message_thread_id), "its own it may still close"
    group.set_forum(forum=False)
    with refused(TelegramBadRequest, "Bad Request: the chat is not a forum"):
        await bot.reopen_forum_topic(group.id, own.message_thread_id)


async def test_a_closed_topic_is_written_in_by_those_who_manage_it_only(bot, group, refused):
    topic = await group.owner.create_topic("Тема")
    anna = await group.join(ANNA)
    last = await anna.write("Пока", topic=topic)
    await group.owner.close_topic(topic)

    assert await bot.send_message(group.id, "Ещё", message_thread_id=topic.id)
    await group.add_bot(bot.id, administrator=True)
    with refused(TelegramBadRequest, "Bad Request: TOPIC_CLOSED"):
        await bot.send_message(group.id, "x", message_thread_id=topic.id)
    with refused(TelegramBadRequest, "Bad Request: TOPIC_CLOSED"):
        await bot.send_message(group.id, "x", reply_parameters=ReplyParameters(message_id=last.message_id))
    with pytest.raises(PermissionError):
        await anna.write("x", topic=topic)
    await group.owner.write("Итог", topic=topic)
    await group.owner.reopen_topic(topic)
    await anna.write("Снова", topic=topic)
    assert group.texts(topic) == ["Пока", "Ещё", "Итог", "Снова"]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("   ", {}, "Bad Request: name must be non-empty"),
        ("x", {"icon_color": 1}, "Bad Request: invalid icon color specified"),
    ],
)
async def test_a_topic_has_a_name_and_one_of_six_colors(bot, group, refused, name, options, words):
    with refused(TelegramBadRequest, words):
        await bot.create_forum_topic(group.id, name, **options)


async def test_a_long_name_is_cut(bot, group):
    assert len((await bot.create_forum_topic(group.id, "М" * 200)).name) == 128


async def test_messages_are_pinned_in_their_topic_and_unpinned(bot, group, updates, refused):
    await bot.create_forum_topic(group.id, "Мария")
    topic = group.topic("Мария")
    first = await bot.send_message(group.id, "Сводка", message_thread_id=topic.id)
    await updates()

    await bot.pin_chat_message(group.id, first.message_id, disable_notification=True)
    told = (await updates())[0].message

    assert told.pinned_message.message_id == first.message_id
    assert told.message_thread_id == topic.id
    assert [one.text for one in group.pinned(topic)] == ["Сводка"]
    assert (await bot.get_chat(group.id)).pinned_message.text == "Сводка"
    with refused(TelegramBadRequest, "Bad Request: service messages can't be pinned"):
        await bot.pin_chat_message(group.id, topic.id)
    with refused(TelegramBadRequest, "Bad Request: message to pin not found"):
        await bot.pin_chat_message(group.id, 999)
    await bot.unpin_chat_message(group.id)
    assert group.pinned(topic) == []
    with refused(TelegramBadRequest, "Bad Request: message to unpin not found"):
        await bot.unpin_chat_message(group.id)
    await group.add_bot(bot.id, administrator=True, can_manage_topics=True)
    with refused(TelegramBadRequest, "Bad Request: not enough rights to manage pinned messages in the chat"):
        await bot.pin_chat_message(group.id, first.message_id)
    await group.owner.pin(group.messages(topic)[0])
    assert (await updates())[-1].message.from_user.id == OLGA.id


async def test_a_quote_is_from_what_is_answered_and_other_chats_are_answered_from_outside(
    telegram, bot, group, refused
):
    await telegram.people.send_text(bot.id, ELENA, "😀 Хочу стрижку")
    asked = await group.owner.write("Кто завтра утром?")

    quoted = await bot.send_message(
        group.id, "Я", reply_parameters=ReplyParameters(message_id=asked.message_id, quote="завтра")
    )
    outside = ReplyParameters(message_id=1, chat_id=ELENA.id, quote="Хочу")
    relayed = await bot.send_message(group.id, "Это она", reply_parameters=outside)

    assert (quoted.quote.text, quoted.quote.position) == ("завтра", 4)
    assert relayed.reply_to_message is None
    assert (relayed.external_reply.chat.id, relayed.external_reply.origin.sender_user.id) == (ELENA.id, ELENA.id)
    assert relayed.quote.position == 3, "positions count in UTF-16 units"
    with refused(TelegramBadRequest, "Bad Request: QUOTE_TEXT_INVALID"):
        await bot.send_message(
            group.id, "x", reply_parameters=ReplyParameters(message_id=asked.message_id, quote="вечером")
        )


async def test_typing_is_shown_in_a_topic_that_is_there(bot, group, refused):
    topic = await group.owner.create_topic("Тема")

    assert await bot.send_chat_action(group.id, "typing", message_thread_id=topic.id)
    with refused(TelegramBadRequest, "Bad Request: message thread not found"):
        await bot.send_chat_action(group.id, "typing", message_thread_id=999)


async def test_members_change_topics_and_pins_by_right_only(bot, group, updates):
    anna = await group.join(ANNA)
    topic = await group.owner.create_topic("Тема")
    message = await anna.write("Важно", topic=topic)
    await updates()

    for attempt in (
        anna.create_topic("Моя"),
        anna.rename_topic(topic, "Иначе"),
        anna.delete_topic(topic),
        anna.pin(message),
        anna.delete(await group.owner.write("Не трогать")),
    ):
        with pytest.raises(PermissionError):
            await attempt
    await group.join(ANNA, administrator=True, can_manage_topics=True)
    await anna.rename_topic(topic, "Иначе")
    await anna.delete(message)
    group.set_forum(forum=False)
    with pytest.raises(PermissionError):
        await anna.create_topic("Моя")
    with pytest.raises(LookupError):
        await anna.write("x", topic=topic)
    with pytest.raises(LookupError):
        await anna.reply(message, "x")
    with pytest.raises(LookupError, match="Иначе"):
        group.topic("Тема")

    assert [one.message.forum_topic_edited.name for one in await updates() if one.message.forum_topic_edited] == [
        "Иначе"
    ]
    assert group.texts(topic) == []


async def test_no_topic_has_the_id_of_general(telegram, bot):
    fresh = telegram.group("Новая", owner=OLGA, forum=True)
    first = await fresh.owner.create_topic("Первая")
    await fresh.add_bot(bot.id)

    assert first.id > 1
    assert (await bot.send_message(fresh.id, "Здесь", message_thread_id=first.id)).is_topic_message
