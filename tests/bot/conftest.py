"""The command line as a process."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from house_staff import open_salon

from bot.doctor import examine_installation
from bot.doctor.companies import examine_companies
from bot.doctor.rows import Status


@pytest.fixture(scope="session")
def bytecode(pytestconfig: pytest.Config) -> dict[str, str]:
    """Keep what Python compiles for the next process and the next run, wherever the machine forbids to write it.

    Compiling some two thousand modules anew is more than half of a process's start.
    """
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(pytestconfig.cache.mkdir("bytecode"))}


@pytest.fixture
def admin(settings, vendors, tmp_path, bytecode):
    """Run `ai-admin` as a process of its own on the test's database, against the sandbox vendors."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AI_ADMIN_")},
        **bytecode,
        "AI_ADMIN_DATABASE_URL": settings.database_url,
        "AI_ADMIN_REDIS_URL": settings.redis_url,
        "AI_ADMIN_DATA_DIR": str(tmp_path / "data"),
        "AI_ADMIN_TELEGRAM_API_URL": vendors.telegram.url,
        "AI_ADMIN_WHATSAPP_API_URL": vendors.whatsapp.url,
        "AI_ADMIN_GEMINI_API_URL": vendors.gemini.url,
        "AI_ADMIN_GEMINI_API_KEY": "sandbox",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }

    async def run(*arguments, stdin="", exit_code=0, **more):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, **more},
            cwd=tmp_path,
        )
        out, err = await process.communicate(stdin.encode())
        assert process.returncode == exit_code, (out.decode(), err.decode())
        return out.decode() if exit_code == 0 else err.decode()

    run.environment = environment
    return run


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def installation_of(admin, tmp_path):
    """Make an installation of these settings, at a port of its own."""

    def make(**settings):
        port = free_port()
        environment = {
            **admin.environment,
            "AI_ADMIN_PORT": str(port),
            "AI_ADMIN_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "AI_ADMIN_QUIET_SECONDS": "0",
            **settings,
        }
        return Installation(environment, tmp_path, f"http://127.0.0.1:{port}")

    return make


class Installation:
    """Whole processes on the test's database; `written` is what they wrote."""

    def __init__(self, environment, folder, url):
        self.environment = environment
        self.folder = folder
        self.url = url
        self.written = []
        self.free_port = free_port

    async def admin(self, *arguments, stdin=""):
        """Run a command, whatever comes of it, and keep what it wrote."""
        process = await self._start(*arguments, stdin=asyncio.subprocess.PIPE)
        out, err = await process.communicate(stdin.encode())
        self.written += [out, err]
        return process.returncode

    @asynccontextmanager
    async def serving(self, role="serve", **more):
        """Run a process until it listens; its command line, as everybody on the machine sees it, is kept too."""
        process = await self._start(role, stdin=asyncio.subprocess.DEVNULL, **more)
        listening = asyncio.Event()
        reading = [asyncio.create_task(self._read(stream, listening)) for stream in (process.stdout, process.stderr)]
        try:
            async with asyncio.timeout(90):
                await listening.wait()
            self.written.append(command_line(process.pid))
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.gather(*reading)
            await process.wait()

    async def _read(self, stream, listening):
        """Keep what a process writes until it ends; `listening` is set once it says that it does."""
        kept = bytearray()
        while piece := await stream.read(65536):
            kept += piece
            if b"gateway_listens" in kept:
                listening.set()
        self.written.append(bytes(kept))

    async def _start(self, *arguments, stdin, **more):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-X", "faulthandler", "-m", "bot", *arguments,
            stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**self.environment, **more}, cwd=self.folder,
        )  # fmt: skip


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


SECRETS = ("SANDBOX-only-works", "sandbox-partner", "sandbox-user", "number-token", "app-secret")


@pytest.fixture
def examine(house):
    """Examine the companies, or with `whole` the installation, with these settings changed; return rows by their name.

    The companies' CRM is not paced here: the whole of it takes as long as the vendor's limits want.
    """

    async def run(*, whole=False, **changes):
        settings = house.core.settings.model_copy(update=changes)
        if whole:
            rows = await examine_installation(settings, clock=house.clock, machine=lambda: datetime.now(UTC))
        else:
            rows = await examine_companies(replace(house.core, settings=settings))
        told = " ".join(f"{row.what} {row.detail} {row.advice}" for row in rows)
        assert not [secret for secret in SECRETS if secret in told]
        assert all(row.advice for row in rows if row.status is not Status.OK)
        return {row.what: row for row in rows}

    return run


@pytest.fixture
async def salon(core, clock):
    """A salon of two branches with its people, over a real database and without a vendor."""
    return await open_salon(core, clock)
