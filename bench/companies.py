"""What a company costs where there are ten thousand, against ten: the intake and the turn, and one that is read first.

Two installations stand side by side, each with stores of its own, and are measured in turn. Every ratio is of what a
piece of work costs: 1 says "no dearer", and more is worse.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench.crowd import gather
from bench.intake import COLD_PER_S, Door, open_gateway
from bench.memory import each_speaks_once
from bench.rounds import Rounds, in_turn
from bench.system import step_beside
from bench.turns import Shop, open_shop
from bot.app import open_core
from bot.settings import Settings
from db.embedded import start_embedded

FEW, MANY = 10, 10_000
ROUNDS = 5
SECONDS = 4.0
TURN_SECONDS = 20.0
BAR = 1.2
COLD = 500
DRAWN = 1_000
"""So many draws by the Zipf law are written to in turns, again and again: each of those companies is warm."""
_COLD_PER_S = 50
_NAME = "companies_10_vs_10000"
_WIDE = ("bench.wide_gateway",)
Figures = dict[str, float | str]
Contender = Callable[[], Awaitable[float]]


@dataclass(slots=True)
class Statements:
    """What was asked of PostgreSQL. `transactions` begin and end with a round trip each, beside the statements."""

    statements: int = 0
    transactions: int = 0

    @property
    def round_trips(self) -> int:
        return self.statements + 2 * self.transactions


async def measure(
    *,
    many: int = MANY,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    turn_seconds: float = TURN_SECONDS,
    cold: int = COLD,
    drawn: int = DRAWN,
) -> Figures:
    """Measure the intake, then the turn, and return the figures."""
    step_beside()
    figures = await _of_intake(many, rounds, seconds, cold)
    return figures | await _of_turns(many, rounds, turn_seconds, drawn)


async def _of_intake(many: int, rounds: int, seconds: float, cold: int) -> Figures:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ai-admin-bench-")))
        asked = Statements()
        doors = {
            "few": await _open_door(stack, folder / "few", FEW, Statements()),
            "many": await _open_door(stack, folder / "many", many, asked),
        }
        figures = await _of_a_cold_one(doors["many"], folder, cold, asked)
        for door in doors.values():
            companies = len(door.templates)
            whole = replace(door, order=list(range(companies)))
            await whole.knocked(folder, seconds=max(1.0, companies / COLD_PER_S))

        def cost(door: Door) -> Contender:
            async def once() -> float:
                return 1 / (await door.knocked(folder, seconds=seconds)).per_s

            return once

        dear = await in_turn({name: cost(door) for name, door in doors.items()}, floor="few", rounds=rounds)
        half = 0.5 / max(dear.value("few"), dear.value("many"))

        def late(door: Door) -> Contender:
            async def once() -> float:
                return (await door.knocked(folder, seconds=seconds, rate=half)).p99_ms

            return once

        slow = await in_turn({name: late(door) for name, door in doors.items()}, floor="few", rounds=rounds)
    return {**figures, **_told("intake_rate", dear), **_told("intake_p99", slow)}


async def _open_door(stack: AsyncExitStack, folder: Path, companies: int, asked: Statements) -> Door:
    """Start stores with so many companies and a gateway; count what is asked of PostgreSQL for the last company."""
    await asyncio.to_thread(folder.mkdir)
    servers = (await stack.enter_async_context(await start_embedded(folder / "servers"))).servers
    settings = Settings(_env_file=None, data_dir=folder, database_url=servers.database_url, redis_url=servers.redis_url)
    async with open_core(settings) as core:
        tenants = await gather(core, companies)
        with _counted(asked):
            await core.directory.find_channel(tenants[-1].webhook_token)
    return await open_gateway(stack, folder, settings, tenants, arguments=_WIDE)


@contextmanager
def _counted(asked: Statements) -> Iterator[None]:
    """Count what this process asks of PostgreSQL while the block lasts."""

    def statement(*_: object) -> None:
        asked.statements += 1

    def transaction(*_: object) -> None:
        asked.transactions += 1

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "begin", transaction)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", statement)
        event.remove(Engine, "begin", transaction)


async def _of_a_cold_one(door: Door, folder: Path, cold: int, asked: Statements) -> Figures:
    """Knock for so many companies one after another, each for the first time, then once more for each."""
    slowly = replace(door, order=list(range(cold)), connections=1)
    first = await slowly.knocked(folder, seconds=cold / _COLD_PER_S, rate=_COLD_PER_S)
    again = await slowly.knocked(folder, seconds=cold / _COLD_PER_S, rate=_COLD_PER_S)
    return {
        "cold_company_ms": round(first.p50_ms, 2),
        "warm_company_ms": round(again.p50_ms, 2),
        "cold_company_queries": asked.statements,
        "cold_company_round_trips": asked.round_trips,
    }


async def _of_turns(many: int, rounds: int, seconds: float, drawn: int) -> Figures:
    async with AsyncExitStack() as stack:
        shops = {"few": await open_shop(stack, FEW), "many": await open_shop(stack, many)}
        for shop in shops.values():
            order = list(shop.order[:drawn])
            await each_speaks_once(shop, sorted(set(order)))
            shop.order = order
            await shop.busy(min(5.0, seconds))

        def cost(shop: Shop) -> Contender:
            async def once() -> float:
                began = time.perf_counter()
                made, _ = await shop.busy(seconds)
                return (time.perf_counter() - began) / made

            return once

        def late(shop: Shop, rate: float) -> Contender:
            async def once() -> float:
                took = sorted(await shop.steady(seconds, rate))
                return took[int(len(took) * 0.99)]

            return once

        dear = await in_turn({name: cost(shop) for name, shop in shops.items()}, floor="few", rounds=rounds)
        half = 0.5 / max(dear.value("few"), dear.value("many"))
        slow = await in_turn({name: late(shop, half) for name, shop in shops.items()}, floor="few", rounds=rounds)
    return {**_told("turn_rate", dear), **_told("turn_p99", slow)}


def _told(name: str, found: Rounds) -> Figures:
    dearer = found.decides("many", BAR)
    return {
        f"{_NAME}_{name}": round(found.ratio("many"), 2),
        f"{_NAME}_{name}_holds": "not decidable here" if dearer is None else "no" if dearer else "yes",
        f"{_NAME}_{name}_aa_spread": round(found.spread, 3),
    }
