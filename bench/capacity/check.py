"""The simulation held against a measured run: one gateway and one worker, the model 1.5 s a call, the CRM 0.3 s.

The prediction is made of costs that were measured apart from this run, before it: see bench/capacity/probe.py.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from statistics import quantiles

from bench.capacity.inputs import Assumptions, Figures
from bench.capacity.simulation import Seen, poisson, simulate, system_of
from bench.system import step_everywhere
from bench.turns import Shop, open_shop
from bench.workers import GATEWAY, worker_of

MODEL_S, CRM_S = 1.5, 0.3
PLACES = 20
"""Turns in flight in the worker; see AI_ADMIN_TURNS_AT_ONCE of bench/turns.py."""
COMPANIES = 50
LOAD = 0.8
"""Turns begin at this share of what the places allow."""
SECONDS = 45.0
_WARM_S = 8.0
_SEED = 11
Row = tuple[str, float, float]


def rate_of() -> float:
    """Return the turns a second that are begun: from the vendors' times alone, nothing measured."""
    return LOAD * PLACES / (2 * MODEL_S + CRM_S)


def predict(figures: Figures, given: Assumptions, *, seconds: float = SECONDS) -> Seen:
    """Return what the simulation says of that run. Raises FigureMissing."""
    # These vendors answer to the tick, and none of them counts by address.
    system = replace(
        system_of(figures, given), turns_at_once=PLACES, model_s=MODEL_S, crm_s=CRM_S, spread=0.0, crm_addresses=None
    )
    return simulate(system, poisson(rate_of(), seconds), seed=_SEED)


async def measure(*, seconds: float = SECONDS) -> Seen:
    """Make the run and return what was seen: at most a minute and a half."""
    step_everywhere()
    async with AsyncExitStack() as stack:
        shop = await open_shop(stack, COMPANIES, model_s=MODEL_S, crm_s=CRM_S, arguments=GATEWAY, alone=False)
        await stack.enter_async_context(worker_of(shop, alone=False))
        people = iter(range(1_000_000))
        # Whatever is read for the first time is read now.
        await _written(shop, people, poisson(rate_of(), _WARM_S)(random.Random(_SEED - 1)))
        began = time.monotonic()
        took = await _written(shop, people, poisson(rate_of(), seconds)(random.Random(_SEED)))
        return Seen(took=took, seconds=time.monotonic() - began)


async def _written(shop: Shop, people: Iterator[int], arrivals: Sequence[float]) -> list[float]:
    """Write at these moments, each time as somebody new, and wait for all replies."""
    began, took = time.monotonic(), list[float]()

    async def one(person: int) -> None:
        took.append(await shop.turn(person))

    async with asyncio.TaskGroup() as group:
        for at in arrivals:
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            group.create_task(one(next(people)))
    return took


def compare(predicted: Seen, measured: Seen) -> Sequence[Row]:
    """Return rows of a name, what was predicted and what was measured."""
    one, other = (quantiles(seen.took, n=100) for seen in (predicted, measured))
    return [
        ("turns a second", predicted.per_s, measured.per_s),
        ("p50, s", one[49], other[49]),
        ("p95, s", one[94], other[94]),
    ]
