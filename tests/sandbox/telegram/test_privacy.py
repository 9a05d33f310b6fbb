"""Privacy mode: what a bot in a group is told of (Bots FAQ, "What messages will my bot get?")."""

from __future__ import annotations

import pytest

from sandbox.telegram.state import User

OLGA = User(id=11, first_name="Ольга")
OTHER_TOKEN = "700000010:SANDBOX-only-works-in-the-tests-000010"
OTHER = 700000010


@pytest.fixture
async def open_group(telegram, bot, updates):
    """A group in which the bot is an ordinary member."""
    group = telegram.group("Соседи", owner=OLGA)
    await group.add_bot(bot.id)
    await updates()
    return group


async def words(updates):
    return [one.message.text for one in await updates()]


async def test_a_member_bot_hears_what_is_meant_for_it_only(bot, open_group, updates):
    olga = open_group.owner
    await bot.send_message(open_group.id, "Слушаю")
    spoken = open_group.messages()[0]

    await olga.write("Просто разговор")
    await olga.write("/today")
    await olga.write("/today@elita_bot")
    await olga.write("/today@other_bot")
    await olga.reply(spoken, "Ответ боту")
    await olga.reply(open_group.messages()[1], "Ответ самой себе")
    await olga.write("Спросим @elita_bot об этом")
    await olga.write("Пишите на почту x@elita_bot.ru")

    assert await words(updates) == ["/today", "/today@elita_bot", "Ответ боту", "Спросим @elita_bot об этом"]


async def test_service_messages_are_for_all_bots(open_group, updates):
    anna = await open_group.join(User(id=12, first_name="Анна"))
    await open_group.leave(anna.user)

    told = [one.message for one in await updates()]
    assert [bool(one.new_chat_members) for one in told] == [True, False]
    assert told[1].left_chat_member.id == 12


async def test_an_administrator_hears_everything(bot, open_group, updates):
    await open_group.add_bot(bot.id, administrator=True)
    await updates()

    await open_group.owner.write("Просто разговор")

    assert await words(updates) == ["Просто разговор"]


async def test_a_bot_without_privacy_mode_hears_everything_and_says_so(telegram, bot, open_group, updates):
    assert (await bot.get_me()).can_read_all_group_messages is False
    telegram.state.bots[bot.id].privacy = False

    await open_group.owner.write("Просто разговор")

    assert await words(updates) == ["Просто разговор"]
    assert (await bot.get_me()).can_read_all_group_messages is True


async def test_an_edit_is_told_of_where_the_message_was_known_or_is_meant_now(open_group, updates):
    olga = open_group.owner
    known = await olga.write("/note@elita_bot раз")
    unknown = await olga.write("Разговор")
    await updates()

    await olga.edit(known, "два")
    await olga.edit(unknown, "Другой разговор")
    await olga.edit(unknown, "@elita_bot посмотри")

    assert [one.edited_message.text for one in await updates()] == ["два", "@elita_bot посмотри"]


async def test_of_two_bots_the_one_that_spoke_last_is_given_a_general_command(telegram, bots, bot, open_group, updates):
    telegram.add_bot(OTHER_TOKEN, username="other_bot")
    await open_group.add_bot(OTHER)
    other = bots(OTHER_TOKEN)
    await bot.send_message(open_group.id, "Элита здесь")
    await other.send_message(open_group.id, "Другой здесь")
    await updates()

    await open_group.owner.write("/today")
    await open_group.owner.reply(open_group.messages()[0], "/today@other_bot")

    assert await words(updates) == ["/today@other_bot"], "an answer to a bot is that bot's"
    heard = [one.message.text for one in await other.get_updates(timeout=0) if one.message and one.message.text]
    assert heard == ["/today"], "and no bot hears another bot"
