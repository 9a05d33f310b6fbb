"""`python -m bench.soak --minutes N`: clients write at a steady rate while a worker is killed, the CRM fails and hangs
and Redis is restarted; what the processes take is looked at all the time.

Exit code 1 where memory or keys grow steadily (bench/trend.py), a process ended by itself, or work is left at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from redis.exceptions import RedisError

from bench.chaos.board import Board
from bench.chaos.evidence import connect, read_unrest
from bench.chaos.fleet import SEATS, Fleet, end_child, free_port
from bench.chaos.ground import durable_servers, own_folder, production_settings
from bench.chaos.nursery import start_nursery
from bench.chaos.salon import Vendors, make_company, open_vendors
from bench.chaos.steps import STEPS
from bench.system import rss_mb
from bench.trend import Points, grows, per_hour
from bot.logs import set_up_logs
from bot.settings import PREFIX, LogFormat
from bot.tasks import end
from db.redis_client import open_redis
from sandbox.telegram.state import User

PEOPLE = 60
PER_S = 2.0
LIVING = SEATS[:2]
"""Whose memory has a slope: the gateway and the worker that is not killed."""
_KILLED = 2
_FIRST_ID = 920_000_000
_LOOK_EVERY_S, _FAULT_EVERY_S, _FAULT_S = 2.0, 20.0, 8.0
_WARM_SHARE = 1 / 3
_SETTLE_S = 120.0
_LEASE_S = 12.0
_QUESTIONS = (
    "Сколько стоит окрашивание?",
    "Какие у вас услуги?",
    "Есть ли время на женскую стрижку завтра?",
    "Спасибо!",
)
_STATE = """
    SELECT (SELECT count(*) FROM pg_stat_activity
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS connections,
           (SELECT coalesce(extract(epoch FROM now() - min(accepted_at)), 0)::float FROM accepted_updates
             WHERE done_at IS NULL AND dead_at IS NULL) AS oldest_s,
           (SELECT count(*) FROM accepted_updates WHERE dead_at IS NOT NULL) AS dead
"""


@dataclass(slots=True)
class Diary:
    """What was seen. `figures` by name: moments in seconds since the beginning, and values."""

    figures: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    written: int = 0
    ended: Sequence[str] = ()
    left: dict[str, int] = field(default_factory=dict)

    def note(self, name: str, at: float, value: float) -> None:
        self.figures.setdefault(name, []).append((at, value))

    def after(self, warm_s: float, name: str) -> Points:
        return [point for point in self.figures.get(name, []) if point[0] >= warm_s]


def complaints(diary: Diary, warm_s: float) -> list[str]:
    """Say in plain words what should not be; nothing where all is well."""
    found = [
        f"the memory of {name} grows steadily: {per_hour(points):+.0f} MB an hour"
        for name in LIVING
        if grows(points := diary.after(warm_s, f"{name}, MB"), share=0.02, least=2)
    ]
    keys = diary.after(warm_s, "keys in Redis")
    if grows(keys, share=0.05, least=20):
        found.append(f"the keys in Redis grow steadily: {per_hour(keys):+.0f} an hour")
    found += [f"{name} ended by itself" for name in diary.ended]
    found += [f"{count} {name} left at the end" for name, count in diary.left.items() if count]
    return found


def as_text(diary: Diary, warm_s: float) -> str:
    """Return the figures as a table: what was least, last and most after the warm-up, and the slope."""
    faults = ", ".join(f"{count} {name}" for name, count in diary.faults.items())
    lines = [f"{diary.written} messages; faults: {faults}", f"{'':24}{'least':>9}{'last':>9}{'most':>9}{'an hour':>10}"]
    for name in diary.figures:
        values = [value for _, value in diary.after(warm_s, name)]
        if values:
            slope = per_hour(diary.after(warm_s, name))
            lines.append(f"{name:24}{min(values):9.1f}{values[-1]:9.1f}{max(values):9.1f}{slope:+10.1f}")
    return "\n".join(lines)


async def soak(minutes: float, board: Board, fleet_of: Callable[..., Fleet]) -> Diary:
    """Run for so long, let what is under way come to its end, and return what was seen."""
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(own_folder(keep=False))
        embedded = await stack.enter_async_context(durable_servers(folder))
        vendors = await stack.enter_async_context(open_vendors(random.Random(1), crm_limits=False))
        fleet = fleet_of(board=board, embedded=embedded, folder=folder)
        stack.push_async_callback(fleet.stop)
        settings = production_settings(fleet, vendors)
        await make_company(embedded.servers.database_url, settings, vendors)
        await fleet.start(settings)
        diary, began = Diary(), time.monotonic()
        beside = [
            asyncio.create_task(act)
            for act in (_write(vendors, diary), _trouble(fleet, vendors, diary), _watch(fleet, diary, began))
        ]
        try:
            done, _ = await asyncio.wait(beside, timeout=minutes * 60, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end(*beside)
        vendors.yclients.clear_faults()
        await fleet.bring_back_servers()
        diary.left = await _settle(fleet)
        diary.ended = [death.seat for death in fleet.deaths if not death.killed]
    return diary


async def _write(vendors: Vendors, diary: Diary) -> None:
    """Let one client after another ask, at a steady rate, until cancelled."""
    questions = itertools.cycle(_QUESTIONS)
    users = itertools.cycle([User(id=_FIRST_ID + number, first_name="Анна") for number in range(PEOPLE)])
    due = time.monotonic()
    while True:
        await vendors.telegram.people.send_text(vendors.bot.id, next(users), next(questions))
        diary.written += 1
        due += 1 / PER_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _trouble(fleet: Fleet, vendors: Vendors, diary: Diary) -> None:
    """Bring one trouble after another, until cancelled."""

    async def kill_worker() -> None:
        pid = fleet.pid_of(_KILLED)
        if pid:
            fleet.expect_death(pid)
            os.kill(pid, signal.SIGKILL)

    async def crm(**fault: object) -> None:
        vendors.yclients.fail_next("/", times=sys.maxsize, **fault)
        await asyncio.sleep(_FAULT_S)
        vendors.yclients.clear_faults()

    async def restart_redis() -> None:
        pid = fleet.embedded.redis_pid
        if pid:
            os.kill(pid, signal.SIGKILL)
        await fleet.bring_back_servers()

    troubles: dict[str, Callable[[], Awaitable[None]]] = {
        "kills of a worker": kill_worker,
        "times the CRM failed": lambda: crm(status=503),
        "restarts of Redis": restart_redis,
        "times the CRM hung": lambda: crm(hang_s=_FAULT_S),
    }
    for name, bring in itertools.cycle(troubles.items()):
        await asyncio.sleep(_FAULT_EVERY_S)
        diary.faults[name] += 1
        await bring()


async def _watch(fleet: Fleet, diary: Diary, began: float) -> None:
    """Look at everything again and again, until cancelled."""
    servers = fleet.embedded.servers
    database = await connect(servers.database_url)
    try:
        async with open_redis(servers.redis_url) as redis:
            while True:
                at = time.monotonic() - began
                for name in LIVING:
                    if pid := fleet.pids()[name]:
                        diary.note(f"{name}, MB", at, rss_mb(pid))
                state = await database.fetchrow(_STATE)
                diary.note("connections", at, state["connections"])
                diary.note("oldest work, s", at, state["oldest_s"])
                diary.note("dead letters", at, state["dead"])
                # Where it is being restarted, the next look finds it.
                with contextlib.suppress(RedisError):
                    diary.note("keys in Redis", at, await redis.dbsize())
                await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        await database.close()


async def _settle(fleet: Fleet) -> dict[str, int]:
    """Wait until nothing is under way; return what still is when the time is up."""
    deadline = time.monotonic() + _SETTLE_S
    while left := await read_unrest(fleet.embedded.servers.database_url):
        if time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.5)
    return {}


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    minutes = parser.parse_args().minutes
    # What is set for another installation is not for this one.
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    set_up_logs(LogFormat.CONSOLE, level=logging.ERROR)
    # The sandbox servers' callers die in the middle of a request.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    board = Board(SEATS, [step.name for step in STEPS])
    nursery, line = start_nursery(board)

    def fleet_of(**parts: object) -> Fleet:
        return Fleet(line=line, lease_s=_LEASE_S, crm_limits=False, gateway_port=free_port(), **parts)  # type: ignore[arg-type]

    try:
        diary = asyncio.run(soak(minutes, board, fleet_of))
    finally:
        line.close()
        end_child(nursery, within_s=15.0)
    warm_s = minutes * 60 * _WARM_SHARE
    print(as_text(diary, warm_s))
    wrong = complaints(diary, warm_s)
    print("\n".join(f"soak: {one}" for one in wrong) if wrong else "soak: nothing grows, and nothing is left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
