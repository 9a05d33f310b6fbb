"""A day as the CRM has it, whoever booked it: read for staff who look at it, outside of any transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import structlog

from crm.base import Appointment, Capability
from crm.errors import CRMError, CRMNotConfigured, CRMUnsupported
from db.records import Branch, BranchId
from orchestration.scope import CompanyScope

log = structlog.get_logger()

PATIENCE = timedelta(seconds=10)
"""How long staff wait for what the CRM says of their days; what is not there by then is not shown, and that is said."""
_AT_ONCE = 4

DayKey = tuple[BranchId, date]


class Untold(StrEnum):
    """Why a day is not known."""

    CANNOT = "cannot"
    """There is no CRM, or it has no way to list a day, or nobody has asked."""
    SILENT = "silent"
    """It did not answer in time, or refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmDay:
    """The standing visits of one branch's day, by time; `untold` None: these are all."""

    visits: tuple[Appointment, ...] = ()
    untold: Untold | None = None

    def visits_of(self, master: str, *, but: Collection[str], after: datetime) -> list[Appointment]:
        """Return a master's visits that begin later than that, without those of some records."""
        return [
            one
            for one in self.visits
            if one.staff.name == master and one.id not in but and one.starts_at > after and not one.cancelled
        ]


NOT_ASKED = CrmDay(untold=Untold.CANNOT)


async def read_crm_day(scope: CompanyScope, branch: Branch, day: date) -> CrmDay:
    """Ask a branch's CRM for a day; never raises for what the CRM does."""
    return (await read_crm_days(scope, [(branch, day)]))[branch.id, day]


async def read_crm_days(scope: CompanyScope, wanted: Iterable[tuple[Branch, date]]) -> Mapping[DayKey, CrmDay]:
    """Ask for several: a few at once, and for all of them no longer than PATIENCE."""
    asked = list(dict.fromkeys((branch.id, day) for branch, day in wanted))
    few = asyncio.Semaphore(_AT_ONCE)
    told: dict[DayKey, CrmDay] = {}

    async def one(key: DayKey) -> None:
        async with few:
            told[key] = await _ask(scope, *key)

    try:
        async with asyncio.timeout(PATIENCE.total_seconds()), asyncio.TaskGroup() as group:
            for key in asked:
                group.create_task(one(key))
    except TimeoutError:
        log.warning("crm_day_not_read", code="too_slow", days=len(asked) - len(told))
    return {key: told.get(key, CrmDay(untold=Untold.SILENT)) for key in asked}


async def _ask(scope: CompanyScope, branch_id: BranchId, day: date) -> CrmDay:
    try:
        crm = scope.crm(branch_id)
        if Capability.DAY not in crm.capabilities:
            return NOT_ASKED
        return CrmDay(visits=await crm.list_day(day))
    except (CRMNotConfigured, CRMUnsupported):
        return NOT_ASKED
    except CRMError as error:
        log.warning("crm_day_not_read", code=error.code, error=str(error))
        return CrmDay(untold=Untold.SILENT)
