"""A production installation on this machine: vendors, companies, the settings that its processes get, and its rest."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.chaos.evidence import read_unrest
from bench.chaos.salon import Vendors, make_company, open_vendors
from bot.app import open_core
from bot.channels.telegram import add_telegram
from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.settings import Settings
from db.crypto import new_master_key
from sandbox.telegram.state import Bot

_PLAIN = """
name: Салон {number}
slug: salon-{number}
time_zone: Europe/Moscow
services:
  - {{name: Стрижка, price: 1500, duration: 60}}
"""
_BOTS_FIRST = 700_000_100
_IDS_APART = 10_000_000
"""Update ids of two bots must not meet: the counting looks at all of them together."""
_QUIET_LOOKS = 3
_LOOK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """`bots`: Elita's first, whose company books in a CRM, then those of companies without one."""

    vendors: Vendors
    bots: Sequence[Bot]
    settings: Mapping[str, Any]

    @property
    def database_url(self) -> str:
        return str(self.settings["database_url"])

    def acknowledged(self) -> set[int]:
        """Return the updates that Telegram believes taken, of all bots."""
        return {int(update["update_id"]) for bot in self.bots for update in bot.delivered}

    async def settle(self, *, within_s: float) -> dict[str, int]:
        """Wait until nothing is under way any more; return what still is when the time is up."""
        deadline = time.monotonic() + within_s
        quiet = 0
        unrest: dict[str, int] = {}
        while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
            unrest = await read_unrest(self.database_url)
            if waiting := sum(len(bot.updates) for bot in self.bots):
                unrest["webhooks"] = waiting
            quiet = 0 if unrest else quiet + 1
            await asyncio.sleep(_LOOK_EVERY_S)
        return unrest


@asynccontextmanager
async def open_installation(
    *, database_url: str, redis_url: str, public_url: str, folder: Path, companies: int
) -> AsyncIterator[Installation]:
    """Start the vendors and make the companies; gateways and workers are the caller's."""
    async with open_vendors(random.Random("model"), crm_limits=False) as vendors:
        settings: dict[str, Any] = {
            "mode": "production",
            # The sandbox's CRM stands on this machine.
            "allowed_private_hosts": "127.0.0.1",
            "data_dir": str(folder),
            "database_url": database_url,
            "redis_url": redis_url,
            "master_keys": new_master_key(),
            "public_url": public_url,
            "host": "127.0.0.1",
            "telegram_api_url": vendors.telegram.url,
            "gemini_api_url": vendors.gemini.url,
            "gemini_api_key": "sandbox",
            "quiet_seconds": "0.2",
            "client_messages_per_minute": "1000",
        }
        await make_company(database_url, settings, vendors)
        bots = [vendors.bot, *[_add_bot(vendors, number) for number in range(1, companies)]]
        async with open_core(Settings(_env_file=None, **settings)) as core:
            for number, bot in enumerate(bots[1:], start=1):
                company = await replace_from_file(core.companies, parse_company_file(_PLAIN.format(number=number)))
                await add_telegram(core, company.id, SecretStr(bot.token))
        yield Installation(vendors=vendors, bots=bots, settings=settings)


def _add_bot(vendors: Vendors, number: int) -> Bot:
    token = f"{_BOTS_FIRST + number}:SANDBOX-only-works-in-the-rollout-{number:05}"
    bot = vendors.telegram.add_bot(token, username=f"salon_{number}_bot", first_name=f"Salon {number}")
    bot.delivered = deque()
    bot.next_update += number * _IDS_APART
    return bot
