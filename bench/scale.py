"""What a second worker brings where turns mostly wait for others: the model 1.5 s a call, the CRM 0.3 s.

Nothing is pinned: several processes of ours share the machine, as in an installation.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from statistics import median

from bench.rounds import in_turn
from bench.system import cpu_s, step_everywhere
from bench.turns import Shop, open_shop
from bench.workers import GATEWAY, worker_of
from bot.tasks import end

MODEL_S, CRM_S = 1.5, 0.3
PLACES = 20
"""Turns in flight in one worker; see AI_ADMIN_TURNS_AT_ONCE of bench/turns.py."""
COMPANIES = 100
ROUNDS = 5
SECONDS = 20.0
BAR = 1.9
_WAITING_FOR_EACH_PLACE = 2
"""So many clients write for each place, so that none is ever empty for want of a client."""


async def measure(
    *,
    rounds: int = ROUNDS,
    seconds: float = SECONDS,
    companies: int = COMPANIES,
    model_s: float = MODEL_S,
    crm_s: float = CRM_S,
) -> dict[str, float | str]:
    """Measure one worker and two in turn, and return the figures."""
    step_everywhere()
    async with AsyncExitStack() as stack:
        shop = await open_shop(stack, companies, model_s=model_s, crm_s=crm_s, arguments=GATEWAY, alone=False)
        shop.order = range(companies)
        people = itertools.count()
        busy: list[float] = []

        async def of(workers: int) -> float:
            per_s, cores = await _turns_per_s(shop, people, workers, seconds, warm_s=2 * (2 * model_s + crm_s))
            busy.append(cores / workers)
            return per_s

        found = await in_turn({"one": lambda: of(1), "two": lambda: of(2)}, floor="one", rounds=rounds)
    holds = found.decides("two", BAR)
    return {
        "scale_workers_1_2": round(found.ratio("two"), 2),
        "scale_workers_1_2_holds": "not decidable here" if holds is None else "yes" if holds else "no",
        "scale_one_worker_turns_per_s": round(found.value("one"), 2),
        "scale_two_workers_turns_per_s": round(found.value("two"), 2),
        "scale_worker_cores": round(median(busy), 2),
        "scale_aa_spread": round(found.spread, 3),
    }


async def _turns_per_s(
    shop: Shop, people: Iterator[int], workers: int, seconds: float, *, warm_s: float
) -> tuple[float, float]:
    """Return the turns a second of so many workers, and the cores that those take together."""
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(worker_of(shop, alone=False)) for _ in range(workers)]
        made, over = itertools.count(), asyncio.Event()

        async def client() -> None:
            while not over.is_set():
                await shop.turn(next(people))
                next(made)

        clients = [asyncio.create_task(client()) for _ in range(workers * PLACES * _WAITING_FOR_EACH_PLACE)]
        try:
            await _until_nobody_failed(clients, warm_s)
            first, before = next(made), _cpu_s(processes)
            await _until_nobody_failed(clients, seconds)
            # A look at the number counts as one.
            found = (next(made) - first - 1) / seconds, (_cpu_s(processes) - before) / seconds
            # Nothing is left for the next to begin with.
            over.set()
            await asyncio.gather(*clients)
        finally:
            await end(*clients)
        return found


async def _until_nobody_failed(clients: Sequence[asyncio.Task[None]], seconds: float) -> None:
    """Let the clients write for so long. Raises what one of them failed with."""
    failed, _ = await asyncio.wait(clients, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in failed:
        task.result()


def _cpu_s(processes: Sequence[asyncio.subprocess.Process]) -> float:
    return sum(cpu_s(process.pid) for process in processes)
