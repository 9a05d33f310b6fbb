"""One attempt at a claim: whatever comes of it, the claim is kept, given back, or known to be somebody else's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

import structlog
from prometheus_client import Counter

from db.errors import DatabaseUnavailable, LeaseLost
from db.records import Claim
from db.work import Work, retry_delay
from orchestration.ports import Clock
from orchestration.turns import TurnAbandoned, TurnPostponed

log = structlog.get_logger()
T = TypeVar("T")

CLAIMS = Counter("ai_admin_claims", "Claims of work.", ["kind", "outcome"])


class KeepsFailures(Protocol):
    """What is told why a claim failed."""

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Keep why it failed, for the people who look at it after the last try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Generic[T]):
    """What came of it. `again_in`: when the same may go better; None: it is over."""

    outcome: str
    result: T | None = None
    again_in: timedelta | None = None


class Attempts:
    """Makes attempts at one kind of claim."""

    def __init__(self, job: KeepsFailures, work: Work, clock: Clock, *, grace: timedelta = timedelta(0)) -> None:
        """`grace`: how long what is given back is left to this process before others may take it."""
        self._job = job
        self._work = work
        self._clock = clock
        self._grace = grace

    async def make(self, claim: Claim, act: Callable[[], Awaitable[T]], *, named: str = "done") -> Attempt[T]:
        """Let `act` work on the claim and commit it, which is counted as `named`.

        Raises nothing that a claim may fail with.
        """
        attempt = await self._make(claim, act, named)
        CLAIMS.labels(claim.kind.value, attempt.outcome).inc()
        return attempt

    async def _make(self, claim: Claim, act: Callable[[], Awaitable[T]], named: str) -> Attempt[T]:
        try:
            return Attempt(outcome=named, result=await act())
        except LeaseLost:
            # Someone else has it: nothing of ours was kept.
            log.warning("lease_lost")
            return Attempt(outcome="lease_lost")
        except TurnAbandoned:
            await self.give_back(claim, timedelta(0), failed=False)
            return Attempt(outcome="abandoned")
        except TurnPostponed as postponed:
            log.info("turn_postponed", why=str(postponed), delay_s=postponed.delay.total_seconds())
            return await self._again(claim, "postponed", postponed.delay)
        except DatabaseUnavailable as error:
            # The lease runs out by itself if it cannot even be given back.
            log.error("database_unavailable", error=str(error))
            return await self._again(claim, "database_unavailable", retry_delay(0))
        except Exception as error:
            log.exception("claim_failed", attempts=claim.attempts)
            return await self._again(claim, "failed", retry_delay(claim.attempts), error)

    async def _again(self, claim: Claim, outcome: str, delay: timedelta, error: Exception | None = None) -> Attempt[T]:
        await self.give_back(claim, delay, failed=error is not None, error=error)
        return Attempt(outcome=outcome, again_in=delay)

    async def give_back(self, claim: Claim, delay: timedelta, *, failed: bool, error: Exception | None = None) -> None:
        """Give a claim back undone, due again after `delay`; where even that fails, its lease runs out by itself."""
        try:
            if error is not None:
                await self._job.failed(claim, error)
            await self._work.release(claim, due_at=self._clock() + max(delay, self._grace), failed=failed)
        except DatabaseUnavailable as unavailable:
            # The lease runs out by itself.
            log.error("claim_not_given_back", error=str(unavailable))
