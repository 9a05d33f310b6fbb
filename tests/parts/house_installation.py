"""A whole installation for a test: the roles running, the vendors round it, a clock that only the test moves."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import func, select

from bot.app import Core, build_gateway
from bot.call_desk import Desk
from bot.channels.telegram import add_telegram
from bot.channels.voice import PhoneNumber, add_voice
from bot.channels.whatsapp import WhatsAppNumber, add_whatsapp
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.roles import voice_routes
from bot.tasks import end
from bot.worker_app import WorkerApp, open_worker
from db.models import work
from db.records import Channel, ChannelType, CompanyId, WorkKind
from handlers.voice.call import Pace
from house_people import Client, WhatsAppClient
from orchestration.ports import Model
from sandbox.gemini.server import GeminiSandbox
from sandbox.seeds import ELITA_ID, elita_business
from sandbox.staff_side import CRMSandbox
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User
from sandbox.telephony.caller import Phone
from sandbox.telephony.provider import Provider
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.whatsapp.state import Person
from sandbox.yclients.salon import Json, Salon
from sandbox.yclients.server import YclientsSandbox
from sandbox.yclients.staff_side import YclientsSalon

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


ELITA = Path(__file__).parents[2] / "examples" / "elita.yaml"
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

    async def settles_webhooks(self) -> None:
        """Wait until everything that was written is stored."""
        async with asyncio.timeout(20):
            while any(bot.updates for bot in self.vendors.telegram.state.bots.values()):  # noqa: ASYNC110 (a sandbox's)
                await asyncio.sleep(0.02)

    async def settles(
        self, *, crm: bool = False, people: bool = False, reminders: bool = False, outreach: bool = False
    ) -> None:
        """Wait until nothing is due any more: what was sent is answered, and what was answered is out.

        `crm`: what was changed in the CRM is looked into as well; `people`: staff have been shown what they are to be;
        `reminders`: and who is due to be reminded has been; `outreach`: and what goes out unasked has gone.
        """
        also = {"crm": crm, "mirror": people, "handover": people, "reminder": reminders}
        also |= {"sick": people, "waiting": outreach, "care": outreach}
        kinds = ["turn", "delivery", *(kind for kind, wanted in also.items() if wanted)]
        calm = 0
        async with asyncio.timeout(20):
            while True:
                # Looked at first: what a messenger has delivered by now is seen among what is due.
                quiet = not self.vendors.whatsapp.webhooks.waiting and not any(
                    bot.updates for bot in self.vendors.telegram.state.bots.values()
                )
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
                # Twice: what a messenger is just bringing is neither waiting with it nor stored yet.
                calm = calm + 1 if not due and quiet else 0
                if calm > 1:
                    return
                await asyncio.sleep(0.05)

    async def settles_with_time(self) -> None:
        """Let what rests become due, as time would, until nothing rests any more."""
        for _ in range(10):
            await self.settles()
            async with self.core.database.company(self.company_id) as tx:
                resting = await tx.connection.scalar(
                    select(func.max(work.c.due_at)).where(
                        work.c.company_id == self.company_id,
                        work.c.kind.not_in(["sweep", "memory", "reminder", "waiting", "care"]),
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
