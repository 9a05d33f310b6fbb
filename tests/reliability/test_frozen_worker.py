"""A worker frozen past its lease, as by a paused virtual machine, and woken again: what it still commits is refused.

The worker is a process of its own that SIGSTOP really stops; time is real here, with leases of two seconds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.app import build_gateway, open_core
from bot.channels.telegram import add_telegram
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.worker_app import open_worker
from db.models import accepted_updates, turns, work
from db.outbox_models import replies
from db.records import new_id
from sandbox.telegram.state import User

BOT = "700000001:SANDBOX-only-works-in-the-tests-000001"
LEASE = timedelta(seconds=2)
COMPANY = """
name: Салон
slug: salon
time_zone: Europe/Moscow
"""
WORKER = """
import asyncio, sys
from datetime import timedelta
from bot.app import open_core
from bot.settings import load_settings
from bot.worker_app import open_worker

async def main():
    async with open_core(load_settings(), redis_prefix=sys.argv[1]) as core:
        async with open_worker(core, lease=timedelta(seconds=float(sys.argv[2]))) as app:
            await app.worker.run()

asyncio.run(main())
"""


@asynccontextmanager
async def worker_process(core, prefix):
    """Run a worker as a process of its own against the same servers."""
    settings = core.settings
    environment = {
        **os.environ,
        "AI_ADMIN_DATABASE_URL": settings.database_url,
        "AI_ADMIN_REDIS_URL": settings.redis_url,
        "AI_ADMIN_DATA_DIR": str(settings.data_dir),
        "AI_ADMIN_TELEGRAM_API_URL": settings.telegram_api_url,
        "AI_ADMIN_GEMINI_API_URL": settings.gemini_api_url,
        "AI_ADMIN_GEMINI_API_KEY": "sandbox",
        "AI_ADMIN_QUIET_SECONDS": "0",
    }
    arguments = [sys.executable, "-c", WORKER, prefix, str(LEASE.total_seconds())]
    process = await asyncio.create_subprocess_exec(*arguments, env=environment, cwd=Path(__file__).parents[2])
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
async def salon(settings, vendors):
    """A company with a bot and a gateway, whose workers are the test's own."""
    prefix = f"test:{new_id().hex}:"
    settings = settings.model_copy(
        update={
            "telegram_api_url": vendors.telegram.url,
            "gemini_api_url": vendors.gemini.url,
            "gemini_api_key": SecretStr("sandbox"),
        }
    )
    async with open_core(settings, redis_prefix=prefix) as core:
        gateway = build_gateway(core)
        url = await gateway.start()
        core = replace(core, settings=settings.model_copy(update={"public_url": url}))
        company = await replace_from_file(core.companies, parse_company_file(COMPANY))
        await add_telegram(core, company.id, SecretStr(BOT))
        yield core, company.id, prefix
        await gateway.stop()


async def rows(core, company_id, *columns):
    async with core.database.company(company_id) as tx:
        found = await tx.connection.execute(select(*columns).where(columns[0].table.c.company_id == company_id))
        return [tuple(row) for row in found]


@pytest.mark.timeout(400)
async def test_a_worker_that_wakes_up_past_its_lease_commits_nothing(salon, vendors, until):
    core, company_id, prefix = salon
    people, first, second = vendors.telegram.people, User(id=41, first_name="Елена"), User(id=42, first_name="Ольга")
    bot_id = int(BOT.split(":")[0])

    async def heard(user):
        return people.texts_from_bot(bot_id, user.id)

    async def asked():
        return vendors.gemini.requests

    async def held():
        found = await rows(core, company_id, work.c.owner, work.c.kind)
        return [owner for owner, kind in found if kind == "turn" and owner]

    async with worker_process(core, prefix) as frozen:
        # The model does not answer, so that the worker is stopped in the middle of its turn.
        vendors.gemini.fail_next("hang")
        await people.send_text(bot_id, first, "Здравствуйте")
        [owner] = await until(held)
        await until(asked)
        os.kill(frozen.pid, signal.SIGSTOP)

        async with open_worker(core, lease=LEASE) as app:
            working = asyncio.create_task(app.worker.run())
            await until(lambda: heard(first))
            app.worker.stop()
            await working
        os.kill(frozen.pid, signal.SIGCONT)
        # It shows by serving another client that it is awake, and past its old turn.
        await people.send_text(bot_id, second, "Здравствуйте")
        await until(lambda: heard(second))

    assert f":{frozen.pid}:" in owner
    assert len(await heard(first)) == 1
    assert len(await rows(core, company_id, turns.c.id)) == 2
    assert len(await rows(core, company_id, replies.c.id)) == 2
    assert all(done for (done,) in await rows(core, company_id, accepted_updates.c.done_at))
