"""Partitions of `messages`, made ahead of the months that they hold, and dropped when nobody keeps those any longer."""

from __future__ import annotations

from datetime import date, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.engine import Database
from db.privacy import Retention

log = structlog.get_logger()

_AHEAD = timedelta(days=62)
_MAKE = text("SELECT ai_admin_make_partitions(:month, :month)")
_DROP = text("SELECT ai_admin_drop_partitions(:today, :default_days)")


async def make_partitions(database: Database, *, today: date) -> int:
    """Make this month's partition and the next two; return how many were new.

    A month of which messages lie in the default partition already stays there, and keeps no other from being made: the
    function looks for them first, but an owner who is no superuser is subject to row-level security and sees none.
    """
    made = 0
    async with database.platform() as tx:
        for month in sorted({(today + timedelta(days=days)).replace(day=1) for days in (0, 31, _AHEAD.days)}):
            try:
                async with tx.connection.begin_nested():
                    made += await tx.connection.scalar(_MAKE, {"month": month}) or 0
            except IntegrityError:
                log.warning("month_stays_in_the_default_partition", month=f"{month:%Y-%m}")
    return made


async def drop_partitions(database: Database, *, today: date) -> int:
    """Drop the months whose every row is older than the longest term that any company has; return how many there were.

    What is below that term is the sweeper's, row by row. Raises DBAPIError where the table is so busy that its lock is
    not to be had in a second; nothing is dropped then.
    """
    arguments = {"today": today, "default_days": Retention().texts}
    async with database.platform() as tx:
        return await tx.connection.scalar(_DROP, arguments) or 0
