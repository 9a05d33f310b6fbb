"""Opens the system under test: one company with a door of each kind, and the vendors' sandboxes beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
from pydantic import SecretStr

from bench.fuzz.house import PUBLIC, SECRET, Clock, Door, House
from bench.fuzz.recorded import COMPANY_FILE, PHONE_ID
from bot.app import Core, build_gateway
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.roles import voice_routes
from bot.worker_app import open_worker
from db.directory import Directory
from db.intake import Intake, IntakeBudgets
from db.limits import Ask, Budget, Grant, RateLimits
from db.records import ChannelType, CompanyId, Usage
from handlers.voice.call import Pace
from orchestration.ports import Content, ModelAnswer, ModelRequest, TextPart
from sandbox.seeds import ELITA_ID, elita_salon
from sandbox.telegram.server import TelegramSandbox
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.yclients.server import YclientsSandbox

_NO_LIMIT = 1_000_000
_WIDE = Budget(rate=_NO_LIMIT, per=timedelta(seconds=1), burst=_NO_LIMIT)
_BOT_TOKEN = "700000001:SANDBOX-only-works-in-the-fuzzing-01"  # noqa: S105 (known to the local sandbox alone)
_LONGEST_S = 60


SPEED = 20.0
FAST = Pace(now=lambda: time.monotonic() * SPEED, sleep=lambda seconds: asyncio.sleep(seconds / SPEED))
"""How much faster than life people speak on the telephone here."""


class WideLimits(RateLimits):
    """The real limits over the real Redis, so wide that an input is never refused for those before it."""

    async def take(self, asks: Sequence[Ask]) -> Sequence[Grant]:
        return await super().take([replace(ask, budget=_WIDE) for ask in asks])


class NoSendPace:
    """Nothing is sent here at a messenger's pace."""

    async def take(self, *_: object) -> None:
        return

    async def hold(self, *_: object, **__: object) -> None:
        return


class Plain:
    """A model that says one harmless thing: what it is asked is what is tried out."""

    async def generate(self, request: ModelRequest) -> ModelAnswer:
        content = Content(role="model", parts=(TextPart(text="Чем могу помочь?"),))
        return ModelAnswer(content=content, usage=Usage(calls=1), model="plain")


@asynccontextmanager
async def open_house(core: Core, clock: Clock) -> AsyncIterator[House]:
    """Open everything over the stores of `core`, which must run by `clock`."""
    async with AsyncExitStack() as stack:
        telegram, whatsapp = TelegramSandbox(clock=clock), WhatsAppSandbox(clock=clock)
        telegram.add_bot(_BOT_TOKEN, username="fuzzed_bot", first_name="F")
        yclients = YclientsSandbox(clock=clock, per_second=_NO_LIMIT, per_minute=_NO_LIMIT)
        yclients.add_salon(elita_salon())
        for server in (telegram, whatsapp, yclients):
            await server.start()
            stack.push_async_callback(server.stop)
        core = _set_up(core, clock, telegram_api_url=telegram.url, whatsapp_api_url=whatsapp.url)
        stack.push_async_callback(core.intake.close)
        company_id = await _company(core, yclients)
        doors = await _doors(core, company_id)
        snapshot = await core.companies.get_snapshot(company_id)
        crm_token = await core.companies.make_crm_hook(company_id, snapshot.branches[0].id)
        app = await stack.enter_async_context(open_worker(core, model=Plain()))
        gateway = build_gateway(core, more=voice_routes(core, app, FAST))
        url = await gateway.start()
        stack.push_async_callback(gateway.stop)
        limit = aiohttp.ClientTimeout(total=_LONGEST_S)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=limit))
        yield House(
            core=core,
            clock=clock,
            company_id=company_id,
            url=url,
            http=http,
            doors=doors,
            crm_token=crm_token,
            jobs=app.jobs,
            channels=app.channels,
        )


def _set_up(core: Core, clock: Clock, **vendors: str) -> Core:
    settings = core.settings.model_copy(
        update={
            **vendors,
            "public_url": PUBLIC,
            "quiet_seconds": 0.0,
            "admin_token": SecretStr(SECRET),
            "port": 0,
        }
    )
    limits = WideLimits(core.redis, core.redis_prefix)
    budgets = IntakeBudgets(company=_WIDE, address=_WIDE)
    return replace(
        core,
        settings=settings,
        limits=limits,
        send_pace=NoSendPace(),  # type: ignore[arg-type]
        intake=Intake(core.database, clock, core.doorbell, limits, budgets),
        # The clock runs ahead of life: what is cached would be read anew all the time.
        directory=Directory(core.database, ttl=timedelta(days=3650), max_size=1000, clock=clock),
    )


async def _company(core: Core, yclients: YclientsSandbox) -> CompanyId:
    company = await replace_from_file(core.companies, parse_company_file(COMPANY_FILE))
    await core.companies.set_crm(
        company.id,
        "yclients",
        options={"api_url": yclients.url, "company_id": str(ELITA_ID)},
        secrets={
            "partner_token": SecretStr(yclients.partner_token),
            "user_token": SecretStr(yclients.user_token),
        },
    )
    return company.id


async def _doors(core: Core, company_id: CompanyId) -> dict[str, Door]:
    secret = SecretStr(SECRET)
    calls = {"lines": _NO_LIMIT, "longest_minutes": 600.0}
    whatsapp = {"token": secret, "app_secret": secret, "verify_token": secret}
    kinds: Mapping[str, tuple[ChannelType, str, dict[str, Any], dict[str, SecretStr]]] = {
        "telegram": (
            ChannelType.TELEGRAM,
            _BOT_TOKEN.split(":")[0],
            {},
            {"token": SecretStr(_BOT_TOKEN), "secret_token": secret},
        ),
        "whatsapp": (ChannelType.WHATSAPP, PHONE_ID, {}, whatsapp),
        "stream": (ChannelType.VOICE, "+74951234567", calls, {"auth_token": secret}),
        "gather": (ChannelType.VOICE, "+74951234568", {**calls, "streams": False}, {"auth_token": secret}),
        "api": (ChannelType.API, "api", {"may_prove_phones": True}, {}),
    }
    doors = {}
    for name, (type_, external_id, options, secrets) in kinds.items():
        channel, token = await core.companies.add_channel(
            company_id, type_, external_id=external_id, name=name, options=options, secrets=secrets
        )
        doors[name] = Door(channel, token)
    core.directory.forget(company_id)
    return doors
