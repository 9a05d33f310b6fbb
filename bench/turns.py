"""What a whole turn takes of us: a webhook in, two rounds of the model with one reading of the CRM, the reply out.

The vendors answer at once and run beside, so that what is left is ours. `ai-admin serve` has one core to itself.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, quantiles
from tempfile import TemporaryDirectory

import aiohttp

from bench.crowd import Crm, Tenant, by_zipf, driver_url, gather
from bench.plots import STAGE
from bench.rounds import Rounds, in_turn
from bench.system import cpu_s, free_port, measured, on_measured_core, rss_mb, step_beside
from bench.vendors import MARK, TimedSalon, Vendors
from bot.app import open_core
from bot.scopes import open_crm
from bot.settings import Settings
from db.embedded import start_embedded
from db.upgrade import runtime_url
from sandbox.one_c.service.server import PASSWORD, USER
from sandbox.seeds import elita_business

COMPANIES = 10
IN_FLIGHT = 20
SECONDS = 20.0
ROUNDS = 5
ROUND_S = 5.0
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
    bare: Sequence[str]
    """What bench/bare_turn.py is told, but for how long: where the same vendors and stores are."""
    log: Path
    """Where the process writes its log."""
    _updates: itertools.count[int] = field(default_factory=lambda: itertools.count(1_000_000))
    _people: itertools.count[int] = field(default_factory=itertools.count)

    async def turn(self, person_number: int, *, within_s: float = _LONGEST_TURN_S) -> float:
        """Write as this person and wait for the reply; return the seconds from the accepted webhook to it.

        Raises TimeoutError where it does not come in time.
        """
        return (await self._timed_turn(person_number, within_s))[0]

    async def _timed_turn(self, person_number: int, within_s: float = _LONGEST_TURN_S) -> tuple[float, float]:
        """Return what a turn took in all, and what of it the model and the CRM did."""
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
            "text": f"{_QUESTION} {MARK.format(update)}",
        }
        path = f"{self.url}/api/v1/telegram/webhook/{tenant.webhook_token}"
        body = json.dumps({"update_id": update, "message": message}).encode()
        async with self.http.post(path, data=body, headers={_SECRET_HEADER: tenant.secret}) as response:
            if response.status != 200:
                raise RuntimeError(f"a webhook was answered with {response.status}")
        accepted = time.perf_counter()
        async with asyncio.timeout(within_s):
            took = await waiting - accepted
        return took, self.vendors.outside_s.pop(update, 0.0)

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
        """Begin turns at a steady rate, whatever becomes of those before; return how long each took of us.

        That is the time of the turn minus what the model and the CRM took, as they tell it themselves.
        """
        chance, ends = random.Random(7), time.monotonic() + seconds
        took: list[float] = []

        async def one() -> None:
            whole, outside = await self._timed_turn(next(self._people))
            if not outside:
                raise RuntimeError("the vendors do not know which turn they were asked for")
            took.append(whole - outside)

        async with asyncio.TaskGroup() as group:
            while time.monotonic() < ends:
                group.create_task(one())
                await asyncio.sleep(chance.expovariate(rate))
        return took


async def measure(*, companies: int = COMPANIES, seconds: float = SECONDS, rounds: int = ROUNDS) -> dict[str, float]:
    """Hold turns in flight for so long, then at half that rate, then against the bare script; return the figures."""
    step_beside()
    round_s = min(ROUND_S, seconds)
    async with AsyncExitStack() as stack:
        shop = await open_shop(stack, companies)
        await shop.busy(min(10.0, seconds))
        shop.vendors.calls.clear()
        began = time.monotonic()
        made, cpu = await shop.busy(seconds)
        per_s = made / (time.monotonic() - began)
        calls = dict(shop.vendors.calls)
        before = shop.log.stat().st_size
        took = sorted(await shop.steady(seconds, per_s / 2))
        stages = _stages(shop.log, before)
        memory = rss_mb(shop.pid)
        found = await _against_bare(shop, round_s, rounds)
    cuts = quantiles(took, n=100)
    return {
        "turns_per_s_per_core": round(per_s, 1),
        "turn_cpu_ms": round(cpu / made * 1000, 2),
        "turn_floor_ratio": round(found.ratio("ours"), 2),
        "turn_floor_cpu_ms": round(found.value("bare"), 2),
        "turn_floor_aa_spread": round(found.spread, 3),
        "turn_overhead_p50_ms": round(cuts[49] * 1000, 1),
        "turn_overhead_p99_ms": round(cuts[98] * 1000, 1),
        "turn_model_calls": round(calls.get("model", 0) / made, 2),
        "rss_serve_mb": round(memory),
        **stages,
    }


async def _against_bare(shop: Shop, seconds: float, rounds: int) -> Rounds:
    """Measure the processor time of a turn, in milliseconds, of ours and of the bare script in turn."""

    async def ours() -> float:
        made, cpu = await shop.busy(seconds)
        return cpu / made * 1000

    async def bare() -> float:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.bare_turn", *shop.bare, str(seconds), cwd=_ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, preexec_fn=on_measured_core,
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"the bare script failed: {err.decode()[-2000:]}")
        told = json.loads(out)
        return float(told["cpu_s"] / told["made"] * 1000)

    return await in_turn({"bare": bare, "ours": ours}, floor="bare", rounds=rounds)


def _stages(log: Path, after: int) -> dict[str, float]:
    """Return the mean time of a turn's stages, in milliseconds, as the process logged them beyond this size.

    The model and the tools are asked within the answer: what is told of it is the rest.
    """
    sums: dict[str, list[float]] = defaultdict(list)
    with log.open("rb") as lines:
        lines.seek(after)
        for line in lines:
            if b'"turn_done"' in line:
                for name, took in json.loads(line)["stages_ms"].items():
                    sums[name].append(took)
    means = {name: fmean(times) for name, times in sums.items()}
    if "answer" in means:
        means["answer"] -= means.get("model", 0.0) + means.get("tools", 0.0)
    return {f"{STAGE}{name}_ms": round(took, 2) for name, took in means.items()}


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
    vendors = await stack.enter_async_context(Vendors(model_s=model_s).serving())
    # A base of each company's own: of one base no process asks more than two things at once.
    crm = TimedSalon(elita_business(), vendors, path="/{base}")
    await crm.start()
    stack.push_async_callback(crm.stop)
    if crm_s:
        crm.faults.plant("/", times=sys.maxsize, hang_s=crm_s)
    settings = Settings(_env_file=None, data_dir=folder, database_url=servers.database_url, redis_url=servers.redis_url)
    connection = crm.connection()
    bases = {name: value.replace("{base}", "base-{number}") for name, value in connection.options.items()}
    async with open_core(settings) as core:
        tenants = await gather(
            core, companies, crm=Crm(type=connection.type, options=bases, secrets=connection.secrets)
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
    authorization = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    base_url = connection.options["base_url"].replace("{base}", "bare")
    times = f"{base_url}/hs/ai-admin/v1/slots?service_ids={vendors.service_id}"
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
        bare=(vendors.url, times, f"Basic {authorization}", driver_url(servers.database_url)),
        log=folder / "serve.log",
    )
