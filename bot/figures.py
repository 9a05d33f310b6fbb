"""Figures of one company or of all: each is read under its own scope, for no role sees two companies' rows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from bot.app import Core
from db.figures import Figures
from db.records import Company, CompanySnapshot
from db.stats import read_days

COMPANIES_AT_ONCE = 5
"""Half of a process's connections."""
UTC_ZONE = "UTC"

Days = Mapping[date, Figures]


def zone_of(snapshot: CompanySnapshot) -> str:
    """Return the zone whose days the company's figures are of: its first branch's."""
    return snapshot.branches[0].time_zone if snapshot.branches else UTC_ZONE


async def read_figures(
    core: Core, companies: Sequence[Company], *, days: int | None, since: date | None
) -> Sequence[Days]:
    """Return the days of each company, in their order: the last `days` with today, or those from `since` on."""
    few = asyncio.Semaphore(COMPANIES_AT_ONCE)

    async def read(company: Company) -> Days:
        async with few:
            zone = zone_of(await core.companies.get_snapshot(company.id))
            now = core.clock()
            first = since or date.fromordinal(now.astimezone(ZoneInfo(zone)).date().toordinal() - (days or 1) + 1)
            async with core.database.reading(company.id) as tx:
                return await read_days(tx, zone=zone, since=first, now=now)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read(company)) for company in companies]
    return [task.result() for task in tasks]
