"""The parent of gateway and workers: it has imported everything, has no event loop and no thread, and only forks.

Importing the SDKs costs seconds; a fork of a process that has them costs milliseconds. It ends, with its children, when
the supervisor is gone, however that ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from bench.chaos import steps
from bench.chaos.board import Board
from bot import worker_app
from bot.app import open_core
from bot.cli.session import run_async
from bot.logs import set_up_logs
from bot.roles import run_gateway, work
from bot.settings import LogFormat, Settings

PRELOADED = (worker_app,)
"""bot.roles imports it only where a worker runs: here it must be there before the fork."""
_TICK_S = 0.01
_GRACE_S = 3.0


def start_nursery(board: Board) -> tuple[int, socket.socket]:
    """Fork the nursery; return its pid and the line to it.

    Orders and news are JSON, one a line: `{"seat", "role", ...}` is answered by `{"born": pid, "seat": ...}`, and
    `{"died": pid, "status": ...}` comes whenever a child has ended.
    """
    if threading.active_count() > 1:
        raise RuntimeError(f"forking is safe only without threads: {threading.enumerate()}")
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _end_with(_Nursery(board, theirs).run)
    theirs.close()
    return pid, ours


class _Nursery:
    def __init__(self, board: Board, line: socket.socket) -> None:
        self._board = board
        self._line = line
        self._children: set[int] = set()
        self._unread = b""

    def run(self) -> None:
        # A Ctrl-C at the terminal is the supervisor's to handle.
        os.setsid()
        try:
            while self._serve():
                self._bury()
        finally:
            self._end_children()

    def _serve(self) -> bool:
        """Carry out the orders that have come; say whether the supervisor is still there."""
        readable, _, _ = select.select([self._line], [], [], _TICK_S)
        if not readable:
            return True
        try:
            data = self._line.recv(65536)
        except OSError:
            return False
        *orders, self._unread = (self._unread + data).split(b"\n")
        for order in orders:
            self._bear(json.loads(order))
        return bool(data)

    def _bear(self, order: dict[str, Any]) -> None:
        self._board.vacate(order["seat"])
        pid = os.fork()
        if pid == 0:
            self._line.close()
            _end_with(lambda: _live(self._board, order))
        self._children.add(pid)
        self._tell({"born": pid, "seat": order["seat"]})

    def _bury(self) -> None:
        for pid in list(self._children):
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                self._children.discard(pid)
                self._tell({"died": pid, "status": status})

    def _tell(self, news: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._line.sendall(json.dumps(news).encode() + b"\n")

    def _end_children(self) -> None:
        """Ask them to end, and kill those that do not."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._children:
                os.kill(pid, number)
            deadline = time.monotonic() + _GRACE_S
            while self._children and time.monotonic() < deadline:
                self._bury()
                time.sleep(_TICK_S)


def _live(board: Board, order: dict[str, Any]) -> None:
    """Be a gateway or a worker, as `ai-admin gateway` and `ai-admin worker` are."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(file, number)
    settings = Settings(_env_file=None, **order["settings"])
    set_up_logs(LogFormat.JSON)
    steps.observe(board, order["seat"], Path(order["events"]))
    if order["role"] == steps.GATEWAY:
        run_async(run_gateway(settings))
    else:
        lease = timedelta(seconds=order["lease_s"])
        run_async(_work(settings, lease, crm_limits=order["crm_limits"]))


async def _work(settings: Settings, lease: timedelta, *, crm_limits: bool) -> None:
    """Be a worker; without the CRM's limits its sandbox has none, and there is no pace to keep."""
    async with open_core(settings, pool_size=20) as core:
        await work(core if crm_limits else replace(core, crm_pace=_NoPace()), lease=lease)


class _NoPace:
    async def wait(self, limits: object, *, line: str, company: str, ahead: int) -> None:
        return


def _end_with(act: Any) -> NoReturn:
    """Run and leave without what the parent would do at its exit."""
    code = 1
    try:
        act()
        code = 0
    except BaseException:
        # A fork of the parent's stack: nothing may travel up it, neither an exit nor an interrupt.
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(code)
