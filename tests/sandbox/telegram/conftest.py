"""A local Telegram, a bot that speaks to it by aiogram over HTTP, and the staff of a salon."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramAPIError
from aiogram.types import Update

from house_installation import Clock
from sandbox.telegram.group_life import GroupLife
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User

TOKEN = "700000009:SANDBOX-only-works-in-the-tests-000009"
OLGA = User(id=11, first_name="Ольга", username="olga_boss")

Bots = Callable[[str], Bot]


@pytest.fixture
async def telegram(clock: Clock) -> AsyncIterator[TelegramSandbox]:
    sandbox = TelegramSandbox(clock=clock, retry_base_s=0.01, bot_per_s=1000, group_per_minute=1000)
    sandbox.add_bot(TOKEN, username="elita_bot", first_name="Элита")
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def bots(telegram: TelegramSandbox) -> AsyncIterator[Bots]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(telegram.url), timeout=10)
    yield lambda token: Bot(token, session=session)
    await session.close()


@pytest.fixture
def bot(bots: Bots) -> Bot:
    return bots(TOKEN)


@pytest.fixture
async def group(telegram: TelegramSandbox, bot: Bot) -> GroupLife:
    """The staff's group with topics; the bot may do in it what it asks for."""
    made = telegram.group("Смена", owner=OLGA, forum=True)
    await made.add_bot(bot.id, administrator=True, can_manage_topics=True, can_pin_messages=True)
    return made


@pytest.fixture
def updates(bot: Bot) -> Callable[[], Awaitable[list[Update]]]:
    """Bring what the bot was told since it last asked."""

    async def bring() -> list[Update]:
        brought = await bot.get_updates(timeout=0)
        if brought:
            await bot.get_updates(offset=brought[-1].update_id + 1, timeout=0)
        return brought

    return bring


@pytest.fixture
def refused() -> Callable[..., contextlib.AbstractContextManager[Any]]:
    """Expect a refusal of this kind in exactly these words."""

    @contextlib.contextmanager
    def expect(kind: type[TelegramAPIError], words: str) -> Iterator[Any]:
        with pytest.raises(kind) as caught:
            yield caught
        assert caught.value.message == words

    return expect
