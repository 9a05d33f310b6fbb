"""What is done by the clock: partitions ahead of time, and sweeping what is kept only for a time."""

from __future__ import annotations

import structlog

from bot.app import Core
from db.errors import DBError
from db.partitions import make_partitions

log = structlog.get_logger()


async def keep_house(core: Core) -> None:
    """Do it once; a failure is logged and waits for the next time."""
    try:
        await make_partitions(core.database, today=core.clock().date())
        for company in await core.companies.list_companies():
            async with core.database.company(company.id) as tx:
                await core.inbox.sweep(tx, now=core.clock())
    except DBError as error:
        log.error("housekeeping_failed", error=str(error))
