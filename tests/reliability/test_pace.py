"""A whole worker against a Telegram that keeps its published limits: nothing is refused, and nothing waits for long."""

from __future__ import annotations

import asyncio
import time

import pytest
from pydantic import SecretStr

from bot.app import open_core
from bot.companies import create_from_file
from bot.worker_app import open_worker
from db.outbox import Outbox
from db.records import ChannelType, Dialogue, dialogue_id_of, new_id
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User

TOKEN = "700000009:SANDBOX-only-works-in-the-tests-000009"
BOT = 700000009
CLIENTS = 40


@pytest.fixture
async def telegram():
    sandbox = TelegramSandbox()
    sandbox.add_bot(TOKEN)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()
    assert sandbox.violations == []


async def test_replies_to_many_clients_at_once_go_out_at_the_bots_pace(settings, telegram):
    settings = settings.model_copy(update={"telegram_api_url": telegram.url, "gemini_api_key": SecretStr("none")})
    # The real clock: what rests is due when the budget, which is Redis's, has room again.
    async with open_core(settings, redis_prefix=f"test:{new_id().hex}:") as core, open_worker(core) as app:
        company = await create_from_file(core.companies, name="Элита", slug="elita", file=None)
        channel, _ = await core.companies.add_channel(
            company.id,
            ChannelType.TELEGRAM,
            external_id=str(BOT),
            name="@bot",
            options={},
            secrets={"token": SecretStr(TOKEN), "secret_token": SecretStr("x")},
        )
        for number in range(1, CLIENTS + 1):
            await telegram.people.send_text(BOT, User(id=number, first_name="A"), "hi")
        async with core.database.company(company.id) as tx:
            for number in range(1, CLIENTS + 1):
                key = f"{number}:{number}:"
                dialogue = Dialogue(
                    id=dialogue_id_of(channel.id, key), company_id=company.id, channel_id=channel.id, key=key
                )
                await Outbox(core.clock).put(tx, dialogue, [{"text": "1"}, {"text": "2"}], turn_id=None)
        started = time.monotonic()
        working = asyncio.create_task(app.worker.run())
        try:
            for number in range(1, CLIENTS + 1):
                await telegram.people.wait_for(BOT, number, lambda chat: len(chat.messages) == 3, within_s=60)
        finally:
            app.worker.stop()
            await working
    took = time.monotonic() - started

    for number in range(1, CLIENTS + 1):
        assert telegram.people.texts_from_bot(BOT, number) == ["1", "2"]
    assert telegram.floods == 0
    # 30 pass at once and 30 a second; the worker's own pace is 25.
    assert took > (2 * CLIENTS - 30) / 30
