"""Embedded servers: shared, stopped by the last, back after a kill -9, and elsewhere where DATA_DIR will not do."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from db.embedded import start_embedded
from db.embedded_place import EmbeddedServersError, find_place
from db.embedded_servers import programs_of


@pytest.fixture
def folder():
    """A folder that every user of the machine can enter; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="ai-admin-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


async def ask(embedded, statement):
    sockets = embedded.servers.database_url.rpartition("=")[2]
    connection = await asyncpg.connect(user="ai_admin_owner", database="ai_admin", host=sockets)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_servers_are_shared_and_the_last_one_stops_them_and_data_is_kept(folder):
    first = await start_embedded(folder, durable=False)
    second = await start_embedded(folder, durable=False)
    assert (first.postgres_pid, first.redis_pid) == (second.postgres_pid, second.redis_pid)
    await ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")

    await first.stop()
    assert await ask(second, "SELECT answer FROM kept") == 42
    await second.stop()
    assert (second.postgres_pid, second.redis_pid) == (None, None)

    async with await start_embedded(folder, durable=False) as again:
        assert await ask(again, "SELECT answer FROM kept") == 42


async def test_killed_servers_come_back(folder):
    async with await start_embedded(folder, durable=False) as embedded:
        before = (embedded.postgres_pid, embedded.redis_pid)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        await embedded.restart_postgres()
        await embedded.restart_redis()

        assert await ask(embedded, "SELECT 1") == 1
        redis = Redis.from_url(embedded.servers.redis_url)
        assert await redis.ping()
        await redis.aclose()
        assert before != (embedded.postgres_pid, embedded.redis_pid)


async def test_a_process_that_was_killed_leaves_servers_that_the_next_one_adopts(folder):
    code = (
        "import asyncio, os, sys; from pathlib import Path; from db.embedded import start_embedded\n"
        "async def main():\n"
        "    embedded = await start_embedded(Path(sys.argv[1]), durable=False)\n"
        "    print(embedded.postgres_pid, flush=True); os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())"
    )
    died = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(folder), stdout=asyncio.subprocess.PIPE)
    orphan = int((await died.communicate())[0])

    async with await start_embedded(folder, durable=False) as embedded:
        assert embedded.postgres_pid == orphan
        assert await ask(embedded, "SELECT 1") == 1
    assert embedded.postgres_pid is None


def test_two_processes_that_start_at_once_share_one_pair(folder):
    code = (
        "import asyncio, sys; from pathlib import Path; from db.embedded import start_embedded\n"
        "async def main():\n"
        "    async with await start_embedded(Path(sys.argv[1]), durable=False) as embedded:\n"
        "        print(embedded.postgres_pid, flush=True); sys.stdin.readline()\n"
        "asyncio.run(main())"
    )
    command = [sys.executable, "-c", code, str(folder)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    pids = {process.stdout.readline() for process in both}
    for process in both:
        process.communicate(b"\n", timeout=60)

    assert len(pids) == 1
    assert [process.returncode for process in both] == [0, 0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs the servers as somebody else")
async def test_a_folder_that_the_servers_user_cannot_enter_is_left_for_another(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    async with await start_embedded(closed / "data", durable=False) as embedded:
        [notice] = embedded.servers.notices
        other = Path(embedded.servers.database_url.rpartition("=")[2]).parent

        assert str(other) in notice
        assert not other.is_relative_to(folder)
        assert other.stat().st_mode & 0o777 == 0o700
        assert await ask(embedded, "SELECT 1") == 1
    shutil.rmtree(other)


def test_a_path_too_long_for_a_socket_is_left_for_another(folder):
    place = find_place(folder / ("long" * 25))

    assert "too long" in place.notices[0]
    assert len(str(place.sockets / ".s.PGSQL.5432")) <= 107
    shutil.rmtree(place.folder)


def test_somebody_elses_folder_is_refused(folder):
    if os.getuid() != 0:
        pytest.skip("only root can make a stranger's folder")
    (folder / "servers").mkdir()
    os.chown(folder / "servers", 4321, 4321)

    with pytest.raises(EmbeddedServersError, match="somebody else"):
        find_place(folder)


def test_missing_binaries_say_what_to_install():
    with pytest.raises(EmbeddedServersError, match=r"ai-admin\[embedded\]"):
        programs_of("a_package_that_is_not_there", "bin")
