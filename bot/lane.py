"""One lane of a worker: claims one kind of work, renews what it holds, gives every claim to the kind's job.

Lanes keep kinds of work out of each other's way: replies that are ready go out while every place for turns is taken by
a slow model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import prometheus_client
import structlog

from bot.attempts import Attempts
from bot.tasks import end
from db.doorbell import POLL, Doorbell
from db.errors import DatabaseUnavailable
from db.records import Claim, DialogueId, WorkKind
from db.work import Work
from handlers.log_levels import LogLevels, at_level
from orchestration.ports import Clock

log = structlog.get_logger()

LEASE = timedelta(seconds=12)
"""Renewed every third of it: a worker that is gone is noticed in at most this, and a poll."""
DRAIN = timedelta(seconds=25)
_LEAST_PAUSE = timedelta(milliseconds=5)
"""What is due and cannot be had is being claimed by somebody else."""

RUNNING = prometheus_client.Gauge("ai_admin_claims_running", "Claims being worked on by this process.")


class Job(Protocol):
    """What is done with one kind of claim."""

    async def __call__(self, claim: Claim) -> None:
        """Work on it and commit, `Work.done` included. Raises LeaseLost, TurnPostponed, or what went wrong."""

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Keep why it failed, for the people who look at it after the last try."""

    async def give_up(self, claim: Claim) -> None:
        """Put aside what fails again and again, so that what waits behind it goes on; `Work.done` included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """When work is given up. The same for every kind.

    A lost lease says little about the work: its worker was killed. Such are counted apart, and many are allowed.
    """

    tries: int = 5
    lost_leases: int = 20

    def take(self, claim: Claim) -> bool:
        return claim.attempts >= self.tries or claim.lost_leases >= self.lost_leases


@dataclass(frozen=True, slots=True)
class _Held:
    task: asyncio.Task[None]
    until: datetime


class Lane:
    """Any number of claims side by side up to `places`; one company never takes them all.

    `only`: claim the work of this dialogue and no other.
    """

    def __init__(
        self,
        kind: WorkKind,
        job: Job,
        work: Work,
        doorbell: Doorbell | None,
        clock: Clock,
        *,
        owner: str,
        places: int,
        lease: timedelta = LEASE,
        poll: timedelta = POLL,
        drain: timedelta = DRAIN,
        dead_letters: DeadLetters | None = None,
        only: DialogueId | None = None,
        levels: LogLevels | None = None,
    ) -> None:
        self._kind = kind
        self._job = job
        self._work = work
        self._doorbell = doorbell
        self._clock = clock
        self._owner = owner
        self._places = places
        self._lease = lease
        self._poll = poll
        self._drain_within = drain
        self._dead_letters = dead_letters or DeadLetters()
        self._only = only
        self._levels = levels
        self._attempts = Attempts(job, work, clock)
        self._held: dict[Claim, _Held] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop()`; then take nothing new, finish what runs up to a limit, and give the rest back."""
        renewing = asyncio.create_task(self._renew())
        try:
            async with asyncio.TaskGroup() as group:
                while not self._stopping.is_set():
                    await self._claim_some(group)
                await self._drain()
        finally:
            await end(renewing)

    def stop(self) -> None:
        """Ask `run` to come to its end."""
        self._stopping.set()

    async def _claim_some(self, group: asyncio.TaskGroup) -> None:
        claims: list[Claim] = []
        due_in: timedelta | None = None
        until = self._clock() + self._lease
        free = self._places - len(self._held)
        try:
            if free > 0:
                claims, due_in = await self._work.claim_and_look(
                    self._owner,
                    places=self._places,
                    held=[claim.company_id for claim in self._held],
                    ttl=self._lease,
                    kind=self._kind,
                    only=self._only,
                )
        except DatabaseUnavailable as error:
            log.error("database_unavailable", error=str(error))
        for claim in claims:
            task = group.create_task(self._work_on(claim))
            self._held[claim] = _Held(task, until)
            RUNNING.inc()
            task.add_done_callback(partial(self._let_go, claim))
        if not claims or len(claims) < free:
            await self._wait(self._poll if due_in is None else min(self._poll, max(due_in, _LEAST_PAUSE)))

    def _let_go(self, claim: Claim, _: asyncio.Task[None]) -> None:
        self._held.pop(claim, None)
        RUNNING.dec()

    async def _wait(self, pause: timedelta) -> None:
        """Wait for the bell, the end of a running claim, or so long: until the next due time, or a poll's length."""
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._stopping.wait())]
        if self._doorbell is not None:
            waits.append(asyncio.create_task(self._doorbell.wait(self._kind, pause)))
        running = {*waits, *(held.task for held in self._held.values())}
        await asyncio.wait(running, timeout=pause.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        await end(*waits)

    async def _work_on(self, claim: Claim) -> None:
        level = await self._levels.find(claim.company_id) if self._levels else None
        with structlog.contextvars.bound_contextvars(**_named(claim)), at_level(level):
            await self._attempt(claim)

    async def _attempt(self, claim: Claim) -> None:
        if self._dead_letters.take(claim):
            log.error("giving_up", attempts=claim.attempts, lost_leases=claim.lost_leases)
            await self._attempts.make(claim, partial(self._job.give_up, claim), named="given_up")
        else:
            await self._attempts.make(claim, partial(self._job, claim))

    async def _renew(self) -> None:
        """Keep the leases of what runs; a task whose lease is lost is cancelled, as its commit would be refused."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            held = list(self._held)
            if not held:
                continue
            until = self._clock() + self._lease
            lost: list[Claim] = []
            try:
                kept = await self._work.renew(held, ttl=self._lease)
                lost = [claim for claim in held if claim not in kept]
                self._held.update(
                    {claim: replace(self._held[claim], until=until) for claim in kept & self._held.keys()}
                )
            except DatabaseUnavailable as error:
                log.error("leases_not_renewed", error=str(error))
            self._cancel({*lost, *(claim for claim, one in self._held.items() if one.until <= self._clock())})

    def _cancel(self, lost: Iterable[Claim]) -> None:
        for claim in lost:
            if claim in self._held:
                log.warning("lease_lost", dialogue_id=str(claim.dialogue_id))
                self._held[claim].task.cancel()

    async def _drain(self) -> None:
        if self._held:
            await asyncio.wait([held.task for held in self._held.values()], timeout=self._drain_within.total_seconds())
        for claim, held in list(self._held.items()):
            held.task.cancel()
            await self._attempts.give_back(claim, timedelta(0), failed=False)


def _named(claim: Claim) -> dict[str, str]:
    """Return what every line about the claim carries; what is a company's own has no dialogue, and no channel."""
    ids = {"company_id": claim.company_id, "dialogue_id": claim.dialogue_id, "channel_id": claim.channel_id}
    return {"kind": claim.kind.value, **{name: str(id_) for name, id_ in ids.items() if id_.int}}
