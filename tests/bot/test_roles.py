"""The processes: development from `.env` by long polling, the two roles apart, stopping without losing anything."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.development import SLUG
from bot.gateway import Stop
from bot.housekeeping import make_room
from bot.roles import serve, stop_on_signal
from sandbox.telegram.state import User

TOKEN = "700000001:SANDBOX-only-works-in-the-tests-000001"


@pytest.fixture
def sandboxed(core, vendors):
    settings = core.settings.model_copy(
        update={
            "telegram_api_url": vendors.telegram.url,
            "gemini_api_url": vendors.gemini.url,
            "gemini_api_key": SecretStr("sandbox"),
        }
    )
    return replace(core, settings=settings)


async def test_one_company_of_the_environment_is_served_by_long_polling(sandboxed, vendors):
    environment = {
        "AI_ADMIN_TELEGRAM_TOKEN": TOKEN,
        "AI_ADMIN_CRM_TYPE": "yclients",
        "AI_ADMIN_CRM_API_URL": vendors.yclients.url,
        "AI_ADMIN_CRM_COMPANY_ID": "4564",
        "AI_ADMIN_CRM_PARTNER_TOKEN": vendors.yclients.partner_token,
        "AI_ADMIN_CRM_USER_TOKEN": vendors.yclients.user_token,
    }
    stopped = Stop()
    serving = asyncio.create_task(serve(sandboxed, environment, stopped=stopped))
    people, user = vendors.telegram.people, User(id=31, first_name="Елена")

    await people.send_text(700000001, user, "Какие у вас услуги?")
    await people.wait_for(700000001, 31, lambda chat: len(people.texts_from_bot(700000001, 31)) > 0)
    await people.send_text(700000001, user, "Спасибо")
    await people.wait_for(700000001, 31, lambda chat: len(people.texts_from_bot(700000001, 31)) > 1)
    stopped.set()
    await serving

    assert "Стрижка женская" in people.texts_from_bot(700000001, 31)[0]
    assert [one.slug for one in await sandboxed.companies.list_companies()] == [SLUG]


async def test_a_second_start_finds_the_same_company_and_bot(sandboxed, vendors):
    for _ in range(2):
        stopped = Stop()
        serving = asyncio.create_task(serve(sandboxed, {"AI_ADMIN_TELEGRAM_TOKEN": TOKEN}, stopped=stopped))
        async with asyncio.timeout(15), vendors.telegram.state.changed:
            bot = vendors.telegram.state.bots[700000001]
            await vendors.telegram.state.changed.wait_for(lambda bot=bot: bot.polling or vendors.telegram.calls)
        stopped.set()
        await serving

    [company] = await sandboxed.companies.list_companies()
    assert len(await sandboxed.companies.list_channels(company.id)) == 1


@pytest.mark.parametrize(
    ("numbers", "in_a_hurry"),
    [([signal.SIGTERM], False), ([signal.SIGINT], True), ([signal.SIGTERM, signal.SIGTERM], True)],
)
async def test_a_signal_asks_the_process_to_stop_and_a_person_or_a_second_one_hurries_it(numbers, in_a_hurry):
    stopped = stop_on_signal()
    heard = asyncio.Event()

    for number in numbers:
        os.kill(os.getpid(), number)
        asyncio.get_running_loop().call_soon(heard.set)
        async with asyncio.timeout(10):
            await stopped.wait()
            await heard.wait()
        heard.clear()

    if in_a_hurry:
        async with asyncio.timeout(10):
            await stopped.at_once.wait()
    assert stopped.at_once.is_set() is in_a_hurry


async def test_partitions_are_made_ahead_once(core):
    await make_room(core.database, core.clock)
    await make_room(core.database, core.clock)

    async with core.database.platform() as tx:
        names = await tx.connection.execute(text("SELECT relname FROM pg_class WHERE relname LIKE 'messages_2026_%'"))
        assert "messages_2026_12" in {row[0] for row in names}
