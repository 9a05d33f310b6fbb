"""How fast webhooks are taken in: one gateway process against servers that do less, under the same load."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import asyncpg

from bench.crowd import Tenant, by_zipf, driver_url, gather
from bench.floors import BOTS, TABLE, bot_token
from bench.load import FIRST_NUMBER, Spec, Told, load
from bench.rounds import Rounds, in_turn
from bench.system import free_port, measured, step_beside
from bot.app import open_core
from bot.settings import Settings
from db.embedded import start_embedded
from db.upgrade import runtime_url

COMPANIES = 10_000
ROUNDS = 5
SECONDS = 4.0
DRAWS = 50_000
COLD_PER_S = 300
"""So many companies a second are read for the first time, at the least."""
FLOORS = ("ok", "insert", "aiogram", "ptb")
_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (the header's name)
_numbers = count(FIRST_NUMBER, 10_000_000)
"""Where the numbers of each run of the load begin: no update comes twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a contender is knocked at, and with which requests."""

    port: int
    templates: list[tuple[str, str]]
    order: list[int]
    connections: int = 64

    async def knocked(self, folder: Path, *, seconds: float, rate: float | None = None) -> Told:
        spec = Spec(
            host="127.0.0.1", port=self.port, templates=self.templates, order=self.order, seconds=seconds, rate=rate,
            connections=self.connections, first_number=next(_numbers),
        )  # fmt: skip
        return await load(spec, folder)


async def measure(
    *, companies: int = COMPANIES, rounds: int = ROUNDS, seconds: float = SECONDS, floors: Sequence[str] = FLOORS
) -> dict[str, float | str]:
    """Load every contender in turn, and return the figures."""
    step_beside()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ai-admin-bench-")))
        doors = await _open_doors(stack, folder, companies, floors)
        # Once round all companies, so that none is cold; how cold ones fare is another figure.
        await replace(doors["gateway"], order=list(range(companies))).knocked(folder, seconds=companies / COLD_PER_S)
        for door in doors.values():
            await door.knocked(folder, seconds=min(2.0, seconds))
        measures: dict[str, Callable[[], Awaitable[float]]] = {
            name: partial(_rate, door, folder, seconds) for name, door in doors.items()
        }
        found = await in_turn(measures, floor="ok", rounds=rounds)
        half = found.value("gateway") / 2
        late = [await _p99s(doors, folder, seconds, half) for _ in range(rounds)]
    return _figures(found, floors, late)


def _figures(found: Rounds, floors: Sequence[str], late: Sequence[tuple[float, float]]) -> dict[str, float | str]:
    figures: dict[str, float | str] = {
        "intake_per_s": round(found.value("gateway")),
        "intake_ok_per_s": round(found.value("ok")),
        "intake_aa_spread": round(found.spread, 3),
    }
    for floor in floors:
        figures[f"intake_vs_{floor}"] = round(found.ratio("gateway", to=floor), 3)
    figures["intake_p99_ms"] = round(median(ours for ours, _ in late), 2)
    figures["intake_p99_vs_ok"] = round(median(ours / bare for ours, bare in late), 2)
    return figures


async def _rate(door: Door, folder: Path, seconds: float) -> float:
    return (await door.knocked(folder, seconds=seconds)).per_s


async def _p99s(doors: Mapping[str, Door], folder: Path, seconds: float, rate: float) -> tuple[float, float]:
    """Return the gateway's p99 and the bare server's at the same rate, in milliseconds."""
    ours = await doors["gateway"].knocked(folder, seconds=seconds, rate=rate)
    bare = await doors["ok"].knocked(folder, seconds=seconds, rate=rate)
    return ours.p99_ms, bare.p99_ms


async def _open_doors(stack: AsyncExitStack, folder: Path, companies: int, floors: Sequence[str]) -> dict[str, Door]:
    servers = (await stack.enter_async_context(await start_embedded(folder / "servers"))).servers
    settings = Settings(_env_file=None, data_dir=folder, database_url=servers.database_url, redis_url=servers.redis_url)
    async with open_core(settings) as core:
        tenants = await gather(core, companies)
    database = await asyncpg.connect(driver_url(servers.database_url))
    await database.execute(TABLE)
    await database.close()
    doors = {"gateway": await open_gateway(stack, folder, settings, tenants)}
    for floor in floors:
        port = free_port()
        environment = {"BENCH_DATABASE_URL": driver_url(servers.database_url), "PYTHONPATH": str(_ROOT)}
        arguments = ("bench.floors", floor, str(port))
        log = folder / f"{floor}.log"
        await stack.enter_async_context(measured(arguments, port=port, ready="/", environment=environment, log=log))
        bots = [(f"/{bot_token(number)}", "") for number in range(BOTS)] if floor == "aiogram" else [("/", "")]
        doors[floor] = Door(port=port, templates=_templates(bots), order=by_zipf(len(bots), DRAWS))
    return doors


async def open_gateway(
    stack: AsyncExitStack,
    folder: Path,
    settings: Settings,
    tenants: Sequence[Tenant],
    *,
    arguments: Sequence[str] = ("bot", "gateway"),
) -> Door:
    """Start a gateway, or another program like one, on these stores; it ends with the stack."""
    port = free_port()
    environment = {
        "AI_ADMIN_DATA_DIR": str(folder),
        "AI_ADMIN_DATABASE_URL": runtime_url(str(settings.database_url)),
        "AI_ADMIN_REDIS_URL": str(settings.redis_url),
        "AI_ADMIN_LOG_FORMAT": "json",
        "AI_ADMIN_PORT": str(port),
        # Behind a proxy that says which of the messenger's addresses a request came from.
        "AI_ADMIN_TRUSTED_PROXIES": "127.0.0.1",
        "PYTHONPATH": str(_ROOT),
    }
    await stack.enter_async_context(
        measured(arguments, port=port, ready="/health", environment=environment, log=folder / "gateway.log")
    )
    bots = [(f"/api/v1/telegram/webhook/{one.webhook_token}", one.secret) for one in tenants]
    return Door(port=port, templates=_templates(bots), order=by_zipf(len(bots), DRAWS))


def _templates(bots: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Write a request for each bot, as Telegram sends it, around the number of the update."""
    made = []
    for number, (path, secret) in enumerate(bots):
        message = {
            "message_id": 1,
            "date": 1_790_000_000,
            "chat": {"id": 5, "type": "private", "first_name": "Anna"},
            "from": {"id": 5, "is_bot": False, "first_name": "Anna", "language_code": "ru"},
            "text": "Здравствуйте! Подскажите, пожалуйста, сколько стоит стрижка?",
        }
        body = json.dumps({"update_id": FIRST_NUMBER, "message": message}, ensure_ascii=True)
        before, after = body.split(str(FIRST_NUMBER))
        secret_line = f"{_SECRET_HEADER}: {secret}\r\n" if secret else ""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench.example\r\nContent-Type: application/json\r\n{secret_line}"
            f"X-Forwarded-For: 149.154.{160 + number % 16}.{number // 16 % 256}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append((head + before, after))
    return made


_ROOT = Path(__file__).parent.parent
