"""A backup by deploy/backup.sh, put into a server that has never seen us by deploy/restore.sh: everything is there, the
guards too, and what had been accepted is answered there, once."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from dataclasses import replace

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url

from bench.chaos.fleet import free_port
from bench.upgrades.crowd import count, crowd_of
from bench.upgrades.dumps import ScriptFailed, back_up, restore
from bench.upgrades.installation import open_installation
from bench.upgrades.processes import HERE, environment_of, open_processes
from bench.upgrades.servers import open_servers
from sandbox.telegram.state import User

GUARDS = {
    "roles": """SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolinherit FROM pg_roles
                WHERE rolname LIKE 'ai\\_admin%' ORDER BY 1""",
    "memberships": """SELECT m.roleid::regrole::text AS role, m.member::regrole::text AS member FROM pg_auth_members m
                      WHERE m.roleid::regrole::text LIKE 'ai\\_admin%' ORDER BY 1, 2""",
    "row-level security": """SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
                             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1""",
    "policies": """SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies
                   WHERE schemaname = 'public' ORDER BY 1, 2""",
    "rights on tables": """SELECT c.relname, a.grantee::regrole::text AS who, a.privilege_type AS what
                           FROM pg_class c, aclexplode(c.relacl) a
                           WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3""",
    "rights on functions": """SELECT p.proname, p.prosecdef, a.grantee::regrole::text AS who, a.privilege_type
                              FROM pg_proc p LEFT JOIN LATERAL aclexplode(p.proacl) a ON true
                              WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1, 3, 4""",
    "rights on the schema": """SELECT a.grantee::regrole::text AS who, a.privilege_type AS what
                               FROM pg_namespace n, aclexplode(n.nspacl) a WHERE nspname = 'public' ORDER BY 1, 2""",
    "partitions": """SELECT inhparent::regclass::text AS parent, inhrelid::regclass::text AS part,
                     pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
                     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1, 2""",
    "triggers": """SELECT tgrelid::regclass::text AS t, tgname, tgenabled FROM pg_trigger
                   WHERE NOT tgisinternal ORDER BY 1, 2""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "comments": """SELECT objoid::regclass::text AS t, objsubid, description FROM pg_description
                   WHERE classoid = 'pg_class'::regclass AND objoid::regclass::text IN
                   (SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace) ORDER BY 1, 2""",
}


async def read(url, statement):
    address = make_url(url)
    connection = await asyncpg.connect(
        user=address.username, database=address.database, host=str(address.query["host"]), timeout=30
    )
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def guards_of(url):
    return {name: await read(url, statement) for name, statement in GUARDS.items()}


async def rows_of(url):
    """Return every table's rows as one digest each, whatever order they lie in."""
    tables = await read(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return {
        table: await read(
            url, f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM \"{table}\" t"
        )
        for (table,) in tables
    }


@pytest.fixture
async def fresh(tmp_path):
    """The owner's address of a server that has neither our tables nor our roles."""
    async with open_servers(tmp_path / "fresh", redis=False, durable=False) as embedded:
        yield embedded.servers.database_url


@pytest.fixture
async def redis_url(servers):
    url = servers.servers.redis_url.replace("db=0", "db=8")
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
        yield url
        await redis.flushdb()


@pytest.mark.timeout(500)
async def test_a_restored_installation_is_whole_guarded_and_answers_what_it_had_accepted_once(
    database_url, redis_url, fresh, tmp_path, until
):
    port = free_port()
    file = tmp_path / "backup.dump"
    public_url = f"http://127.0.0.1:{port}"
    async with (
        open_installation(
            database_url=database_url, redis_url=redis_url, public_url=public_url, folder=tmp_path, companies=2
        ) as installation,
        open_processes({**installation.settings, "drain_seconds": 0}, tmp_path) as processes,
    ):
        people, bot = installation.vendors.telegram.people, installation.bots[1]
        late = [User(id=930_000_000 + number, first_name="Ольга") for number in range(5)]
        gateway = await processes.start("gateway", port=port)
        worker = await processes.start("worker")
        await gateway.wait_up()
        await worker.wait_up()
        async with crowd_of(installation, bookers=2, askers=2) as crowd:
            await crowd.writes(20)
            await crowd.stop()
        assert await installation.settle(within_s=90) == {}, processes.logs()
        await worker.end()
        # Accepted, and nobody there to answer.
        for user in late:
            await people.send_text(bot.id, user, "Здравствуйте")
        await until(lambda: not bot.updates)
        said = await asyncio.to_thread(back_up, database_url, file)
        await gateway.end()

        await asyncio.to_thread(restore, fresh, file)
        guards = await guards_of(database_url)
        assert await guards_of(fresh) == guards
        assert await rows_of(fresh) == await rows_of(database_url)
        async with Redis.from_url(redis_url) as redis:
            await redis.flushdb()
        again = replace(installation, settings={**installation.settings, "database_url": fresh})
        processes.settings = {**again.settings, "drain_seconds": 0}
        verified = await asyncio.to_thread(command, again.settings, tmp_path, "audit", "verify")
        keys = await asyncio.to_thread(command, again.settings, tmp_path, "keys", "status", "--json")
        gateway = await processes.start_up("gateway", port=port)
        worker = await processes.start_up("worker")
        assert await again.settle(within_s=90) == {}, processes.logs()
        answered = {user.id: len(people.texts_from_bot(bot.id, user.id)) for user in late}
        # And life goes on.
        await people.send_text(bot.id, late[0], "Какие у вас услуги?")
        await until(lambda: len(people.texts_from_bot(bot.id, late[0].id)) > answered[late[0].id])
        assert await again.settle(within_s=90) == {}, processes.logs()
        verdict, _ = await count(again, crowd)
        logs = processes.logs()

    assert all(guards.values()), "a guard that nobody looks at"
    assert "THE KEYS ARE NOT IN IT" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert verified.returncode == 0, verified.stderr
    assert keys.returncode == 0, keys.stderr
    assert answered == dict.fromkeys(answered, 1)
    assert verdict.zeros == dict.fromkeys(verdict.zeros, 0), f"{verdict.details}\n{logs}"
    assert verdict.sent_twice == 0


def command(settings, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        env=environment_of(settings, HERE),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


async def test_a_role_that_does_not_see_every_row_makes_no_backup(database_url, tmp_path):
    url = make_url(database_url).set(username="ai_admin_login").render_as_string(hide_password=False)

    with pytest.raises(ScriptFailed, match="does not see every company's rows"):
        await asyncio.to_thread(back_up, url, tmp_path / "backup.dump")
    assert list(tmp_path.iterdir()) == []


async def test_a_backup_overwrites_none(database_url, tmp_path):
    file = tmp_path / "backup.dump"
    await asyncio.to_thread(back_up, database_url, file)
    before = file.read_bytes()

    with pytest.raises(ScriptFailed, match="is there already"):
        await asyncio.to_thread(back_up, database_url, file)
    assert file.read_bytes() == before


async def test_a_database_that_is_not_empty_is_not_restored_into(database_url, tmp_path):
    file = tmp_path / "backup.dump"
    await asyncio.to_thread(back_up, database_url, file)

    with pytest.raises(ScriptFailed, match="not empty"):
        await asyncio.to_thread(restore, database_url, file)


async def test_a_file_that_is_cut_off_changes_nothing(database_url, fresh, tmp_path):
    whole, cut = tmp_path / "backup.dump", tmp_path / "cut.dump"
    await asyncio.to_thread(back_up, database_url, whole)
    cut.write_bytes(whole.read_bytes()[:-2000])

    with pytest.raises(ScriptFailed):
        await asyncio.to_thread(restore, fresh, cut)
    assert await read(fresh, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []
