"""Real parts for every test: embedded PostgreSQL and Redis once a run, a database, a Redis prefix and a clock each."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest
import structlog
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import func, make_url, select

from bot.app import Core, build_gateway, open_core
from bot.call_desk import Desk
from bot.channels.telegram import add_telegram
from bot.channels.voice import PhoneNumber, add_voice
from bot.channels.whatsapp import WhatsAppNumber, add_whatsapp
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.lane import LEASE
from bot.roles import voice_routes
from bot.settings import Mode, Settings
from bot.tasks import end
from bot.worker_app import WorkerApp, open_worker
from db.embedded import Embedded, start_embedded
from db.models import work
from db.records import AgentSettings, Branch, BranchId, Channel, ChannelType, Company, CompanyId, WorkKind, new_id
from db.upgrade import upgrade
from handlers.voice.call import Pace
from orchestration.ports import Model
from sandbox.gemini.server import GeminiSandbox
from sandbox.media import photo, voice_note
from sandbox.seeds import ELITA_ID, boroda_salon, elita_business, elita_salon
from sandbox.staff_side import CRMSandbox
from sandbox.telegram.people import buttons_of
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import Chat, ChatMessage, User
from sandbox.telephony.caller import Phone
from sandbox.telephony.provider import Provider
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.whatsapp.state import ChatMessage as WhatsAppMessage
from sandbox.whatsapp.state import Person
from sandbox.yclients.salon import Json, Salon
from sandbox.yclients.server import YclientsSandbox
from sandbox.yclients.staff_side import YclientsSalon

# The default renderer prints every local variable of a trace: seconds of work for each expected failure.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""12:00 in Moscow."""


@dataclass
class Clock:
    """A clock that only a test moves."""

    now: datetime = TUESDAY

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


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

ELITA = Path(__file__).parent.parent / "examples" / "elita.yaml"
STAFF_CHAT = 555_000
PHONE_HOST = "https://voice.example"
PHONE_NUMBER, AUTH_TOKEN = "+74951234567", "auth-token-of-elita"
SPEED = 30.0
"""How much faster than life people speak on the telephone here."""
FAST = Pace(now=lambda: time.monotonic() * SPEED, sleep=lambda seconds: asyncio.sleep(seconds / SPEED))
ELITA_NUMBER = "106540352242922"
ELITA_BOT = "700000001:SANDBOX-only-works-in-the-tests-000001"


@dataclass
class Vendors:
    """The sandbox servers."""

    telegram: TelegramSandbox
    yclients: YclientsSandbox
    gemini: GeminiSandbox
    whatsapp: WhatsAppSandbox


@pytest.fixture
async def vendors(clock: Clock) -> AsyncIterator[Vendors]:
    """Servers with the salon Элита; calls are not limited by rate here, the limits have tests of their own."""
    telegram = TelegramSandbox(clock=clock, retry_base_s=0.05, chat_burst=1000, bot_per_s=1000)
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


@dataclass
class Client:
    """A person with a phone who writes to a bot."""

    telegram: TelegramSandbox
    bot_id: int
    user: User
    phone: str

    @property
    def chat(self) -> Chat:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        assert chat is not None, "this client has no chat yet"
        return chat

    @property
    def heard(self) -> list[str]:
        """What the bot has said, in order."""
        return self.telegram.people.texts_from_bot(self.bot_id, self.user.id)

    async def says(self, text: str) -> ChatMessage:
        """Write, and return the next thing that the bot says."""
        return await self._answered(self.telegram.people.send_text, text)

    async def says_aloud(self, words: str | None, *, seconds: float = 3) -> ChatMessage:
        """Send a voice note; `words` None: one in which nothing can be made out."""
        recording = voice_note(words, seconds=seconds)
        send = self.telegram.people.send_voice
        return await self._answered(partial(send, recording=recording, seconds=round(seconds)))

    async def shows(self, what: str | None, caption: str = "") -> ChatMessage:
        """Send a picture."""
        return await self._answered(self.telegram.people.send_photo, photo(what), caption)

    async def sends(self, **content: object) -> ChatMessage:
        """Send a message with these fields of the Bot API's Message."""
        return await self._answered(partial(self.telegram.people.send_anything, **content))

    async def shares_contact(self, *, own: bool = True) -> ChatMessage:
        async def share(bot_id: int, user: User) -> int:
            return await self.telegram.people.share_contact(bot_id, user, self.phone, own=own)

        return await self._answered(share)

    async def presses(self, label: str) -> ChatMessage:
        """Press the latest button with these words on it."""
        message, data = self.button(label)
        return await self._answered(self.telegram.people.press_button, message.message_id, data)

    async def reaches_proposal(self, at: str = "15:00") -> ChatMessage:
        """Talk until a haircut tomorrow with Анна is put before this client; return the question."""
        await self.says("Хочу постричься завтра после обеда")
        await self.says("Женская стрижка, мастер Анна Смирнова")
        await self.says(f"Давайте в {at}")
        return await self.shares_contact()

    async def reaches_visit(self, at: str = "15:00", *, by: str = "Анны") -> ChatMessage:
        """Talk until a haircut and then a manicure with Ольга are put before this client as one visit."""
        await self.says(f"Запишите меня завтра после обеда на женскую стрижку у {by} и маникюр у Ольги")
        await self.says(f"Давайте в {at}")
        return await self.shares_contact()

    def is_offered(self, label: str) -> bool:
        """Say whether the latest message has a button with these words on it."""
        return any(label in button["text"] for button in buttons_of(self.chat.messages[-1]))

    def button(self, label: str) -> tuple[ChatMessage, str]:
        for message in reversed(self.chat.messages):
            for button in buttons_of(message):
                if label in button["text"]:
                    return message, button["callback_data"]
        raise AssertionError(f"no button {label!r}; the bot said {self.heard}")

    async def _answered(self, act: Callable[..., object], *arguments: object) -> ChatMessage:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        count = _said(chat) if chat else 0
        await act(self.bot_id, self.user, *arguments)  # type: ignore[misc]
        chat = await self.telegram.people.wait_for(self.bot_id, self.user.id, lambda one: _said(one) > count)
        # As it is now: a page that is turned changes it.
        return replace(max((one for one in chat.messages if one.from_bot), key=lambda one: one.seq))


@dataclass
class WhatsAppClient:
    """A person with a phone who writes to a number."""

    whatsapp: WhatsAppSandbox
    number_id: str
    person: Person

    @property
    def phone(self) -> str:
        return f"+{self.person.wa_id}"

    @property
    def heard(self) -> list[str]:
        return self.whatsapp.people.texts_from_business(self.number_id, self.person.user_id)

    @property
    def last(self) -> WhatsAppMessage:
        """The latest message from the business."""
        chat = self.whatsapp.people.chat(self.number_id, self.person.user_id)
        assert chat is not None, "this person has no chat yet"
        return [message for message in chat.messages if message.from_business][-1]

    async def says(self, text: str) -> WhatsAppMessage:
        """Write, and return the next thing that the business says."""
        return await self.hears_after(self.whatsapp.people.send_text(self.number_id, self.person, text))

    async def says_aloud(self, words: str | None, *, seconds: float = 3) -> WhatsAppMessage:
        recording = voice_note(words, seconds=seconds)
        return await self.hears_after(self.whatsapp.people.send_voice(self.number_id, self.person, recording))

    async def presses(self, label: str) -> WhatsAppMessage:
        """Tap the latest choice with these words on it."""
        chat = self.whatsapp.people.chat(self.number_id, self.person.user_id)
        for message in reversed(chat.messages if chat else ()):
            for choice in message.choices:
                if label in f"{choice['title']} {choice.get('description', '')}":
                    tapped = self.whatsapp.people.tap(self.number_id, self.person, message.id, choice["id"])
                    return await self.hears_after(tapped)
        raise AssertionError(f"no choice {label!r}; the business said {self.heard}")

    def is_offered(self, label: str) -> bool:
        """Say whether the latest message has a choice with these words on it."""
        return any(label in choice["title"] for choice in self.last.choices)

    async def shares_contact(self) -> WhatsAppMessage:
        shared = self.whatsapp.people.share_contact(self.number_id, self.person, self.phone)
        return await self.hears_after(shared)

    async def hears_after(self, act: Awaitable[object]) -> WhatsAppMessage:
        """Do something, and return the next thing that the business says."""
        count = len(self.heard)
        await act
        await self.whatsapp.people.wait_for(self.number_id, self.person.user_id, lambda _: len(self.heard) > count)
        return self.last


def _said(chat: Chat) -> int:
    """Count what the bot has said and what words it has changed since; used-up buttons are no words."""
    return sum(1 + message.rewritten for message in chat.messages if message.from_bot)


@dataclass
class Installation:
    """A running installation with the company Элита."""

    core: Core
    vendors: Vendors
    clock: Clock
    company_id: CompanyId
    url: str
    worker: asyncio.Task[None]
    lease: timedelta
    clients: int = 0
    bots: dict[CompanyId, int] = field(default_factory=dict)
    desk: Desk | None = None
    """What calls are made over, for a test that lets their process die in the middle."""
    telephony: Provider | None = None
    voice_token: str = ""

    @property
    def salon(self) -> Salon:
        return self.vendors.yclients.book.salons[ELITA_ID]

    def records(self) -> list[Json]:
        """The standing appointments in the salon's CRM."""
        return [record for record in self.salon.records.values() if not record["deleted"]]

    def salon_staff(self) -> CRMSandbox:
        """The salon's CRM as its staff see it."""
        return YclientsSalon(elita_business(), server=self.vendors.yclients, salon=self.salon)

    def client(self, first_name: str = "Елена", *, company_id: CompanyId | None = None) -> Client:
        """A new person."""
        self.clients += 1
        bot_id = self.bots[company_id or self.company_id]
        user = User(id=900_000 + self.clients, first_name=first_name)
        return Client(self.vendors.telegram, bot_id, user, f"+7916000{self.clients:04}")

    async def whatsapp_client(self, name: str = "Елена", *, hidden: bool = False) -> WhatsAppClient:
        """A new person who writes over WhatsApp; `hidden`: one who shows a user name instead of a number."""
        self.clients += 1
        wa_id = f"7916000{self.clients:04}"
        person = Person(name=name, wa_id=None if hidden else wa_id, user_id=f"RU.{self.clients:06}")
        return WhatsAppClient(self.vendors.whatsapp, await self.whatsapp_number(), person)

    async def whatsapp_number(self) -> str:
        """Элита's number, added where it is not there yet."""
        whatsapp = self.vendors.whatsapp
        if ELITA_NUMBER not in whatsapp.state.numbers:
            app = whatsapp.add_app()
            whatsapp.add_number(app, id_=ELITA_NUMBER, token=f"token-of-{ELITA_NUMBER}", name="Элита")
            await self.add_number(self.company_id, ELITA_NUMBER)
        return ELITA_NUMBER

    async def add_number(self, company_id: CompanyId, number_id: str, **template: object) -> None:
        """Give a company a number that stands at Meta already."""
        number = self.vendors.whatsapp.state.numbers[number_id]
        given = WhatsAppNumber(
            phone_number_id=number_id,
            token=SecretStr(number.token),
            app_secret=SecretStr(number.app.secret),
            template=template or None,
        )
        await add_whatsapp(self.core, company_id, given)
        self.core.directory.forget(company_id)

    async def phone(self, number: str | None = "+79160009999", **options: object) -> Phone:
        """A person who calls Элита's number; None: one who hides their own. The number is added with these options."""
        if self.telephony is None:
            given = PhoneNumber(number=PHONE_NUMBER, auth_token=SecretStr(AUTH_TOKEN), **options)  # type: ignore[arg-type]
            added = await add_voice(self.core, self.company_id, given)
            self.core.directory.forget(self.company_id)
            self.voice_token = str(added["webhook"]).rsplit("/", 1)[1]
            self.telephony = Provider(auth_token=AUTH_TOKEN, connect_to=self.url, speed=SPEED)
        webhook = f"{PHONE_HOST}/api/v1/voice/webhook/{self.voice_token}"
        return Phone(provider=self.telephony, webhook_url=webhook, number=number or "anonymous", to=PHONE_NUMBER)

    async def channel(self, company_id: CompanyId | None = None) -> Channel:
        channels = await self.core.companies.list_channels(company_id or self.company_id)
        return next(channel for channel in channels if channel.type is ChannelType.TELEGRAM)

    async def kill_worker(self) -> None:
        """Let the worker die in the middle of what it does: its leases stay, and nothing is given back."""
        await end(self.worker)

    def another_worker(self) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        """Run a worker beside the first, as on another host."""
        return working(self.core, None, self.lease)

    async def settles(self, *, crm: bool = False) -> None:
        """Wait until nothing is due any more: what was sent is answered, and what was answered is out.

        `crm`: what was changed in the CRM is looked into as well.
        """
        kinds = ["turn", "delivery", *(["crm"] if crm else [])]
        async with asyncio.timeout(20):
            while True:
                async with self.core.database.company(self.company_id) as tx:
                    due = await tx.connection.scalar(
                        select(func.count())
                        .select_from(work)
                        .where(
                            work.c.company_id == self.company_id,
                            work.c.due_at <= self.clock(),
                            work.c.kind.in_(kinds),
                        )
                    )
                quiet = not self.vendors.whatsapp.webhooks.waiting and not any(
                    bot.updates for bot in self.vendors.telegram.state.bots.values()
                )
                if not due and quiet:
                    return
                await asyncio.sleep(0.05)

    async def settles_with_time(self) -> None:
        """Let what rests become due, as time would, until nothing rests any more."""
        for _ in range(10):
            await self.settles()
            async with self.core.database.company(self.company_id) as tx:
                resting = await tx.connection.scalar(
                    select(func.max(work.c.due_at)).where(
                        work.c.company_id == self.company_id, work.c.kind.not_in(["sweep", "memory"])
                    )
                )
            if resting is None:
                return
            self.clock.now = max(self.clock.now, resting)
            await self.core.doorbell.ring(WorkKind.TURN)
            await self.core.doorbell.ring(WorkKind.DELIVERY)
            await asyncio.sleep(0.05)

    def staff_heard(self) -> list[str]:
        return self.vendors.telegram.people.texts_from_bot(self.bots[self.company_id], STAFF_CHAT)

    async def add_company(self, file: str, bot_token: str, **crm: str) -> CompanyId:
        """Add a company with a bot and, where `crm` names an account, YCLIENTS."""
        company = await replace_from_file(self.core.companies, parse_company_file(file))
        if crm:
            await self.core.companies.set_crm(
                company.id,
                "yclients",
                options={"api_url": self.vendors.yclients.url, "company_id": crm["account"]},
                secrets={
                    "partner_token": SecretStr(self.vendors.yclients.partner_token),
                    "user_token": SecretStr(crm.get("user_token", self.vendors.yclients.user_token)),
                },
            )
        if int(bot_token.split(":")[0]) not in self.vendors.telegram.state.bots:
            self.vendors.telegram.add_bot(bot_token, username=f"{company.slug}_bot", first_name=company.name)
        await add_telegram(self.core, company.id, SecretStr(bot_token))
        self.bots[company.id] = int(bot_token.split(":")[0])
        self.core.directory.forget(company.id)
        return company.id


@asynccontextmanager
async def working(core: Core, model: Model | None, lease: timedelta) -> AsyncIterator[asyncio.Task[None]]:
    """Run a worker. `model` None: Gemini, as in the settings."""
    async with working_app(core, model, lease) as (_, task):
        yield task


@asynccontextmanager
async def working_app(
    core: Core, model: Model | None, lease: timedelta
) -> AsyncIterator[tuple[WorkerApp, asyncio.Task[None]]]:
    async with open_worker(core, model=model, lease=lease) as app:
        task = asyncio.create_task(app.worker.run())
        try:
            yield app, task
        finally:
            app.worker.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def running(
    core: Core, model: Model | None, lease: timedelta
) -> AsyncIterator[tuple[str, WorkerApp, asyncio.Task[None]]]:
    """Run gateway and worker as `serve` does; yield the gateway's address, the worker's parts, and the worker."""
    async with working_app(core, model, lease) as (app, worker):
        # Calls are answered at the public address only.
        by_phone = replace(core, settings=core.settings.model_copy(update={"public_url": PHONE_HOST}))
        gateway = build_gateway(core, more=voice_routes(by_phone, app, FAST))
        url = await gateway.start()
        try:
            yield url, app, worker
        finally:
            await gateway.stop()


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
