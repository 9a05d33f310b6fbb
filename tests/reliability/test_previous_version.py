"""Two versions side by side, as during a roll-out and after a roll-back: the schema is the new one, and a gateway or a
worker is still the version before, taken from git."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from redis.asyncio import Redis

from bench.chaos.fleet import free_port
from bench.upgrades.crowd import count, crowd_of
from bench.upgrades.installation import open_installation
from bench.upgrades.processes import HERE, environment_of, open_processes
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


async def test_what_runs_there_is_that_versions_code(previous, tmp_path):
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import bot, db; print(bot.__file__, db.__file__)"),
        env=environment_of({}, previous),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asked.communicate()

    assert out.decode().split() == [str(previous / "bot" / "__init__.py"), str(previous / "db" / "__init__.py")]


def test_a_tree_without_history_says_so_and_what_to_do(tmp_path):
    with pytest.raises(NoHistory, match="not a git repository"):
        previous_version(tmp_path)


def test_a_shallow_clone_says_so_and_what_to_do(tmp_path):
    clone = tmp_path / "clone"
    cloning = ["git", "clone", "--quiet", "--depth", "1", f"file://{HERE}", str(clone)]
    subprocess.run(cloning, check=True, timeout=120)

    with pytest.raises(NoHistory, match="git fetch --unshallow"):
        previous_version(clone)
