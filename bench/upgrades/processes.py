"""Gateways and workers as an operator runs them: `ai-admin gateway`, `ai-admin worker`, ended by SIGTERM.

Whole interpreters, not forks: a process may come from another version's folder.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.chaos.fleet import free_port
from bot.settings import PREFIX

HERE = Path(__file__).parents[2]
"""The tree of this version."""
_UP_WITHIN_S = 240.0
_ENDS_WITHIN_S = 90.0
_TICK_S = 0.1
_LOG_TAIL = 3000


class ProcessFailed(Exception):
    """A process did not come up or ended with an error; the message holds the end of its log."""


@dataclass(slots=True)
class Process:
    """One gateway or worker. `url`: where its `/ready` is."""

    role: str
    url: str
    log: Path
    child: asyncio.subprocess.Process

    async def wait_up(self) -> None:
        """Wait until it says that it is ready. Raises ProcessFailed."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            try:
                async with asyncio.timeout(_UP_WITHIN_S):
                    while not await says_ready(session, self.url):
                        if self.child.returncode is not None:
                            raise ProcessFailed(f"{self.role} ended with {self.child.returncode}:\n{self.tail()}")
                        await asyncio.sleep(_TICK_S)
            except TimeoutError:
                raise ProcessFailed(f"{self.role} is not ready after {_UP_WITHIN_S:g} s:\n{self.tail()}") from None

    async def end(self) -> None:
        """Ask it to end, as a roll-out does, and wait for it. Raises ProcessFailed where it ends with an error."""
        self.child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_ENDS_WITHIN_S):
                status = await self.child.wait()
        except TimeoutError:
            raise ProcessFailed(f"{self.role} does not end:\n{self.tail()}") from None
        if status:
            raise ProcessFailed(f"{self.role} ended with {status}:\n{self.tail()}")

    async def kill(self) -> None:
        """End it as a power cut does."""
        if self.child.returncode is None:
            self.child.kill()
            await self.child.wait()

    def tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:]


@dataclass(slots=True)
class Processes:
    """Starts processes with common settings. `settings`: fields of Settings, as text."""

    settings: Mapping[str, Any]
    folder: Path
    _started: list[Process] = field(default_factory=list)

    async def start(self, role: str, *, tree: Path = HERE, port: int = 0, **settings: Any) -> Process:
        """Start a gateway or worker from a version's tree; it is not up yet."""
        port = port or free_port()
        place = {"port": port} if role == "gateway" else {"worker_metrics_port": port}
        log = self.folder / f"{len(self._started)}-{role}.log"
        with log.open("wb") as out:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                role,
                env=environment_of({**self.settings, **place, **settings}, tree),
                # Not the tree: a developer's .env lies there.
                cwd=self.folder,
                stdout=out,
                stderr=out,
            )
        process = Process(role=role, url=f"http://127.0.0.1:{port}", log=log, child=child)
        self._started.append(process)
        return process

    async def start_up(self, role: str, **more: Any) -> Process:
        """Start one and wait until it is ready."""
        process = await self.start(role, **more)
        await process.wait_up()
        return process

    async def kill_all(self) -> None:
        """Let nothing run that was started here."""
        for process in self._started:
            await process.kill()

    def logs(self) -> str:
        """Return the ends of all logs, for whoever looks into a failure."""
        return "\n".join(f"== {process.log.name}\n{process.tail()}" for process in self._started)


@asynccontextmanager
async def open_processes(settings: Mapping[str, Any], folder: Path) -> AsyncIterator[Processes]:
    """Yield what starts processes; at the end none of them runs any more."""
    processes = Processes(settings=settings, folder=folder)
    try:
        yield processes
    finally:
        await processes.kill_all()


def environment_of(settings: Mapping[str, Any], tree: Path) -> dict[str, str]:
    """Return the environment of a process of ours: these settings, this tree's code, and nothing of another's."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "COVERAGE_", "PYTEST_"))
    }
    given = {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items() if value is not None}
    return {**inherited, **given, "PYTHONPATH": str(tree)}


async def says_ready(session: aiohttp.ClientSession, url: str) -> bool:
    """Ask an instance as a balancer does."""
    try:
        async with session.get(f"{url}/ready") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
