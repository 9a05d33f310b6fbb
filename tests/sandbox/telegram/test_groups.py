"""Groups as a bot meets them: who is in them, what it is told of, where it may write."""

from __future__ import annotations

import asyncio

import pytest
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramRetryAfter,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
    BotCommandScopeDefault,
    ChatMemberAdministrator,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberOwner,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReactionTypeCustomEmoji,
    ReactionTypeEmoji,
    ReplyParameters,
)
from aiohttp import web

from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User

OLGA = User(id=11, first_name="Ольга", username="olga_boss")
ANNA = User(id=12, first_name="Анна")
ELENA = User(id=5, first_name="Елена")
OTHER_TOKEN = "700000010:SANDBOX-only-works-in-the-tests-000010"
KEYBOARD = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Беру", callback_data="take:1")]])


async def test_a_group_is_shown_as_it_is(telegram, bot, group):
    full = await bot.get_chat(group.id)
    plain = telegram.group("Соседи", owner=OLGA)
    await plain.add_bot(bot.id)
    small = telegram.group("Кухня", owner=OLGA, basic=True)
    await small.add_bot(bot.id)

    assert (full.type, full.title, full.is_forum) == ("supergroup", "Смена", True)
    assert full.permissions.can_send_messages is True
    assert full.permissions.can_manage_topics is False
    assert (await bot.get_chat(plain.id)).is_forum is None
    assert (await bot.get_chat(small.id)).type == "group"


async def test_members_have_their_standing(telegram, bot, group, refused):
    await group.join(ANNA)
    await telegram.people.send_text(bot.id, ELENA, "Здравствуйте")

    me = await bot.get_chat_member(group.id, bot.id)
    owner = await bot.get_chat_member(group.id, OLGA.id)
    member = await bot.get_chat_member(group.id, ANNA.id)
    stranger = await bot.get_chat_member(group.id, ELENA.id)

    assert isinstance(me, ChatMemberAdministrator)
    assert (me.can_manage_topics, me.can_pin_messages, me.can_delete_messages) == (True, True, False)
    assert isinstance(owner, ChatMemberOwner)
    assert isinstance(member, ChatMemberMember)
    assert isinstance(stranger, ChatMemberLeft)
    with refused(TelegramBadRequest, "Bad Request: member not found"):
        await bot.get_chat_member(group.id, 99)
    with refused(TelegramBadRequest, "Bad Request: invalid user_id specified"):
        await bot.get_chat_member(group.id, 0)
    assert {one.user.id for one in await bot.get_chat_administrators(group.id)} == {bot.id, OLGA.id}
    with refused(TelegramBadRequest, "Bad Request: there are no administrators in the private chat"):
        await bot.get_chat_administrators(ELENA.id)


async def test_the_bot_is_told_of_its_own_standing_and_loses_all_with_it(bot, group, updates, refused):
    await group.add_bot(bot.id)
    await group.remove_bot(bot.id)

    changes = [one.my_chat_member for one in await updates() if one.my_chat_member]
    assert [(one.old_chat_member.status, one.new_chat_member.status) for one in changes] == [
        ("left", "administrator"),
        ("administrator", "member"),
        ("member", "kicked"),
    ]
    assert changes[0].from_user.id == OLGA.id
    words = "Forbidden: bot was kicked from the supergroup chat"
    with refused(TelegramForbiddenError, words):
        await bot.send_message(group.id, "Вы тут?")
    with refused(TelegramForbiddenError, words):
        await bot.get_chat(group.id)
    await group.owner.write("Без бота")
    assert await updates() == []


async def test_a_group_that_the_bot_left_or_never_knew_is_closed(telegram, bot, refused):
    unknown = telegram.group("Чужая", owner=OLGA)
    left = telegram.group("Бывшая", owner=OLGA)
    await left.add_bot(bot.id)
    await left.leave_bot(bot.id)

    with refused(TelegramBadRequest, "Bad Request: chat not found"):
        await bot.send_message(unknown.id, "x")
    with refused(TelegramForbiddenError, "Forbidden: bot is not a member of the supergroup chat"):
        await bot.send_message(left.id, "x")


async def test_a_member_writes_answers_edits_and_the_administrator_bot_is_told(bot, group, updates):
    anna = await group.join(ANNA)
    await updates()
    sent = await bot.send_message(group.id, "Кто возьмёт?")

    message = await anna.write("Доброе утро")
    answer = await anna.reply(group.messages()[0], "Я")
    await anna.edit(message, "Добрый день")
    told = await updates()

    assert [one.event_type for one in told] == ["message", "message", "edited_message"]
    assert (told[0].message.text, told[0].message.from_user.id, told[0].message.chat.id) == (
        "Доброе утро",
        ANNA.id,
        group.id,
    )
    assert told[0].message.chat.is_forum is True
    assert told[0].message.message_thread_id is None
    assert told[1].message.message_id == answer.message_id
    assert told[1].message.reply_to_message.message_id == sent.message_id
    assert told[1].message.reply_to_message.from_user.id == bot.id
    assert (told[2].edited_message.message_id, told[2].edited_message.text) == (message.message_id, "Добрый день")
    assert group.texts() == ["Кто возьмёт?", "Добрый день", "Я"]
    with pytest.raises(PermissionError):
        await anna.edit(group.messages()[0], "не моё")
    await group.leave(ANNA)
    with pytest.raises(PermissionError):
        await anna.write("Меня нет")


async def test_the_bot_answers_changes_and_deletes_its_own_only(bot, group, refused):
    anna = await group.join(ANNA)
    asked = await anna.write("Кто завтра?")
    sent = await bot.send_message(
        group.id, "Ольга", reply_parameters=ReplyParameters(message_id=asked.message_id), disable_notification=True
    )

    assert sent.reply_to_message.message_id == asked.message_id
    assert group.messages()[-1].silent is True
    await bot.edit_message_text("Мария", chat_id=group.id, message_id=sent.message_id, reply_markup=KEYBOARD)
    await bot.edit_message_reply_markup(chat_id=group.id, message_id=sent.message_id, reply_markup=None)
    assert group.texts() == ["Кто завтра?", "Мария"]
    with refused(TelegramBadRequest, "Bad Request: message can't be edited"):
        await bot.edit_message_text("x", chat_id=group.id, message_id=asked.message_id)
    with refused(TelegramBadRequest, "Bad Request: message can't be deleted"):
        await bot.delete_message(group.id, asked.message_id)
    with refused(TelegramBadRequest, "Bad Request: message to be replied not found"):
        await bot.send_message(group.id, "x", reply_parameters=ReplyParameters(message_id=999))
    alone = ReplyParameters(message_id=999, allow_sending_without_reply=True)
    assert (await bot.send_message(group.id, "y", reply_parameters=alone)).reply_to_message is None
    await bot.delete_message(group.id, sent.message_id)
    assert group.texts() == ["Кто завтра?", "y"]


async def test_a_button_in_a_group_is_pressed_by_a_member_and_answered(bot, group, updates, refused):
    anna = await group.join(ANNA)
    await updates()
    await bot.send_message(group.id, "Клиент ждёт", reply_markup=KEYBOARD)
    message = group.messages()[0]

    query_id = await anna.press(message, "take:1")
    query = (await updates())[0].callback_query
    await bot.answer_callback_query(query.id, text="Ваш", show_alert=True)

    assert (query.id, query.from_user.id, query.data) == (query_id, ANNA.id, "take:1")
    assert (query.message.chat.id, query.message.message_id) == (group.id, message.message_id)
    assert list(group.chat.answered) == [{"callback_query_id": query_id, "text": "Ваш", "show_alert": True}]
    words = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    with refused(TelegramBadRequest, words):
        await bot.answer_callback_query(query.id)
    with pytest.raises(LookupError):
        await anna.press(message, "take:2")
    await anna.press_stale(message, "take:2")
    assert (await updates())[0].callback_query.data == "take:2"


async def test_reactions_are_set_and_told_of_where_they_were_asked_for(bot, group, updates, refused):
    anna = await group.join(ANNA)
    message = await anna.write("Готово")

    await bot.set_message_reaction(group.id, message.message_id, [ReactionTypeEmoji(emoji="👍")])
    assert message.reactions == {bot.id: "👍"}
    await bot.set_message_reaction(group.id, message.message_id, [])
    assert message.reactions == {}
    with refused(TelegramBadRequest, "Bad Request: REACTION_INVALID"):
        await bot.set_message_reaction(group.id, message.message_id, [ReactionTypeEmoji(emoji="🐌")])
    with refused(TelegramBadRequest, "Bad Request: message to react not found"):
        await bot.set_message_reaction(group.id, 999, [ReactionTypeEmoji(emoji="👍")])
    await updates()
    await anna.react(message, "❤")
    assert await updates() == []
    await bot.get_updates(timeout=0, allowed_updates=["message", "message_reaction"])
    await anna.react(message, None)
    told = (await updates())[0].message_reaction
    assert (told.user.id, [one.emoji for one in told.old_reaction], told.new_reaction) == (ANNA.id, ["❤"], [])


async def test_a_basic_group_moves_to_a_supergroup_and_says_where(telegram, bot, updates):
    small = telegram.group("Кухня", owner=OLGA, basic=True)
    await small.add_bot(bot.id, administrator=True, can_manage_topics=True)
    await bot.send_message(small.id, "до")
    await updates()

    large = await small.upgrade()

    told = [one.message for one in await updates()]
    assert (told[0].chat.id, told[0].migrate_to_chat_id) == (small.id, large.id)
    assert (told[1].chat.id, told[1].migrate_from_chat_id) == (large.id, small.id)
    with pytest.raises(TelegramMigrateToChat) as caught:
        await bot.send_message(small.id, "после")
    assert caught.value.migrate_to_chat_id == large.id
    large.set_forum(forum=True)
    assert (await bot.create_forum_topic(large.id, "Мария")).name == "Мария"


async def test_in_a_supergroup_without_topics_an_answer_makes_a_thread(telegram, bot, updates):
    plain = telegram.group("Соседи", owner=OLGA)
    await plain.add_bot(bot.id, administrator=True)
    await updates()

    first = await plain.owner.write("Раз")
    second = await plain.owner.reply(first, "Два")
    await plain.owner.reply(second, "Три")
    told = [one.message for one in await updates()]
    sent = await bot.send_message(plain.id, "Четыре", message_thread_id=first.message_id)

    assert [one.message_thread_id for one in told] == [None, first.message_id, first.message_id]
    assert [one.is_topic_message for one in told] == [None, None, None]
    assert sent.message_thread_id is None, "a topic is passed over where there are none"


async def test_the_members_permissions_hold_for_a_bot_that_is_one_of_them(bot, group, refused):
    await group.add_bot(bot.id)
    group.chat.permissions["can_send_messages"] = False

    with refused(TelegramBadRequest, "Bad Request: not enough rights to send text messages to the chat"):
        await bot.send_message(group.id, "x")
    await group.add_bot(bot.id, administrator=True)
    assert await bot.send_message(group.id, "x")


async def test_a_group_takes_twenty_messages_a_minute_whatever_they_are(clock, bots):
    sandbox = TelegramSandbox(clock=clock, bot_per_s=1000)
    sandbox.add_bot(OTHER_TOKEN)
    await sandbox.start()
    small = sandbox.group("Кухня", owner=OLGA, basic=True)
    await small.add_bot(700000010)
    message = await small.owner.write("x")
    bot = bots(OTHER_TOKEN)
    bot.session.api = bot.session.api.from_base(sandbox.url)

    for _ in range(10):
        await bot.send_message(small.id, "x")
        await bot.copy_message(small.id, small.id, message.message_id)
    with pytest.raises(TelegramRetryAfter) as caught:
        await bot.send_message(small.id, "x")
    await sandbox.stop()

    assert caught.value.retry_after in (2, 3)
    assert sandbox.floods == 1


async def test_a_webhook_is_brought_what_a_group_says_in_order(bot, group):
    seen, arrived = [], asyncio.Event()

    async def hook(request):
        update = await request.json()
        seen.append(update["message"]["text"])
        if len(seen) == 3:
            arrived.set()
        return web.json_response({})

    anna = await group.join(ANNA)
    await bot.delete_webhook(drop_pending_updates=True)
    application = web.Application()
    application.router.add_post("/hook", hook)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await bot.set_webhook(f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
    for word in ("раз", "два", "три"):
        await anna.write(word)
    await asyncio.wait_for(arrived.wait(), 10)
    await runner.cleanup()

    assert seen == ["раз", "два", "три"]


async def test_who_waits_is_woken_and_a_vain_wait_shows_the_group(bot, group):
    async def speak():
        await bot.send_message(group.id, "Слышу")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(speak())
        await group.wait_for(lambda one: "Слышу" in one.texts_from_bot())
    with pytest.raises(TimeoutError, match="Элита: Слышу"):
        await group.wait_for(lambda one: len(one.messages()) > 1, within_s=0.01)


async def test_an_anonymous_administrator_is_not_named(bot, group, updates):
    anna = await group.join(ANNA, administrator=True, is_anonymous=True)
    await updates()

    await anna.write("От имени салона")

    told = (await updates())[0].message
    assert (told.from_user.username, told.sender_chat.id) == ("GroupAnonymousBot", group.id)
    assert (await bot.get_chat_member(group.id, ANNA.id)).is_anonymous is True


async def test_commands_for_the_staffs_group_are_not_those_for_everybody(telegram, bot, group, refused):
    everybody = [BotCommand(command="book", description="Записаться")]
    staff = [BotCommand(command="today", description="Сегодня")]
    here = BotCommandScopeChat(chat_id=group.id)

    await bot.set_my_commands(everybody)
    await bot.set_my_commands(staff, scope=here)

    assert [one.command for one in await bot.get_my_commands()] == ["book"]
    assert [one.command for one in await bot.get_my_commands(scope=here)] == ["today"]
    await bot.delete_my_commands(scope=here)
    assert await bot.get_my_commands(scope=here) == []
    with refused(TelegramBadRequest, "Bad Request: chat not found"):
        await bot.set_my_commands(staff, scope=BotCommandScopeChat(chat_id=-77))


async def test_others_standing_is_told_to_an_administrator_that_asked_for_it(bot, group, updates):
    await group.join(ANNA)
    assert [one.event_type for one in await updates() if one.chat_member] == []
    await bot.get_updates(timeout=0, allowed_updates=["message", "chat_member"])

    await group.join(ANNA, administrator=True, can_pin_messages=True)
    await group.leave(ANNA, kicked=True)
    told = await updates()
    changes = [one.chat_member for one in told if one.chat_member]

    assert [one.new_chat_member.status for one in changes] == ["administrator", "kicked"]
    assert {one.from_user.id for one in changes} == {OLGA.id}
    assert told[-1].message.left_chat_member.id == ANNA.id
    with pytest.raises(LookupError):
        await group.join(ANNA, can_pin_messages=True)
    with pytest.raises(LookupError):
        await group.join(ANNA, administrator=True, can_fly=True)


async def test_a_press_reaches_only_a_bot_that_is_still_there(bot, group, updates):
    await bot.send_message(group.id, "Клиент ждёт", reply_markup=KEYBOARD)
    message = group.messages()[0]
    own = await group.owner.write("x")
    await group.remove_bot(bot.id)
    await updates()

    await group.owner.press(message, "take:1")

    assert await updates() == []
    with pytest.raises(LookupError):
        await group.owner.press_stale(own, "take:1")


async def test_a_bot_with_the_right_deletes_what_others_wrote(bot, group):
    message = await group.owner.write("x")
    await group.add_bot(bot.id, administrator=True, can_delete_messages=True)

    assert await bot.delete_message(group.id, message.message_id)
    assert group.texts() == []


@pytest.mark.parametrize(
    ("reaction", "words"),
    [
        ([ReactionTypeEmoji(emoji="👍"), ReactionTypeEmoji(emoji="👎")], "Bad Request: REACTIONS_TOO_MANY"),
        ([ReactionTypeCustomEmoji(custom_emoji_id="1")], "Bad Request: REACTION_INVALID"),
    ],
)
async def test_a_bot_sets_one_plain_reaction(bot, group, refused, reaction, words):
    message = await group.owner.write("x")

    with refused(TelegramBadRequest, words):
        await bot.set_message_reaction(group.id, message.message_id, reaction)


@pytest.mark.parametrize(
    "scope",
    [
        BotCommandScopeAllChatAdministrators(),
        BotCommandScopeChatAdministrators(chat_id=-1_000_000_000_500),
        BotCommandScopeChatMember(chat_id=-1_000_000_000_500, user_id=OLGA.id),
    ],
)
async def test_every_scope_keeps_its_own_commands(bot, group, scope):
    await bot.set_my_commands([BotCommand(command="today", description="Сегодня")], scope=scope)

    assert [one.command for one in await bot.get_my_commands(scope=scope)] == ["today"]
    assert await bot.get_my_commands(scope=BotCommandScopeDefault()) == []


async def test_a_private_chat_has_two_members_and_pins_freely(telegram, bot, refused):
    await telegram.people.send_text(bot.id, ELENA, "Здравствуйте")

    assert (await bot.get_chat_member(ELENA.id, ELENA.id)).status == "member"
    assert (await bot.get_chat_member(ELENA.id, bot.id)).user.is_bot
    with refused(TelegramBadRequest, "Bad Request: member not found"):
        await bot.get_chat_member(ELENA.id, OLGA.id)
    assert await bot.pin_chat_message(ELENA.id, 1)
    assert await bot.unpin_chat_message(ELENA.id, message_id=1)
    with refused(TelegramBadRequest, "Bad Request: message to pin not found"):
        await bot.pin_chat_message(ELENA.id, 9)


async def test_groups_are_founded_with_sense(telegram, group):
    with pytest.raises(ValueError, match="topics"):
        telegram.group("x", owner=OLGA, basic=True, forum=True)
    with pytest.raises(ValueError, match="negative"):
        telegram.group("x", owner=OLGA, group_id=group.id)
    with pytest.raises(PermissionError):
        telegram.group("x", owner=OLGA, basic=True).set_forum(forum=True)
