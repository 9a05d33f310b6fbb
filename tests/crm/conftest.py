"""What adapters need besides a CRM: a pace that never waits, a cache in memory, a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from crm.addresses import Reach
from crm.http import CRMHttp, TimeLimits
from crm.ports import Limit

HERE = Reach(loopback=True)
"""Sandboxes listen on this machine."""


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Pace:
    """Allows every call and remembers what was asked; `used_up` refuses."""

    asked: list[tuple[str, int, timedelta, int]] = field(default_factory=list)
    turns: list[tuple[str, str, int]] = field(default_factory=list)
    used_up: bool = False

    async def wait(self, limits: Sequence[Limit], *, line: str, company: str, ahead: int) -> None:
        self.asked += [(limit.name, limit.rate, limit.per, limit.burst) for limit in limits]
        self.turns.append((line, company, ahead))
        if self.used_up:
            raise TimeoutError


@dataclass
class Cache:
    kept: dict[str, str] = field(default_factory=dict)
    ttls: dict[str, timedelta] = field(default_factory=dict)

    async def get(self, key: str) -> str | None:
        return self.kept.get(key)

    async def set(self, key: str, value: str, *, ttl: timedelta) -> None:
        self.kept[key], self.ttls[key] = value, ttl

    async def delete(self, key: str) -> None:
        self.kept.pop(key, None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture
def cache() -> Cache:
    return Cache()


@pytest.fixture
def pauses() -> list[float]:
    """Seconds that were waited between attempts; nobody really waits them."""
    return []


@pytest.fixture
def time_limits() -> TimeLimits:
    return TimeLimits()


@pytest.fixture
async def http(clock: Clock, pauses: list[float], time_limits: TimeLimits) -> AsyncIterator[CRMHttp]:
    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async with CRMHttp(clock=clock, sleep=pause, time_limits=time_limits, max_bytes=500_000, reach=HERE) as http:
        yield http
