"""Clients' messages through a gateway, workers and stores, simulated: a seed in, quantiles out, no wall clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from math import log
from statistics import quantiles

from bench.capacity.events import Give, Process, Server, Take, World, served
from bench.capacity.inputs import Assumptions, Figures

DAY = (1, 1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 9, 9, 9, 10, 11, 12, 11, 8, 5, 3, 2)
"""How a salon's messages spread over the hours of a day, as weights: an assumption. The busiest is 18 to 19."""
_SPREAD = 0.4
"""The model's times are lognormal with this sigma: p95 is twice the median, nearly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What is simulated. Times are seconds, and processor time is of one core; `spread` 0: others answer to the tick.

    `crm_addresses` of `crm_per_s` calls each; None: no limit.
    """

    gateways: int
    workers: int
    turns_at_once: int
    gateway_cpu_s: float
    worker_cpu_s: float
    db_cores: int
    db_cpu_s: float
    commit_s: float
    model_calls: int
    model_s: float
    crm_calls: int
    crm_s: float
    spread: float = _SPREAD
    crm_addresses: int | None = None
    crm_per_s: float = 3.0


@dataclass(slots=True)
class Seen:
    """What came of it. `took`: seconds from a webhook's answer to its reply; `seconds`: until the last was out."""

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0
    busy: dict[str, float] = field(default_factory=dict)
    """Share of its time that a kind of server was in use."""

    @property
    def per_s(self) -> float:
        return len(self.took) / self.seconds

    def quantile(self, percent: int) -> float:
        return quantiles(self.took, n=100)[percent - 1]


Arrivals = Callable[[random.Random], list[float]]


def poisson(rate: float, seconds: float) -> Arrivals:
    """Return arrivals at a steady rate."""
    return lambda chance: _thinned(chance, rate, seconds, lambda _: 1.0)


def day(per_day: float, *, from_hour: float = 0.0, hours: float = 24.0) -> Arrivals:
    """Return the arrivals of a day, or of some hours of it, by its curve. The curve repeats each day."""
    rate = per_day * max(DAY) / sum(DAY) / 3600

    def share(at_s: float) -> float:
        return DAY[int(from_hour + at_s / 3600) % 24] / max(DAY)

    return lambda chance: _thinned(chance, rate, hours * 3600, share)


def _thinned(chance: random.Random, rate: float, seconds: float, share: Callable[[float], float]) -> list[float]:
    """A Poisson stream whose rate varies, by thinning one at the highest rate (Lewis and Shedler 1979)."""
    at, found = 0.0, []
    while (at := at + chance.expovariate(rate)) < seconds:
        if chance.random() < share(at):
            found.append(at)
    return found


class _Run:
    def __init__(self, system: System, seed: int) -> None:
        self.system = system
        self.chance = random.Random(seed)
        self.world = World()
        self.gateways = [Server(1) for _ in range(system.gateways)]
        self.workers = [Server(1) for _ in range(system.workers)]
        # A free place anywhere takes the next dialogue: workers ask, nobody hands out.
        self.places = Server(system.workers * system.turns_at_once)
        self.database = Server(system.db_cores)
        self.addresses_free_at = [0.0] * (system.crm_addresses or 0)
        self.seen = Seen()
        self._in_flight = [0] * system.workers

    def message(self, number: int) -> Process:
        """One client's message, to the reply."""
        system = self.system
        # Four parts of a turn are ours: claim, after the model, after the CRM, commit and delivery.
        parts = system.model_calls + system.crm_calls + 1
        cpu, db = system.worker_cpu_s / parts, system.db_cpu_s / (parts + 1)
        yield from served(self.gateways[number % system.gateways], system.gateway_cpu_s)
        yield from self.committed(db)
        accepted = self.world.now
        yield Take(self.places)
        claimed = self.world.now
        mine = min(range(system.workers), key=self._in_flight.__getitem__)
        self._in_flight[mine] += 1
        for part in range(parts):
            yield from served(self.workers[mine], cpu)
            yield from self.committed(db)
            if part < parts - 1:
                # Model and CRM in turn, as long as there are calls of both.
                crm = part % 2 == 1 and (part + 1) // 2 <= system.crm_calls
                if part >= 2 * min(system.model_calls, system.crm_calls):
                    crm = system.crm_calls > system.model_calls
                yield self.crm_s(number) if crm else self.model_s()
        self._in_flight[mine] -= 1
        yield Give(self.places, self.world.now - claimed)
        self.seen.took.append(self.world.now - accepted)

    def committed(self, cpu_s: float) -> Process:
        """A transaction: processor time of the database, and the wait for its disk, which holds no core."""
        yield from served(self.database, cpu_s)
        yield self.system.commit_s

    def model_s(self) -> float:
        return self._around(self.system.model_s)

    def crm_s(self, company: int) -> float:
        """Return how long a call takes with the wait for its address's pace: the next moment that is free."""
        wait = 0.0
        if self.addresses_free_at:
            line, now = company % len(self.addresses_free_at), self.world.now
            at = max(now, self.addresses_free_at[line])
            self.addresses_free_at[line], wait = at + 1 / self.system.crm_per_s, at - now
        return wait + self._around(self.system.crm_s)

    def _around(self, mean: float) -> float:
        spread = self.system.spread
        if not spread or not mean:
            return mean
        return self.chance.lognormvariate(log(mean) - spread**2 / 2, spread)


def simulate(system: System, arrivals: Arrivals, *, seed: int = 1) -> Seen:
    """Run all arrivals to their replies. The same seed gives the same figures."""
    run = _Run(system, seed)
    for number, at in enumerate(arrivals(run.chance)):
        run.world.start(run.message(number), after_s=at)
    return _told(run)


def simulate_busy(system: System, clients: int, seconds: float, *, warm_s: float, seed: int = 1) -> Seen:
    """Hold so many clients who each write as soon as they are answered, and tell of the time after the warm-up."""
    run = _Run(system, seed)
    numbers = iter(range(10**9))

    def client() -> Process:
        while run.world.now < warm_s + seconds:
            yield from run.message(next(numbers))

    def begin() -> Process:
        yield warm_s
        run.seen.took.clear()

    counted: list[float] = []

    def look() -> Process:
        yield warm_s + seconds
        counted.extend(run.seen.took)

    for _ in range(clients):
        run.world.start(client())
    run.world.start(begin())
    run.world.start(look())
    told = _told(run)
    told.took, told.seconds = counted, seconds
    return told


def _told(run: _Run) -> Seen:
    run.world.run()
    seen, system = run.seen, run.system
    seen.seconds = run.world.now
    for name, servers in (
        ("gateway", run.gateways),
        ("worker", run.workers),
        ("places", [run.places]),
        ("postgres", [run.database]),
    ):
        seen.busy[name] = sum(one.busy_s for one in servers) / sum(one.places for one in servers) / seen.seconds
    if system.crm_addresses:
        calls = len(seen.took) * system.crm_calls
        seen.busy["crm address"] = calls / (system.crm_addresses * system.crm_per_s * seen.seconds)
    return seen


def system_of(figures: Figures, given: Assumptions) -> System:
    """Return one gateway, one worker and one core of database with the measured costs. Raises FigureMissing."""
    return System(
        gateways=1,
        workers=1,
        db_cores=1,
        turns_at_once=round(given.turns_at_once),
        model_calls=round(figures["turn_model_calls"]),
        crm_calls=round(given.crm_calls_per_turn),
        gateway_cpu_s=figures["gateway_turn_cpu_ms"] / 1000,
        worker_cpu_s=figures["worker_turn_cpu_ms"] / 1000,
        db_cpu_s=figures["turn_db_cpu_ms"] / 1000,
        commit_s=1 / figures["db_commits_per_s"],
        model_s=given.model_s,
        crm_s=given.crm_s,
        crm_per_s=given.yclients_per_s,
    )
