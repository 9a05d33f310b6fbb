"""Catalogues of companies that clients write to are read anew before they are old: no prompt waits for a CRM."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from crm.errors import CRMError
from crm.kept_adapter import SOON_OLD
from db.errors import DBError, NotFound
from db.records import CompanyId
from orchestration.ports import Clock
from orchestration.scope import CompanyScopes

log = structlog.get_logger()

REFRESHES = Counter(
    "ai_admin_crm_refreshes_total", "Branches' catalogues that were read anew in the background.", ["outcome"]
)

LATELY = timedelta(hours=1)
"""A company that nobody has written to for so long is left alone; what is kept of it can be told for a day."""
AGAIN_AFTER_FAILURE = timedelta(minutes=1)
POLL = timedelta(seconds=30)
MOST_COMPANIES = 2000
AT_ONCE = 2
"""Side by side in one process; the vendor's limits are shared out by company, and a refresh stands behind readings."""


@dataclass(slots=True)
class _Care:
    read_at: datetime
    due_at: datetime


class RecentReads:
    """Whose catalogue was read lately, and when it is to be read anew. One process's, lost with it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._companies: OrderedDict[CompanyId, _Care] = OrderedDict()
        self.somebody_is_due = asyncio.Event()

    def noticed(self, company_id: CompanyId, age: timedelta) -> None:
        """Hear that the catalogue was read, and how old it was. Waits for nothing."""
        now = self._clock()
        care = self._companies.setdefault(company_id, _Care(now, now + max(SOON_OLD - age, timedelta(0))))
        self._companies.move_to_end(company_id)
        if len(self._companies) > MOST_COMPANIES:
            self._companies.popitem(last=False)
        care.read_at = now
        if care.due_at <= now:
            self.somebody_is_due.set()

    def list_due(self) -> Sequence[CompanyId]:
        """Return who is due, the longest first, and forget those that nobody has written to lately."""
        now = self._clock()
        for company_id in [one for one, care in self._companies.items() if now - care.read_at > LATELY]:
            self.forget(company_id)
        due = [one for one, care in self._companies.items() if care.due_at <= now]
        return sorted(due, key=lambda one: self._companies[one].due_at)

    def put_off(self, company_id: CompanyId, time: timedelta) -> None:
        if company_id in self._companies:
            self._companies[company_id].due_at = self._clock() + time

    def forget(self, company_id: CompanyId) -> None:
        self._companies.pop(company_id, None)


class CatalogueKeeper:
    """Refreshes, a few companies at a time. What another process has refreshed already costs a look at the cache."""

    def __init__(self, reads: RecentReads, scopes: CompanyScopes) -> None:
        self._reads = reads
        self._scopes = scopes
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Refresh until `stop()`; what runs then is dropped, as nobody waits for it."""
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._refresh_for_ever())
            await self._stopping.wait()
            work.cancel()

    def stop(self) -> None:
        self._stopping.set()

    async def refresh_due(self) -> None:
        """Refresh every company that is due now."""
        due = iter(self._reads.list_due())

        async def one_after_the_other() -> None:
            for company_id in due:
                await self._refresh(company_id)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(one_after_the_other())

    async def _refresh_for_ever(self) -> None:
        while True:
            self._reads.somebody_is_due.clear()
            await self.refresh_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL.total_seconds()):
                    await self._reads.somebody_is_due.wait()

    async def _refresh(self, company_id: CompanyId) -> None:
        pause = SOON_OLD
        try:
            scope = await self._scopes.open(company_id)
        except NotFound:
            self._reads.forget(company_id)
            return
        except DBError as error:
            log.warning("catalogue_not_refreshed", company_id=str(company_id), error=type(error).__name__)
            self._reads.put_off(company_id, AGAIN_AFTER_FAILURE)
            return
        for branch in scope.branches:
            try:
                await scope.crm(branch.id).refresh()
                REFRESHES.labels("ok").inc()
            except CRMError as error:
                REFRESHES.labels(error.code).inc()
                log.info("catalogue_not_refreshed", company_id=str(company_id), branch=branch.key, code=error.code)
                pause = AGAIN_AFTER_FAILURE
        self._reads.put_off(company_id, pause)
