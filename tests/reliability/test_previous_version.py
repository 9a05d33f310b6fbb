"""Two versions side by side, as during a roll-out and after a roll-back: the schema is the new one, and a gateway or a
worker is still the version before, taken from git."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from bench.chaos.fleet import free_port
from bench.upgrades.crowd import count, crowd_of
from bench.upgrades.installation import open_installation
from bench.upgrades.processes import HERE, open_processes
from bench.upgrades.versions import MIGRATIONS, NoHistory, known_migrations, lay_out, previous_version
from db.upgrade import current, head

MESSAGES = 24


@pytest.fixture
async def redis_url(servers):
    """A Redis database of this test's own, as the processes know no prefix but production's."""
    url = servers.servers.redis_url.replace("db=0", "db=6")
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
        yield url
        await redis.flushdb()


@pytest.fixture
async def previous(tmp_path):
    """The tree of the version before this one."""
    try:
        commit = await asyncio.to_thread(previous_version)
    except NoHistory as missing:
        pytest.fail(f"the version before this one cannot be run: {missing}")
    return await asyncio.to_thread(lay_out, commit, tmp_path / "previous")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("old", ["worker", "gateway"])
async def test_the_version_before_books_beside_this_one_on_this_ones_schema(
    database_url, redis_url, tmp_path, previous, old
):
    assert len(list((previous / MIGRATIONS).glob("*.py"))) < len(known_migrations())
    port = free_port()
    trees = {"gateway": HERE, "worker": HERE, old: previous}
    async with (
        open_installation(
            database_url=database_url,
            redis_url=redis_url,
            public_url=f"http://127.0.0.1:{port}",
            folder=tmp_path,
            companies=2,
        ) as installation,
        open_processes({**installation.settings, "drain_seconds": 0}, tmp_path) as processes,
    ):
        assert await current(database_url) == head()
        gateway = await processes.start("gateway", port=port, tree=trees["gateway"])
        worker = await processes.start("worker", tree=trees["worker"])
        await gateway.wait_up()
        await worker.wait_up()
        book = installation.vendors.yclients.book

        async with crowd_of(installation, bookers=3, askers=1) as crowd:
            await crowd.writes(MESSAGES)
            async with asyncio.timeout(180):
                while not any(salon.records for salon in book.salons.values()):
                    await crowd.writes(1)
            await crowd.stop()
            unrest = await installation.settle(within_s=90)
            verdict, stored = await count(installation, crowd)
        logs = processes.logs()
        await worker.end()
        await gateway.end()

    assert unrest == {}, logs
    assert verdict.zeros == dict.fromkeys(verdict.zeros, 0), f"{verdict.details}\n{logs}"
    assert verdict.sent_twice == 0
    assert "done" in {intent.status for intent in stored.intents}


def test_the_version_before_is_an_older_one_of_this_very_tree():
    known = known_migrations()

    assert known
    assert previous_version()
