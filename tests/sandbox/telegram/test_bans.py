"""A bot puts somebody out of a group, where it has the right to."""

from __future__ import annotations

import pytest
from aiogram.exceptions import TelegramBadRequest

from sandbox.telegram.state import User

OLGA = User(id=11, first_name="Ольга", username="olga_boss")
ANNA, ELENA = User(id=12, first_name="Анна"), User(id=5, first_name="Елена")


@pytest.fixture
async def strict(telegram, bot):
    """A group in which the bot may put people out."""
    made = telegram.group("Смена", owner=OLGA)
    await made.add_bot(bot.id, administrator=True, can_restrict_members=True)
    return made


async def test_who_is_banned_is_out_and_writes_no_more(telegram, bot, strict):
    anna = await strict.join(ANNA)

    assert await bot.ban_chat_member(strict.id, ANNA.id)

    assert (await bot.get_chat_member(strict.id, ANNA.id)).status == "kicked"
    with pytest.raises(PermissionError):
        await anna.write("Я ещё здесь?")
    assert await bot.ban_chat_member(strict.id, ANNA.id), "again: nothing changes"


async def test_without_the_right_nobody_is_put_out(group, bot, refused):
    await group.join(ANNA)

    with refused(TelegramBadRequest, "Bad Request: not enough rights to restrict/unrestrict chat member"):
        await bot.ban_chat_member(group.id, ANNA.id)

    assert (await bot.get_chat_member(group.id, ANNA.id)).status == "member"


async def test_the_owner_an_administrator_and_a_stranger_cannot_be_put_out(strict, bot, refused):
    await strict.join(ANNA, administrator=True)

    with refused(TelegramBadRequest, "Bad Request: can't remove chat owner"):
        await bot.ban_chat_member(strict.id, OLGA.id)
    with refused(TelegramBadRequest, "Bad Request: user is an administrator of the chat"):
        await bot.ban_chat_member(strict.id, ANNA.id)
    with refused(TelegramBadRequest, "Bad Request: PARTICIPANT_ID_INVALID"):
        await bot.ban_chat_member(strict.id, ELENA.id)
