"""The processes under torture: servers, gateway and workers; whatever dies is started again at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.chaos.board import Board
from bench.chaos.steps import GATEWAY, WORKER
from db.crypto import new_master_key
from db.embedded import Embedded

SEATS = ("gateway", "worker 1", "worker 2")
_UP_WITHIN_S = 60.0
_SHORT_LIFE_S = 1.0
_PAUSE_AFTER_SHORT_LIFE_S = 0.3
_TICK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A process of ours that ended; `killed` by us, else by itself."""

    seat: str
    pid: int
    status: int
    killed: bool


@dataclass(slots=True)
class _Seat:
    role: str
    pid: int = 0
    born_at: float = 0.0


@dataclass(slots=True)
class Fleet:
    """Gateway and workers, by the nursery, and the embedded servers."""

    board: Board
    line: socket.socket
    embedded: Embedded
    folder: Path
    lease_s: float
    crm_limits: bool
    gateway_port: int
    master_key: str = field(default_factory=new_master_key)
    settings: Mapping[str, Any] = field(default_factory=dict)
    deaths: list[Death] = field(default_factory=list)
    _seats: list[_Seat] = field(default_factory=lambda: [_Seat(GATEWAY), _Seat(WORKER), _Seat(WORKER)])
    _shot: set[int] = field(default_factory=set)
    _tending: asyncio.Task[None] | None = None
    _writer: asyncio.StreamWriter | None = None

    @property
    def events(self) -> Path:
        return self.folder / "events"

    async def start(self, settings: Mapping[str, Any]) -> None:
        """Start gateway and workers with these settings, and wait until they are up."""
        self.settings = settings
        reader, self._writer = await asyncio.open_connection(sock=self.line)
        self._tending = asyncio.create_task(self._tend(reader))
        for seat in range(len(SEATS)):
            self._bear(seat)
        for seat in range(len(SEATS)):
            await self.wait_up(seat)

    async def stop(self) -> None:
        """Close the line: the nursery ends the processes and itself."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def pid_of(self, seat: int) -> int:
        """Return who sits there; 0 where nobody does just now."""
        return self._seats[seat].pid

    def pids(self) -> Mapping[str, int]:
        return {name: seat.pid for name, seat in zip(SEATS, self._seats, strict=True)}

    def expect_death(self, pid: int) -> None:
        """Say that we have killed it."""
        self._shot.add(pid)

    async def wait_up(self, seat: int, *, within_s: float = _UP_WITHIN_S) -> None:
        """Wait until the process in a seat works: the gateway listens, a worker has claimed. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while not await self._is_up(seat):  # noqa: ASYNC110 (another process gets there)
                await asyncio.sleep(_TICK_S)

    async def _is_up(self, seat: int) -> bool:
        if not self._seats[seat].pid:
            return False
        if self._seats[seat].role == WORKER:
            return any(self.board.inside(seat, step) for step in range(len(self.board.steps)))
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.gateway_port)
        except OSError:
            return False
        writer.close()
        return True

    async def bring_back_servers(self) -> None:
        """Start what of PostgreSQL and Redis does not run, and wait until both answer."""
        await self.embedded.restart_postgres()
        await self.embedded.restart_redis()

    async def _tend(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            news = json.loads(line)
            if "born" in news:
                seat = self._seats[news["seat"]]
                seat.pid, seat.born_at = news["born"], time.monotonic()
                continue
            for index, seat in enumerate(self._seats):
                if seat.pid == news["died"]:
                    self._replace(index, news["status"])

    def _replace(self, index: int, status: int) -> None:
        seat = self._seats[index]
        killed = seat.pid in self._shot
        self.deaths.append(Death(seat=SEATS[index], pid=seat.pid, status=status, killed=killed))
        short = time.monotonic() - seat.born_at < _SHORT_LIFE_S
        seat.pid = 0
        # What cannot start now (PostgreSQL is away) is not started in a tight loop.
        pause = _PAUSE_AFTER_SHORT_LIFE_S if short and not killed else 0
        asyncio.get_running_loop().call_later(pause, self._bear, index)

    def _bear(self, index: int) -> None:
        order = {
            "seat": index,
            "role": self._seats[index].role,
            "lease_s": self.lease_s,
            "crm_limits": self.crm_limits,
            "settings": {**self.settings, "port": self.gateway_port},
            "log": str(self.folder / f"{SEATS[index].replace(' ', '-')}.log"),
            "events": str(self.events),
        }
        assert self._writer is not None  # noqa: S101 (opened by start)
        self._writer.write(json.dumps(order).encode() + b"\n")


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_child(pid: int, *, within_s: float) -> None:
    """Wait for a child of ours, and kill it past the limit."""
    deadline = time.monotonic() + within_s
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(_TICK_S)
