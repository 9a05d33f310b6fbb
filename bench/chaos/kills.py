"""Who is killed next, and in which step: evenly over the victims, each time a step that was hit least so far."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from bench.chaos.fleet import SEATS, Fleet
from bench.chaos.marksman import Order, Shot
from bench.chaos.options import Options
from bench.chaos.steps import GATEWAY, IDLE, POSTGRES, REDIS, STEPS, WORKER
from bot.tasks import end

BACKEND = "a backend"
VICTIMS = (*SEATS, POSTGRES, REDIS)
_BACKEND_EVERY = 3
"""Every third death of PostgreSQL is one backend's only, after which it throws all others out and recovers."""
_DELAYS_S = (0.0, 0.0, 0.0, 0.001, 0.003, 0.02)
_BACK_WITHIN_S = 60.0
_FREEZE_EVERY = 8
"""After every eighth kill a worker is stopped instead, and woken when its lease has run out: it still believes that its
dialogues are its own."""
FREEZE_LEASES = 1.5
_FREEZE_IN = ("model call", "tool call", "check price", "CRM write", "send")
"""Steps that something else is to be committed after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """`at`: seconds on the machine's monotonic clock. `seats`: who was in the step."""

    victim: str
    pid: int
    step: str
    at: float
    seats: tuple[str, ...]
    doing: str


@dataclass(slots=True)
class Killer:
    """Makes the wanted number of kills, one after the other, each when the last victim is back."""

    options: Options
    fleet: Fleet
    line: socket.socket
    rng: random.Random
    kills: list[Kill] = field(default_factory=list)
    freezes: list[Kill] = field(default_factory=list)
    _hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    _postgres_deaths: int = 0
    _frozen: set[str] = field(default_factory=set)
    _thaws: list[asyncio.Task[None]] = field(default_factory=list)

    async def run(self, about_to: Callable[[], Awaitable[None]]) -> None:
        """Kill until the number is reached; `about_to` before each."""
        reader, writer = await asyncio.open_connection(sock=self.line)
        ask = partial(_ask, reader, writer)
        try:
            for victim in self._victims():
                if len(self.kills) >= self.options.kills:
                    break
                await asyncio.sleep(self.rng.uniform(*self.options.pause_s))
                await about_to()
                await self._kill(self._awake(victim), ask)
                if len(self.kills) % _FREEZE_EVERY == _FREEZE_EVERY // 2 and not self._frozen:
                    await self._freeze(self.rng.choice(SEATS[1:]), ask)
            await asyncio.gather(*self._thaws)
        finally:
            await end(*self._thaws)
            writer.close()

    def _victims(self) -> Iterator[str]:
        while True:
            yield from self.rng.sample(VICTIMS, len(VICTIMS))

    async def _kill(self, victim: str, ask: Callable[[Order], Awaitable[Shot]]) -> None:
        order = self._order(victim)
        shot = await ask(order) if order is not None else None
        if order is None or shot is None or not shot.pid:
            return
        self.fleet.expect_death(shot.pid)
        name = BACKEND if order.backend else victim
        self._hits[_kind_of(victim), shot.step] += 1
        self.kills.append(_kill_of(name, shot))
        async with asyncio.timeout(_BACK_WITHIN_S):
            await self._wait_back(victim, shot.pid)

    async def _freeze(self, victim: str, ask: Callable[[Order], Awaitable[Shot]]) -> None:
        """Stop a worker in a step, and let it go on when others have taken over; kills go on meanwhile."""
        victim = self._awake(victim)
        order = self._order(victim)
        if order is None:
            return
        steps = tuple(step for step in order.steps if STEPS[step].name in _FREEZE_IN)
        shot = await ask(replace(order, steps=steps, wanted=len(steps), number=signal.SIGSTOP))
        if shot.pid:
            self.freezes.append(_kill_of(victim, shot))
            self._frozen.add(victim)
            self._thaws.append(asyncio.create_task(self._thaw(victim, shot.pid)))

    async def _thaw(self, victim: str, pid: int) -> None:
        try:
            await asyncio.sleep(self.options.lease_s * FREEZE_LEASES)
        finally:
            self._frozen.discard(victim)
            if self.fleet.pid_of(SEATS.index(victim)) == pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _awake(self, victim: str) -> str:
        """Return the other worker where this one is frozen: it is to wake up."""
        return next(seat for seat in SEATS[1:] if seat not in self._frozen) if victim in self._frozen else victim

    def _order(self, victim: str) -> Order | None:
        """Aim at the steps that this victim was hit in least; None where it does not run just now."""
        backend, kind = False, _kind_of(victim)
        if victim in SEATS:
            seats: tuple[int, ...] = (SEATS.index(victim),)
            pid = self.fleet.pid_of(seats[0])
        else:
            seats = tuple(range(len(SEATS)))
            pid = (self.fleet.embedded.postgres_pid if kind == POSTGRES else self.fleet.embedded.redis_pid) or 0
            if kind == POSTGRES:
                self._postgres_deaths += 1
                backend = self._postgres_deaths % _BACKEND_EVERY == 0
        if not pid:
            return None
        possible = [index for index, step in enumerate(STEPS) if kind in step.touches]
        self.rng.shuffle(possible)
        return Order(
            pid=pid,
            seats=seats,
            steps=tuple(sorted(possible, key=lambda step: self._hit_share(kind, step))),
            wanted=(len(possible) + 1) // 2,
            idle=tuple(step for step in possible if STEPS[step].name == IDLE),
            patience_s=self.options.patience_s,
            delay_s=self.rng.choice(_DELAYS_S),
            backend=backend,
        )

    def _hit_share(self, kind: str, step: int) -> float:
        """Return how often this kind of victim was killed there; a grave step bears twice as many."""
        return self._hits[kind, STEPS[step].name] / (2 if STEPS[step].grave else 1)

    async def _wait_back(self, victim: str, pid: int) -> None:
        if victim not in SEATS:
            await self.fleet.bring_back_servers()
            return
        seat = SEATS.index(victim)
        while self.fleet.pid_of(seat) in (0, pid):  # noqa: ASYNC110 (the nursery's news comes meanwhile)
            await asyncio.sleep(0.01)
        await self.fleet.wait_up(seat)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, order: Order) -> Shot:
    """Let the marksman carry out an order."""
    writer.write(json.dumps(asdict(order)).encode() + b"\n")
    fields = json.loads(await reader.readline())
    return Shot(**{**fields, "seats": tuple(fields["seats"])})


def _kill_of(victim: str, shot: Shot) -> Kill:
    return Kill(victim=victim, pid=shot.pid, step=shot.step, at=shot.at, seats=shot.seats, doing=shot.doing)


def _kind_of(victim: str) -> str:
    """Both workers are one kind: what the one was killed in, the other need not be."""
    return WORKER if victim in SEATS and victim != GATEWAY else victim


def step_table(kills: Sequence[Kill]) -> list[tuple[str, ...]]:
    """Return kills by step and victim, the header first."""
    victims = (*SEATS, POSTGRES, BACKEND, REDIS)
    counted = Counter((kill.step, kill.victim) for kill in kills)
    steps = sorted({kill.step for kill in kills}, key=_place)
    rows = [(step, *(str(counted[step, victim] or "") for victim in victims)) for step in steps]
    totals = Counter(kill.victim for kill in kills)
    return [("step", *victims), *rows, ("all", *(str(totals[victim]) for victim in victims))]


def _place(step: str) -> int:
    names = [one.name for one in STEPS]
    return names.index(step) if step in names else len(names)
