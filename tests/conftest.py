"""Real parts for every test: embedded PostgreSQL and Redis once a run, a database, a Redis prefix and a clock each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
import structlog
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import make_url

from bot.app import Core, open_core
from bot.lane import LEASE
from bot.settings import Mode, Settings
from db.embedded import Embedded, start_embedded
from db.records import AgentSettings, Branch, BranchId, Channel, ChannelType, Company, CompanyId, new_id
from db.upgrade import upgrade
from house_installation import (
    ELITA,
    ELITA_BOT,
    STAFF_CHAT,
    Clock,
    Installation,
    Vendors,
    running,
)
from orchestration.ports import Model
from sandbox.gemini.server import GeminiSandbox
from sandbox.seeds import ELITA_ID, boroda_salon, elita_salon
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import Chat, User
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.yclients.server import YclientsSandbox

# The default renderer prints every local variable of a trace: seconds of work for each expected failure.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NoWaiting:
    """A pace for sandboxes that have their limits off: the waiting itself has tests of its own."""

    async def wait(self, limits: object, *, line: str, company: str, ahead: int) -> None:
        return


class NoSendPace:
    """The same for messengers: by a clock that stands still, a reply that rests would never be due."""

    async def take(self, *_: object) -> None:
        return

    async def hold(self, *_: object, **__: object) -> None:
        return


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """PostgreSQL and Redis of this run (of this worker of it), with a migrated template database."""
    # pytest's own folders are closed to the user that the servers run as when the tests run as root.
    embedded = asyncio.run(start_embedded(tmp_path_factory.mktemp("servers"), durable=False))
    url = make_url(embedded.servers.database_url)
    asyncio.run(_create_database(embedded.servers.database_url, "template_house", "template0"))
    asyncio.run(upgrade(url.set(database="template_house").render_as_string(hide_password=False)))
    place = Path(str(url.query["host"])).parent
    yield embedded
    asyncio.run(embedded.stop())
    # A database for each test: where the folder had to lie outside of pytest's own, nobody else would remove it.
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
async def database_url(servers: Embedded) -> str:
    """A fresh, migrated database; the address is the owner's."""
    name = f"test_{new_id().hex}"
    await _create_database(servers.servers.database_url, name, "template_house")
    return make_url(servers.servers.database_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def settings(servers: Embedded, database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        mode=Mode.DEVELOPMENT,
        data_dir=tmp_path,
        database_url=database_url,
        redis_url=servers.servers.redis_url,
        port=0,
        quiet_seconds=0,
    )


@pytest.fixture
async def core(settings: Settings, clock: Clock) -> AsyncIterator[Core]:
    """The stores on a fresh database, with a Redis prefix of their own and the test's clock."""
    async with open_core(settings, clock=clock, redis_prefix=f"test:{new_id().hex}:", pool_size=20) as opened:
        yield replace(opened, crm_pace=NoWaiting(), send_pace=NoSendPace())


@pytest.fixture
def make_channel(core: Core) -> Callable[[str], Awaitable[Channel]]:
    """Make a company of this slug, and return its channel: for tests that need no vendor."""

    async def make(slug: str) -> Channel:
        company = Company(id=CompanyId(new_id()), slug=slug, name=slug)
        branch = Branch(id=BranchId(new_id()), key="main", name=slug, time_zone="UTC")
        await core.companies.create_company(company, AgentSettings(), [branch])
        made, _ = await core.companies.add_channel(
            company.id, ChannelType.TELEGRAM, external_id=slug, name=slug, options={}, secrets={}
        )
        return made

    return make


@pytest.fixture
async def channel(make_channel: Callable[[str], Awaitable[Channel]]) -> Channel:
    return await make_channel("elita")


async def _create_database(server_url: str, name: str, template: str) -> None:
    url = make_url(server_url)
    connection = await asyncpg.connect(user=url.username, database="postgres", host=str(url.query["host"]))
    try:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
    finally:
        await connection.close()


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[str, Handler], Awaitable[str]]]:
    """Serve POSTs to a path with a handler of the test's own; return the address. For published answers over HTTP."""
    async with contextlib.AsyncExitStack() as stack:

        async def serve(path: str, handler: Handler) -> str:
            application = web.Application()
            application.router.add_post(path, handler)
            runner = web.AppRunner(application)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield serve


# ---- a whole installation: the vendors round it, the roles running, people with phones


@pytest.fixture
async def vendors(clock: Clock) -> AsyncIterator[Vendors]:
    """Servers with the salon Элита; calls are not limited by rate here, the limits have tests of their own."""
    telegram = TelegramSandbox(clock=clock, retry_base_s=0.05, chat_burst=1000, bot_per_s=1000, group_per_minute=60_000)
    yclients = YclientsSandbox(clock=clock, per_second=10_000, per_minute=100_000)
    gemini = GeminiSandbox(clock=clock)
    whatsapp = WhatsAppSandbox(clock=clock, retry_base_s=0.05, pair_burst=1000, number_per_s=1000)
    telegram.add_bot(ELITA_BOT, username="elita_bot", first_name="Элита")
    yclients.add_salon(elita_salon())
    yclients.add_salon(boroda_salon())
    await telegram.start()
    await yclients.start()
    await gemini.start()
    await whatsapp.start()
    yield Vendors(telegram, yclients, gemini, whatsapp)
    # Every request of ours in the suite is held against what the vendors allow; one that breaks it fails its test.
    assert telegram.violations == []
    assert whatsapp.violations == []
    assert yclients.violations == []
    assert yclients.book.double_bookings() == 0
    await whatsapp.stop()
    await gemini.stop()
    await yclients.stop()
    await telegram.stop()


@pytest.fixture
def model() -> Model | None:
    """None: the model is asked over HTTP. A test of what the model may do puts another one here."""
    return None


@pytest.fixture
def lease() -> timedelta:
    """How long work is held without a sign of life. A test of what a lost lease means puts another one here."""
    return LEASE


@pytest.fixture
async def house(
    core: Core, vendors: Vendors, clock: Clock, model: Model | None, lease: timedelta
) -> AsyncIterator[Installation]:
    """The salon Элита on a running installation, with a staff chat."""
    settings = core.settings.model_copy(
        update={
            "telegram_api_url": vendors.telegram.url,
            "whatsapp_api_url": vendors.whatsapp.url,
            "gemini_api_url": vendors.gemini.url,
            "gemini_api_key": SecretStr("sandbox"),
        }
    )
    core = replace(core, settings=settings)
    async with running(core, model, lease) as (url, app, worker):
        core = replace(core, settings=settings.model_copy(update={"public_url": url}))
        installation = Installation(core, vendors, clock, CompanyId(new_id()), url, worker, lease, desk=app.calls)
        staff = User(id=STAFF_CHAT, first_name="Администратор")
        text = ELITA.read_text(encoding="utf-8").replace("time_zone:", f"staff_chat: {STAFF_CHAT}\ntime_zone:")
        installation.company_id = await installation.add_company(text, ELITA_BOT, account=str(ELITA_ID))
        # The staff have pressed Start once, or the bot could not write to them.
        vendors.telegram.state.bots[installation.bots[installation.company_id]].chats[STAFF_CHAT] = Chat(user=staff)
        yield installation
        # What a provider refuses of ours fails the test, whatever it was about.
        assert installation.telephony is None or installation.telephony.violations == []


# ---- Prometheus, for the tests of the alerts


@pytest.fixture(scope="session")
def prometheus_tool() -> Callable[[str], str]:
    """Find `prometheus`, `promtool` or `amtool`, on the path or as deploy/prometheus.sh unpacked it. None: skip."""

    def find(name: str) -> str:
        unpacked = Path(__file__).parents[1] / ".tools" / "usr" / "bin"
        found = shutil.which(name) or shutil.which(name, path=unpacked)
        if found is None:
            told = f"no {name} here: the alerts were NOT tested (deploy/prometheus.sh brings it)"
            (pytest.fail if os.environ.get("AI_ADMIN_PROMETHEUS_TEST") == "required" else pytest.skip)(told)
        return found

    return find
