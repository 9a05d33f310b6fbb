"""Redis may lose all that it holds, at any moment: it is the doorbell, copies and counters. Nothing is lost by it, and
nothing is done twice; counters and rests begin anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bench.chaos.fleet import free_port
from bench.upgrades.crowd import count, crowd_of
from bench.upgrades.installation import open_installation
from bench.upgrades.processes import open_processes
from bench.upgrades.servers import open_servers
from bot.tasks import end
from db.limits import Budget

WIPED_EVERY_S = 0.2


# ---- one conversation, wiped at each step


async def test_a_booking_goes_on_though_redis_is_wiped_after_every_message(house):
    client = house.client()
    for step in (
        lambda: client.says("Хочу постричься завтра после обеда"),
        lambda: client.says("Женская стрижка, мастер Анна Смирнова"),
        lambda: client.says("Давайте в 15:00"),
        client.shares_contact,
        lambda: client.presses("Да"),
    ):
        await step()
        await house.settles()
        await house.core.redis.flushall()

    assert len(house.records()) == 1
    assert "Готово" in client.heard[-1]
    # Neither the booking nor the question is forgotten, so the same yes changes nothing.
    await client.says("Да")
    assert len(house.records()) == 1


async def test_a_turn_that_runs_while_redis_is_wiped_is_answered_once(house, monkeypatch):
    client, wipes = house.client(), []
    answer = house.vendors.gemini._policy

    async def wipe_and_answer(request):
        await house.core.redis.flushall()
        wipes.append(request)
        return answer(request)

    monkeypatch.setattr(house.vendors.gemini, "_policy", wipe_and_answer)
    await client.reaches_proposal()
    await client.presses("Да")
    await house.settles()

    assert len(wipes) >= 3
    assert len(house.records()) == 1
    assert len(client.heard) == len(set(client.heard))


async def test_counters_and_rests_begin_anew(core):
    once = Budget(rate=1, per=timedelta(hours=1), burst=1)
    for _ in range(5):
        await core.crm_breaker.failed("account")
    assert await core.limits.spend("client", once) is None
    assert await core.limits.spend("client", once) is not None
    held = await core.redis.dbsize()

    await core.redis.flushall()

    assert held > 0
    assert await core.limits.spend("client", once) is None
    assert (await core.crm_breaker.admit("account", "create", proof=False)).clean


# ---- processes under load, with a Redis of their own


@pytest.fixture
async def own_redis(tmp_path):
    """A Redis that keeps nothing on disk: what starts again after a kill is empty."""
    async with open_servers(tmp_path / "redis", postgres=False, durable=False) as embedded:
        yield embedded


@pytest.mark.timeout(500)
async def test_under_load_wipes_and_an_empty_redis_lose_nothing_and_do_nothing_twice(database_url, own_redis, tmp_path):
    url, port, held = own_redis.servers.redis_url, free_port(), []

    async def wipe_again_and_again():
        async with Redis.from_url(url) as redis:
            while True:
                with contextlib.suppress(RedisError, OSError):
                    held.append(await redis.dbsize())
                    await redis.flushall()
                await asyncio.sleep(WIPED_EVERY_S)

    async with (
        open_installation(
            database_url=database_url,
            redis_url=url,
            public_url=f"http://127.0.0.1:{port}",
            folder=tmp_path,
            companies=2,
        ) as installation,
        open_processes({**installation.settings, "drain_seconds": 0}, tmp_path) as processes,
    ):
        starting = [await processes.start("gateway", port=port), *[await processes.start("worker") for _ in range(2)]]
        for process in starting:
            await process.wait_up()
        book = installation.vendors.yclients.book
        async with crowd_of(installation, bookers=3, askers=2) as crowd:
            await crowd.writes(10)
            wiping = asyncio.create_task(wipe_again_and_again())
            await crowd.writes(25)
            await end(wiping)
            os.kill(own_redis.redis_pid, signal.SIGKILL)
            # Without any Redis at all, and then with an empty one.
            await crowd.writes(10)
            await own_redis.restart_redis()
            await crowd.writes(15)
            async with asyncio.timeout(180):
                while not any(salon.records for salon in book.salons.values()):
                    await crowd.writes(1)
            await crowd.stop()
            unrest = await installation.settle(within_s=120)
            verdict, stored = await count(installation, crowd)
        logs = processes.logs()

    assert len([keys for keys in held if keys]) >= 3, "the wipes hit nothing"
    assert unrest == {}, logs
    assert verdict.zeros == dict.fromkeys(verdict.zeros, 0), f"{verdict.details}\n{logs}"
    assert verdict.sent_twice == 0, logs
    assert "done" in {intent.status for intent in stored.intents}
