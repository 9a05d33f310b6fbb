"""What a whole turn takes of us: a webhook in, two rounds of the model with one reading of the CRM, the reply out.

The vendors answer at once and run beside, so that what is left is ours. `ai-admin serve` has one core to itself.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import aiohttp

from bench.crowd import Crm, Tenant, by_zipf, gather
from bench.system import cpu_s, free_port, measured, rss_mb, step_beside
from bench.vendors import Vendors
from bot.app import open_core
from bot.scopes import open_crm
from bot.settings import Settings
from db.embedded import start_embedded
from db.upgrade import runtime_url
from sandbox.one_c.service.server import OneCServiceSalon
from sandbox.seeds import elita_business

COMPANIES = 10
IN_FLIGHT = 20
SECONDS = 20.0
TURNS_OF_ONE = 5
"""A client asks so many times, then another comes: nobody writes faster than a person may."""
_ROOT = Path(__file__).parent.parent
_LONGEST_TURN_S = 30.0
_SERVICE = "Стрижка женская"
_QUESTION = "Здравствуйте! Есть ли свободное время на женскую стрижку?"
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (the header's name)


@dataclass(slots=True)
class Shop:
    """A running `ai-admin serve` and who writes to it."""

    url: str
    pid: int
    tenants: Sequence[Tenant]
    vendors: Vendors
    http: aiohttp.ClientSession
    order: Sequence[int]
    folder: Path
    owner_url: str
    """PostgreSQL under the login that may read everything."""
    environment: Mapping[str, str]
    """The settings of the process, for others beside it."""
    _updates: itertools.count[int] = field(default_factory=lambda: itertools.count(1_000_000))
    _people: itertools.count[int] = field(default_factory=itertools.count)

    async def turn(self, person_number: int, *, within_s: float = _LONGEST_TURN_S) -> float:
        """Write as this person and wait for the reply; return the seconds from the accepted webhook to it.

        Raises TimeoutError where it does not come in time.
        """
        update = next(self._updates)
        tenant = self.tenants[self.order[person_number % len(self.order)]]
        chat = 10_000_000 + person_number
        waiting: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.vendors.replies[(str(tenant.bot_id), chat)] = waiting
        person = {"id": chat, "first_name": "Anna"}
        message = {
            "message_id": update,
            "date": int(time.time()),
            "chat": {**person, "type": "private"},
            "from": {**person, "is_bot": False, "language_code": "ru"},
            "text": _QUESTION,
        }
        path = f"{self.url}/api/v1/telegram/webhook/{tenant.webhook_token}"
        body = json.dumps({"update_id": update, "message": message}).encode()
        async with self.http.post(path, data=body, headers={_SECRET_HEADER: tenant.secret}) as response:
            if response.status != 200:
                raise RuntimeError(f"a webhook was answered with {response.status}")
        accepted = time.perf_counter()
        async with asyncio.timeout(within_s):
            return await waiting - accepted

    async def busy(self, seconds: float, *, in_flight: int = IN_FLIGHT) -> tuple[int, float]:
        """Hold so many turns in flight; return how many were made, and the processor time that they took."""
        ends, before, made = time.monotonic() + seconds, cpu_s(self.pid), 0

        async def client() -> int:
            mine, person = 0, 0
            while time.monotonic() < ends:
                if mine % TURNS_OF_ONE == 0:
                    person = next(self._people)
                await self.turn(person)
                mine += 1
            return mine

        made = sum(await asyncio.gather(*(client() for _ in range(in_flight))))
        return made, cpu_s(self.pid) - before

    async def steady(self, seconds: float, rate: float) -> list[float]:
        """Begin turns at a steady rate, whatever becomes of those before; return how long each took."""
        chance, ends = random.Random(7), time.monotonic() + seconds
        took: list[float] = []

        async def one() -> None:
            took.append(await self.turn(next(self._people)))

        async with asyncio.TaskGroup() as group:
            while time.monotonic() < ends:
                group.create_task(one())
                await asyncio.sleep(chance.expovariate(rate))
        return took


async def measure(*, companies: int = COMPANIES, seconds: float = SECONDS) -> dict[str, float]:
    """Hold turns in flight for so long, then at half that rate, and return the figures."""
    step_beside()
    async with AsyncExitStack() as stack:
        shop = await open_shop(stack, companies)
        await shop.busy(min(10.0, seconds))
        shop.vendors.calls.clear()
        began = time.monotonic()
        made, cpu = await shop.busy(seconds)
        per_s = made / (time.monotonic() - began)
        calls = dict(shop.vendors.calls)
        took = sorted(await shop.steady(seconds, per_s / 2))
        memory = rss_mb(shop.pid)
    cuts = quantiles(took, n=100)
    return {
        "turns_per_s_per_core": round(per_s, 1),
        "turn_cpu_ms": round(cpu / made * 1000, 2),
        "turn_overhead_p50_ms": round(cuts[49] * 1000, 1),
        "turn_overhead_p99_ms": round(cuts[98] * 1000, 1),
        "turn_model_calls": round(calls.get("model", 0) / made, 2),
        "rss_serve_mb": round(memory),
    }


async def open_shop(
    stack: AsyncExitStack,
    companies: int,
    *,
    model_s: float = 0.0,
    crm_s: float = 0.0,
    arguments: Sequence[str] = ("bot", "serve"),
    alone: bool = True,
) -> Shop:
    """Start the stores, the vendors and one process of ours; it ends with the stack.

    `model_s`, `crm_s`: what these take to answer. `alone` as in bench/system.py.
    """
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="ai-admin-bench-")))
    servers = (await stack.enter_async_context(await start_embedded(folder / "servers"))).servers
    crm = OneCServiceSalon(elita_business())
    await crm.start()
    stack.push_async_callback(crm.stop)
    if crm_s:
        crm.faults.plant("/", times=sys.maxsize, hang_s=crm_s)
    vendors = await stack.enter_async_context(Vendors(model_s=model_s).serving())
    settings = Settings(_env_file=None, data_dir=folder, database_url=servers.database_url, redis_url=servers.redis_url)
    connection = crm.connection()
    async with open_core(settings) as core:
        tenants = await gather(
            core, companies, crm=Crm(type=connection.type, options=connection.options, secrets=connection.secrets)
        )
        async with open_crm(core) as scopes:
            scope = await scopes.open(tenants[0].company_id)
            services = await scope.crm(scope.branches[0].id).get_services()
        [vendors.service_id] = [str(one.id) for one in services if one.title == _SERVICE]
    port = free_port()
    environment = {
        "AI_ADMIN_DATA_DIR": str(folder),
        "AI_ADMIN_DATABASE_URL": runtime_url(servers.database_url),
        "AI_ADMIN_REDIS_URL": servers.redis_url,
        "AI_ADMIN_TELEGRAM_API_URL": vendors.url,
        "AI_ADMIN_GEMINI_API_URL": vendors.url,
        "AI_ADMIN_GEMINI_API_KEY": "bench",
        "AI_ADMIN_LOG_FORMAT": "json",
        "AI_ADMIN_QUIET_SECONDS": "0",
        # Not polled for: updates come by webhook.
        "AI_ADMIN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "AI_ADMIN_TURNS_AT_ONCE": "20",
        "AI_ADMIN_PORT": str(port),
        "PYTHONPATH": str(_ROOT),
    }
    process = await stack.enter_async_context(
        measured(arguments, port=port, ready="/ready", environment=environment, log=folder / "serve.log", alone=alone)
    )
    http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)))
    return Shop(
        url=f"http://127.0.0.1:{port}",
        pid=process.pid,
        tenants=tenants,
        vendors=vendors,
        http=http,
        order=by_zipf(companies, 20_000),
        folder=folder,
        owner_url=servers.database_url,
        environment=environment,
    )
