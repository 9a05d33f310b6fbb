"""A roll-out under load: every gateway and worker is replaced, and no client and no messenger notices.

Whole processes, ended by SIGTERM; a balancer of the test's own that knows nothing but `/ready`; Telegram and a CRM of
the sandbox. What the vendors saw is held against what the database says.
"""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from bench.upgrades.balancer import open_balancer
from bench.upgrades.crowd import count, crowd_of
from bench.upgrades.installation import open_installation
from bench.upgrades.processes import open_processes

WRITTEN_BETWEEN = 8
"""Messages between two replacements: each has to bear some load."""


@pytest.fixture
async def redis_url(servers):
    """A Redis database of this test's own, as the processes know no prefix but production's."""
    url = servers.servers.redis_url.replace("db=0", "db=5")
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
        yield url
        await redis.flushdb()


@pytest.mark.timeout(900)
async def test_gateways_and_workers_are_replaced_under_load_and_nothing_is_refused_lost_or_double(
    database_url, redis_url, tmp_path
):
    async with (
        open_balancer() as balancer,
        open_installation(
            database_url=database_url, redis_url=redis_url, public_url=balancer.url, folder=tmp_path, companies=3
        ) as installation,
        # Longer than the balancer takes to ask, on the slowest machine.
        open_processes({**installation.settings, "drain_seconds": 5}, tmp_path) as processes,
    ):
        starting = [await processes.start(role) for role in ("gateway", "gateway", "worker", "worker")]
        for process in starting:
            await process.wait_up()
        gateways, workers = starting[:2], starting[2:]
        for gateway in gateways:
            await balancer.add(gateway.url)

        async with crowd_of(installation, bookers=2, askers=3) as crowd:
            await crowd.writes(WRITTEN_BETWEEN)
            for old in gateways:
                new = await processes.start_up("gateway")
                await balancer.add(new.url)
                await crowd.writes(WRITTEN_BETWEEN)
                await old.end()
                await balancer.remove(old.url)
            for old in workers:
                await processes.start_up("worker")
                await crowd.writes(WRITTEN_BETWEEN)
                await old.end()
            await crowd.writes(WRITTEN_BETWEEN)
            await crowd.stop()
            unrest = await installation.settle(within_s=120)
            verdict, stored = await count(installation, crowd)
        logs = processes.logs()

    assert unrest == {}, logs
    # Refused: Telegram got anything but 200 at its first try; it tells by the balancer's faults which.
    assert balancer.faults == [], logs
    assert balancer.answers[200] == len(stored.updates)
    assert verdict.zeros == dict.fromkeys(verdict.zeros, 0), f"{verdict.details}\n{logs}"
    assert verdict.sent_twice == 0, logs
    # Every instance has had its part, those that went and those that came, and every company its answers.
    assert len(balancer.sent_to) == 4
    assert {bot.id for bot in installation.bots if bot.delivered} == {bot.id for bot in installation.bots}
    assert len(stored.replies) > 4 * WRITTEN_BETWEEN
