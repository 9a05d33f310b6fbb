"""What memory a worker takes: with bots that nobody writes to, after all companies spoke, while turns wait."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack

import asyncpg

from bench.crowd import driver_url
from bench.system import rss_mb, step_beside
from bench.turns import Shop, open_shop
from bench.vendors import Vendors
from bench.workers import GATEWAY, worker_of
from db.records import CompanyId, WorkKind

COMPANIES = 10_000
IDLE = 2_000
WAITING = 500
KINDS = (WorkKind.SWEEP, WorkKind.CRM)
_IN_FLIGHT = 20
_WARM = 10
_LONGEST_S = 1200.0
_HELD_TURN_S = 120
"""The longest time that a turn may be given: the turns that came first wait until the last has come."""
_LOOKED_AFTER = """
    INSERT INTO work (company_id, dialogue_id, kind, subject_id, channel_id, due_at)
    SELECT company_id, owner, kind, $1, $1, now()
      FROM (SELECT company_id, $1::uuid AS owner, 'sweep' AS kind FROM company_channels
             UNION ALL SELECT company_id, id, 'crm' FROM branches) AS asked
     WHERE kind = ANY ($2) AND company_id = ANY ($3)
"""
"""What making a company asks for (db/companies.py): a sweep of its own, and a look at the CRM of each branch."""
_NOT_YET = "SELECT count(*) FROM work WHERE kind = ANY ($1) AND (due_at <= now() OR lease_until IS NOT NULL)"
_NOBODY = "00000000-0000-0000-0000-000000000000"


async def measure(
    *,
    companies: int = COMPANIES,
    idle: int = IDLE,
    waiting: int = WAITING,
    kinds: Sequence[WorkKind] = KINDS,
) -> dict[str, float]:
    """Start one worker after the other on the same stores, and return the figures.

    `kinds`: what idle bots are looked after for. Sweeps are looked for twice a minute only: a quick look has none.
    """
    step_beside()
    async with AsyncExitStack() as stack:
        shop = await open_shop(stack, companies, arguments=GATEWAY)
        async with worker_of(shop) as process:
            fresh = rss_mb(process.pid)
            per_1000 = await _of_idle_bots(shop, process.pid, idle, kinds)
            await each_speaks_once(shop, range(companies))
            after = rss_mb(process.pid)
        held = await _while_waiting(shop, waiting, companies)
    return {
        "rss_per_1000_idle_bots_mb": round(per_1000, 2),
        "rss_worker_fresh_mb": round(fresh),
        "rss_worker_mb": round(after),
        f"rss_{waiting}_waiting_mb": round(held),
    }


async def each_speaks_once(shop: Shop, people: Iterable[int]) -> None:
    """Let these people, each a client of the company of that number in turn, ask and be answered once."""
    shop.order = range(len(shop.tenants))
    left = iter(people)

    async def client() -> None:
        for person in left:
            await shop.turn(person, within_s=_LONGEST_S)

    await asyncio.gather(*(client() for _ in range(_IN_FLIGHT)))


async def _of_idle_bots(shop: Shop, pid: int, idle: int, kinds: Sequence[WorkKind]) -> float:
    """Return what a thousand companies more add that are looked after, and that nobody writes to."""
    companies = [tenant.company_id for tenant in shop.tenants]
    await _look_after(shop, companies[:_WARM], kinds)
    before = rss_mb(pid)
    many = companies[_WARM : _WARM + idle]
    await _look_after(shop, many, kinds)
    return (rss_mb(pid) - before) / len(many) * 1000


async def _look_after(shop: Shop, companies: Sequence[CompanyId], kinds: Sequence[WorkKind]) -> None:
    """Ask for what making these companies asks for, and wait until all of it was done once."""
    names = [kind.value for kind in kinds]
    connection = await asyncpg.connect(driver_url(shop.owner_url))
    try:
        await connection.execute(_LOOKED_AFTER, _NOBODY, names, companies)
        async with asyncio.timeout(_LONGEST_S):
            while await connection.fetchval(_NOT_YET, names):  # noqa: ASYNC110 (another process gets there)
                await asyncio.sleep(0.5)
    finally:
        await connection.close()


async def _while_waiting(shop: Shop, waiting: int, companies: int) -> float:
    """Return what a worker takes while so many of its turns wait for the model; then let all of them end."""
    vendors: Vendors = shop.vendors
    vendors.model_held = asyncio.Event()
    more = {"AI_ADMIN_TURNS_AT_ONCE": str(waiting), "AI_ADMIN_TURN_SECONDS": str(_HELD_TURN_S)}
    people = range(companies, companies + waiting)
    async with worker_of(shop, more=more) as process:
        turns = asyncio.gather(*(shop.turn(person, within_s=_HELD_TURN_S) for person in people))
        async with asyncio.timeout(_HELD_TURN_S / 2):
            while vendors.model_waiting < waiting:  # noqa: ASYNC110 (another process gets there)
                await asyncio.sleep(0.1)
        found = rss_mb(process.pid)
        vendors.model_held.set()
        await turns
    return found
