"""The command line as a process."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest


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
