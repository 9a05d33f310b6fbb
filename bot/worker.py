"""The worker: claims work, renews what it holds, and gives every claim to the task that its kind names."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from prometheus_client import Counter, Gauge

from bot.tasks import end
from db.doorbell import Doorbell
from db.errors import DatabaseUnavailable, LeaseLost
from db.records import Claim, WorkKind
from db.work import Work
from orchestration.ports import Clock
from orchestration.turns import TurnPostponed

log = structlog.get_logger()

LEASE = timedelta(seconds=12)
RENEW_EVERY = timedelta(seconds=4)
POLL = timedelta(seconds=1)
DRAIN = timedelta(seconds=25)
_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(minutes=5)

CLAIMS = Counter("ai_admin_claims", "Claims of work.", ["kind", "outcome"])
RUNNING = Gauge("ai_admin_claims_running", "Claims being worked on by this process.")


class Job(Protocol):
    """What is done with one kind of claim."""

    async def __call__(self, claim: Claim) -> None:
        """Work on it and commit, `Work.done` included. Raises LeaseLost, TurnPostponed, or what went wrong."""

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Keep why it failed, for the people who look at it after the last try."""


class Worker:
    """Any number of dialogues side by side up to `at_once`, each by one worker at a time."""

    def __init__(
        self, work: Work, doorbell: Doorbell, jobs: Mapping[WorkKind, Job], clock: Clock, *, at_once: int
    ) -> None:
        self._work = work
        self._doorbell = doorbell
        self._jobs = jobs
        self._clock = clock
        self._at_once = at_once
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"
        self._held: dict[Claim, asyncio.Task[None]] = {}
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
        free = self._at_once - len(self._held)
        claims: list[Claim] = []
        try:
            if free > 0:
                claims = await self._work.claim(self._owner, limit=free, ttl=LEASE, kinds=tuple(self._jobs))
        except DatabaseUnavailable as error:
            log.error("database_unavailable", error=str(error))
        for claim in claims:
            task = group.create_task(self._work_on(claim))
            self._held[claim] = task
            task.add_done_callback(partial(self._let_go, claim))
        RUNNING.set(len(self._held))
        if not claims:
            await self._wait()

    def _let_go(self, claim: Claim, _: asyncio.Task[None]) -> None:
        self._held.pop(claim, None)

    async def _wait(self) -> None:
        """Wait for the bell, the next due time, the end of a running claim, or a poll's length, whichever is first."""
        try:
            due_in = await self._work.next_due_in(tuple(self._jobs)) if len(self._held) < self._at_once else None
        except DatabaseUnavailable:
            due_in = None
        pause = min(POLL, max(due_in, timedelta(milliseconds=5))) if due_in is not None else POLL
        waits: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(self._stopping.wait()),
            asyncio.ensure_future(self._doorbell.wait(pause)),
        }
        running: set[asyncio.Future[Any]] = {*waits, *self._held.values()}
        _, pending = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits & pending:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    async def _work_on(self, claim: Claim) -> None:
        fields = {"company_id": str(claim.company_id), "dialogue_id": str(claim.dialogue_id), "kind": claim.kind.value}
        with structlog.contextvars.bound_contextvars(**fields):
            try:
                await self._jobs[claim.kind](claim)
                outcome = "done"
            except LeaseLost:
                # Someone else has the dialogue: nothing of ours was kept.
                outcome = "lease_lost"
                log.warning("lease_lost")
            except TurnPostponed as postponed:
                outcome = "postponed"
                log.info("turn_postponed", why=str(postponed), delay_s=postponed.delay.total_seconds())
                await self._give_back(claim, postponed.delay, failed=False)
            except DatabaseUnavailable as error:
                # The lease runs out by itself if it cannot even be given back.
                outcome = "database_unavailable"
                log.error("database_unavailable", error=str(error))
                await self._give_back(claim, _FIRST_RETRY, failed=False)
            except Exception as error:
                outcome = "failed"
                log.exception("claim_failed", attempts=claim.attempts)
                await self._give_back(claim, retry_delay(claim.attempts), failed=True, error=error)
            CLAIMS.labels(claim.kind.value, outcome).inc()

    async def _give_back(self, claim: Claim, delay: timedelta, *, failed: bool, error: Exception | None = None) -> None:
        try:
            if error is not None:
                await self._jobs[claim.kind].failed(claim, error)
            await self._work.release(claim, due_at=self._clock() + delay, failed=failed)
        except DatabaseUnavailable as unavailable:
            # The lease runs out by itself.
            log.error("claim_not_given_back", error=str(unavailable))

    async def _renew(self) -> None:
        """Keep the leases of what runs; a task whose lease is lost is cancelled, as its commit would be refused."""
        while True:
            await asyncio.sleep(RENEW_EVERY.total_seconds())
            held = list(self._held)
            if not held:
                continue
            try:
                kept = await self._work.renew(held, ttl=LEASE)
            except DatabaseUnavailable as error:
                log.error("leases_not_renewed", error=str(error))
                continue
            for claim in held:
                if claim not in kept and claim in self._held:
                    log.warning("lease_lost", dialogue_id=str(claim.dialogue_id))
                    self._held[claim].cancel()

    async def _drain(self) -> None:
        if self._held:
            await asyncio.wait(list(self._held.values()), timeout=DRAIN.total_seconds())
        for claim, task in list(self._held.items()):
            task.cancel()
            await self._give_back(claim, timedelta(0), failed=False)


def retry_delay(attempts: int) -> timedelta:
    """Return how long a failed claim rests: doubling, jittered, bounded."""
    grown = min(_LONGEST_RETRY, _FIRST_RETRY * 2.0 ** min(attempts, 10))
    return grown * random.uniform(0.75, 1.0)  # noqa: S311 (jitter)
