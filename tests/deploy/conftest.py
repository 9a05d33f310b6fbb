"""What systemd does with our units, as far as it goes without it: for tests that run the very commands of them."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.lane import DRAIN
from bot.settings import Mode, Settings

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
RELEASE = "/opt/ai-admin/current"


@dataclass(frozen=True)
class Unit:
    """One unit's file: every value of every name, in order, by section; `%i` is filled in."""

    name: str
    sections: Mapping[str, Mapping[str, list[str]]]

    def one(self, name: str, section: str = "Service") -> str:
        [value] = self.sections[section][name]
        return value

    def all(self, name: str, section: str = "Service") -> list[str]:
        return self.sections.get(section, {}).get(name, [])

    def command(self, release: Path) -> list[str]:
        """Return ExecStart's words, with the release where it lies here."""
        return shlex.split(self.one("ExecStart").replace(RELEASE, str(release)))

    def environment(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Return what systemd.exec(5) says: Environment= first, then the files in order, of which the last one counts.

        `files`: where the named ones lie here. A value is taken to the letter, as ours have no quotes.
        """
        given = dict(pair.split("=", 1) for line in self.all("Environment") for pair in shlex.split(line))
        for name in self.all("EnvironmentFile"):
            lines = files[name].read_text().splitlines()
            given |= dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        return given


@pytest.fixture
def unit() -> Callable[..., Unit]:
    """Read a unit of deploy/systemd."""

    def read(name: str, instance: str = "1") -> Unit:
        sections: dict[str, dict[str, list[str]]] = {}
        for line in (UNITS / name).read_text().replace("%i", instance).splitlines():
            if head := re.fullmatch(r"\[(\w+)\]", line):
                section = sections.setdefault(head[1], {})
            elif line and not line.startswith("#"):
                key, value = line.split("=", 1)
                section.setdefault(key, []).append(value)
        return Unit(name, sections)

    return read


@pytest.fixture
def running() -> Callable[..., AbstractAsyncContextManager[asyncio.subprocess.Process]]:
    """Run a command with its log to be read; it does not outlive the block."""

    @asynccontextmanager
    async def run(*command: str, **options: Any) -> AsyncIterator[asyncio.subprocess.Process]:
        out, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=both, **options)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    return run


@pytest.fixture
def logged() -> Callable[[asyncio.subprocess.Process, str], Awaitable[dict[str, Any]]]:
    """Read a process's log, as the journal would, up to an event."""

    async def read(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
        assert process.stdout is not None
        seen = []
        async for line in process.stdout:
            seen.append(line.decode())
            if event in seen[-1]:
                return dict(json.loads(seen[-1]))
        raise AssertionError(f"it ended before {event!r}:\n{''.join(seen)}")

    return read


@pytest.fixture
def longest_end() -> Callable[[str], float]:
    """Return how many seconds a process may take to its end, by a name with its role in it.

    A gateway serves on until balancers have noticed that it leaves, and finishes requests; a worker drains its lanes
    after that, as it may answer calls.
    """
    production = Settings(_env_file=None, mode=Mode.PRODUCTION, master_keys="k")
    serves_on = getattr(production, "drain", timedelta(0)) + getattr(production, "finish", timedelta(seconds=10))

    def seconds(name: str) -> float:
        return (serves_on + (timedelta(0) if "gateway" in name else DRAIN)).total_seconds()

    return seconds
