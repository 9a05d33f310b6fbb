"""What is done by the clock: partitions made ahead and dropped, figures of finished days kept, what is old swept."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.figures import zone_of
from db.directory import Directory
from db.engine import Database
from db.errors import DBError
from db.inbox import Inbox
from db.partitions import drop_partitions, make_partitions
from db.records import Claim, CompanySnapshot
from db.retention import RetentionSweeps
from db.slot_claims import SlotClaims
from db.stats import keep_finished_days
from db.work import Work
from orchestration.ports import Clock

log = structlog.get_logger()

SWEEP_EVERY = timedelta(hours=1)


async def make_room(database: Database, clock: Clock) -> None:
    """Make the coming months' partitions and drop those that nobody keeps; a failure is logged and waits."""
    today = clock().date()
    try:
        await make_partitions(database, today=today)
    except DBError as error:
        log.error("partitions_not_made", error=str(error))
    try:
        if dropped := await drop_partitions(database, today=today):
            log.info("partitions_dropped", months=dropped)
    except (DBError, SQLAlchemyError) as error:
        log.warning("partitions_not_dropped", error=type(error).__name__)


class SweepJob:
    """Keeps the figures of a company's finished days, then deletes what it keeps only for a time, a batch a claim."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        inbox: Inbox,
        slots: SlotClaims,
        retention: RetentionSweeps,
        work: Work,
        clock: Clock,
    ) -> None:
        self._database = database
        self._directory = directory
        self._retention = retention
        self._inbox = inbox
        self._slots = slots
        self._work = work
        self._clock = clock

    async def __call__(self, claim: Claim) -> None:
        """Sweep once; due again at once while there is more, else in an hour. Raises LeaseLost."""
        now = self._clock()
        snapshot = await self._directory.get_snapshot(claim.company_id)
        keep = snapshot.agent.privacy.keep
        more_days = await self._keep_figures(snapshot, now)
        async with self._database.company(claim.company_id) as tx:
            gone = await self._inbox.sweep(tx, now=now, keep_done=timedelta(days=keep.media))
            gone += await self._slots.sweep(tx, now=now)
            gone += await self._retention.sweep(tx, keep, now=now)
            # Companies that were made together must not sweep together for ever.
            pause = timedelta(0) if gone or more_days else SWEEP_EVERY * random.uniform(0.75, 1.25)  # noqa: S311 (jitter)
            await self._work.done(tx, claim, next_due_at=now + pause)

    async def _keep_figures(self, snapshot: CompanySnapshot, now: datetime) -> bool:
        """Keep what the rows say before they go; say whether there are more days.

        Clients were promised that their words go when their time is over: figures that fail do not hold them.
        """
        company_id = snapshot.company.id
        try:
            async with self._database.company(company_id) as tx:
                return await keep_finished_days(tx, zone=zone_of(snapshot), now=now)
        except (DBError, SQLAlchemyError) as error:
            log.error("figures_not_kept", company_id=str(company_id), error=type(error).__name__)
            return False

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the log has the trace."""

    async def give_up(self, claim: Claim) -> None:
        """Rest for a day: whatever is in the way, a person has to look at it."""
        async with self._database.company(claim.company_id) as tx:
            await self._work.done(tx, claim, next_due_at=self._clock() + timedelta(days=1))
