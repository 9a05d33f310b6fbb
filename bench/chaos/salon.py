"""The vendors round the run, and the one company that they serve."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.chaos.faults import ThinkingModel
from bot.app import open_core
from bot.channels.telegram import add_telegram
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.settings import Settings
from db.upgrade import upgrade
from sandbox.gemini.server import GeminiSandbox
from sandbox.scripted.model import ScriptedModel
from sandbox.seeds import ELITA_ID, elita_salon
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import Bot
from sandbox.yclients.server import YclientsSandbox

_COMPANY_FILE = Path(__file__).parents[2] / "examples" / "elita.yaml"
_BOT_TOKEN = "700000001:SANDBOX-only-works-in-the-chaos-00001"  # noqa: S105 (known to the local sandbox alone)
_RETRY_BASE_S = 0.2
_NO_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendors:
    telegram: TelegramSandbox
    yclients: YclientsSandbox
    gemini: GeminiSandbox
    bot: Bot


@asynccontextmanager
async def open_vendors(rng: random.Random, *, crm_limits: bool) -> AsyncIterator[Vendors]:
    """Start the sandbox servers and stop them at the end."""
    telegram = TelegramSandbox(retry_base_s=_RETRY_BASE_S)
    yclients = YclientsSandbox() if crm_limits else YclientsSandbox(per_second=_NO_LIMIT, per_minute=_NO_LIMIT)
    gemini = GeminiSandbox(policy=ThinkingModel(ScriptedModel(clock=lambda: datetime.now(UTC)), rng))
    bot = telegram.add_bot(_BOT_TOKEN, username="elita_chaos_bot", first_name="Elita")
    # All that was taken counts in the end, not the latest only.
    bot.delivered = deque()
    yclients.add_salon(elita_salon())
    started = []
    try:
        for server in (telegram, yclients, gemini):
            await server.start()
            started.append(server)
        yield Vendors(telegram=telegram, yclients=yclients, gemini=gemini, bot=bot)
    finally:
        for server in reversed(started):
            await server.stop()


async def make_company(owner_url: str, settings: dict[str, Any], vendors: Vendors) -> None:
    """Bring the schema up, then add the company, its CRM and its bot, whose webhook is set from then on."""
    await upgrade(owner_url)
    yclients = vendors.yclients
    async with open_core(Settings(_env_file=None, **settings)) as core:
        company = await replace_from_file(core.companies, parse_company_file(_COMPANY_FILE.read_text(encoding="utf-8")))
        await core.companies.set_crm(
            company.id,
            "yclients",
            options={"api_url": yclients.url, "company_id": str(ELITA_ID)},
            secrets={
                "partner_token": SecretStr(yclients.partner_token),
                "user_token": SecretStr(yclients.user_token),
            },
        )
        await add_telegram(core, company.id, SecretStr(_BOT_TOKEN))
