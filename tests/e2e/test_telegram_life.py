"""Telegram as people use it: business chats, groups, a menu of commands."""

from __future__ import annotations

from datetime import timedelta

from sandbox.telegram.state import User

OWNER = User(id=700_700, first_name="Владелица")
CLIENT = User(id=800_800, first_name="Клиентка")


async def answered(house, connection):
    telegram, bot_id = house.vendors.telegram, house.bots[house.company_id]
    await house.settles()
    return telegram.business.texts_from_bot(bot_id, connection, CLIENT)


async def test_a_client_who_writes_to_the_owner_is_answered_in_the_owners_name(house):
    telegram, bot_id = house.vendors.telegram, house.bots[house.company_id]
    connection = await telegram.business.connect(bot_id, OWNER)

    await telegram.business.write(bot_id, connection, CLIENT, "Сколько стоит окрашивание?")

    [answer] = await answered(house, connection)
    assert "8000 руб." in answer
    assert telegram.people.chat(bot_id, CLIENT.id) is None


async def test_what_the_owner_writes_is_never_answered(house):
    telegram, bot_id = house.vendors.telegram, house.bots[house.company_id]
    connection = await telegram.business.connect(bot_id, OWNER)

    await telegram.business.write(bot_id, connection, CLIENT, "Сколько стоит окрашивание?", by_owner=True)

    assert await answered(house, connection) == []


async def test_who_answers_on_the_businesss_own_phone_has_taken_the_client_over(house):
    """Nobody is enrolled, and there is no topic: the person answers where the client wrote, and the agent is silent."""
    telegram, bot_id = house.vendors.telegram, house.bots[house.company_id]
    connection = await telegram.business.connect(bot_id, OWNER)
    await telegram.business.write(bot_id, connection, CLIENT, "Сколько стоит окрашивание?")
    before = len(await answered(house, connection))
    await telegram.business.write(bot_id, connection, CLIENT, "Это Марина, сейчас отвечу", by_owner=True)
    await house.settles()

    await telegram.business.write(bot_id, connection, CLIENT, "А стрижка?")
    assert len(await answered(house, connection)) == before

    await telegram.business.write(bot_id, connection, CLIENT, "2500", by_owner=True)
    await house.settles()
    house.clock.advance(timedelta(hours=2, minutes=1))
    await house.settles(people=True)
    await telegram.business.write(bot_id, connection, CLIENT, "Сколько стоит окрашивание?")
    assert len(await answered(house, connection)) == before + 1


async def test_an_owner_who_did_not_let_the_bot_reply_is_not_spoken_for(house):
    telegram, bot_id = house.vendors.telegram, house.bots[house.company_id]
    connection = await telegram.business.connect(bot_id, OWNER, can_reply=False)
    await telegram.business.write(bot_id, connection, CLIENT, "Здравствуйте")
    silent = await answered(house, connection)

    await telegram.business.connect(bot_id, OWNER, can_reply=True)
    await house.settles()
    await telegram.business.write(bot_id, connection, CLIENT, "Здравствуйте")

    assert silent == []
    assert len(await answered(house, connection)) == 1


async def test_a_group_is_left_alone(house):
    telegram, bot_id = house.vendors.telegram, house.bots[house.company_id]
    group = telegram.people.add_to_group(bot_id, -100_500, "Соседи")
    event = {
        "message_id": 1,
        "date": 1,
        "chat": group.as_json(),
        "from": CLIENT.as_json(),
        "text": "Сколько стоит окрашивание?",
    }

    await telegram.people.send_raw_update(bot_id, "message", event)
    await house.settles()

    assert telegram.people.texts_from_bot(bot_id, -100_500) == []


async def test_the_bot_shows_its_commands_and_what_it_is_in_every_language(house):
    bot = house.vendors.telegram.state.bots[house.bots[house.company_id]]

    assert set(bot.commands) == {"", "ru", "en", "kk"}
    assert [command["command"] for command in bot.commands["en"]] == [
        "book",
        "my",
        "person",
        "language",
        "help",
        "stop",
        "delete_me",
    ]
    assert bot.commands[""] == bot.commands["ru"]
    assert "Элита" in bot.descriptions["kk"]


async def test_in_groups_the_bot_shows_staffs_commands(house):
    bot = house.vendors.telegram.state.bots[house.bots[house.company_id]]
    shown = bot.scoped_commands["all_group_chats"]

    assert set(shown) == {"", "ru", "en", "kk"}
    names = [command["command"] for command in shown["ru"]]
    assert names == ["today", "back", "pause", "resume", "note", "notes", "undo", "sick"]
    assert "delete_me" not in names
