"""A small process that watches the board closely, waits until a step is under way, and kills (or freezes).

By itself, because the supervisor's own loop is busy with clients and vendors and would come too late for a step of a
millisecond.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.chaos.board import Board

_TICK_S = 0.0002
BETWEEN = "between steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Whom to kill, and in which step.

    `seats` and `steps` say what to watch, the most wanted steps first. For half of `patience_s` it waits for one of
    the first `wanted`, then for any but those that are `idle`, and then kills whatever is under way. `delay_s`: from
    the step's beginning to the kill. `backend`: not the process itself but one of its children that serves a client.
    """

    pid: int
    seats: tuple[int, ...]
    steps: tuple[int, ...]
    wanted: int
    idle: tuple[int, ...]
    patience_s: float
    delay_s: float
    backend: bool = False
    number: int = signal.SIGKILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What was hit. `at` is on the clock that all processes share; `pid` 0: there was nothing to kill."""

    pid: int
    step: str
    at: float
    seats: tuple[str, ...]
    doing: str = ""


def start_marksman(board: Board) -> tuple[int, socket.socket]:
    """Fork it; return its pid and the line to it: an Order as JSON, a line, is answered by a Shot."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return pid, ours
    ours.close()
    try:
        os.setsid()
        _serve(board, theirs)
    finally:
        os._exit(0)


def _serve(board: Board, line: socket.socket) -> None:
    with line.makefile("rw", encoding="utf-8") as file:
        for raw in file:
            fields: dict[str, Any] = json.loads(raw)
            listed = {name: tuple(one) for name, one in fields.items() if isinstance(one, list)}
            order = Order(**(fields | listed))
            file.write(json.dumps(asdict(_shoot(board, order))) + "\n")
            file.flush()


def _shoot(board: Board, order: Order) -> Shot:
    """Wait for the wanted steps, then the delay, and kill; the step is what is under way at that very moment."""
    began = time.monotonic()
    busy = [step for step in order.steps if step not in order.idle]
    aimed = _under_way(board, order.seats, busy[: order.wanted])
    while not aimed and (waited := time.monotonic() - began) < order.patience_s:
        time.sleep(_TICK_S)
        aimed = _under_way(board, order.seats, busy[: order.wanted] if waited < order.patience_s / 2 else busy)
    if order.delay_s:
        time.sleep(order.delay_s)
    victim, doing = _backend_of(order.pid) if order.backend else (order.pid, "")
    if not victim:
        return Shot(pid=0, step=BETWEEN, at=time.monotonic(), seats=(), doing="no backend")
    inside = _under_way(board, order.seats, order.steps)
    try:
        os.kill(victim, order.number)
    except ProcessLookupError:
        return Shot(pid=0, step=BETWEEN, at=time.monotonic(), seats=(), doing="gone")
    hit = next((step for step in aimed if step in inside), inside[0] if inside else None)
    seats = tuple(board.seats[seat] for seat in order.seats if hit is not None and board.inside(seat, hit))
    return Shot(
        pid=victim, step=BETWEEN if hit is None else board.steps[hit], at=time.monotonic(), seats=seats, doing=doing
    )


def _under_way(board: Board, seats: Sequence[int], steps: Sequence[int]) -> list[int]:
    return [step for step in steps if any(board.inside(seat, step) > 0 for seat in seats)]


def _backend_of(postmaster: int) -> tuple[int, str]:
    """Return a backend that serves a client, one that is at work where there is one, and what its title says."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
    found = []
    for child in children.read_text().split():
        try:
            title = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        # "postgres: user database [local] UPDATE"
        _, is_client, doing = title.partition("[local] ")
        if is_client:
            found.append((doing == "idle", random.random(), int(child), doing))
    if not found:
        return 0, ""
    _, _, pid, doing = min(found)
    return pid, doing
