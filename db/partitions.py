"""Partitions of `messages`, made ahead of the months that they hold."""

from __future__ import annotations

from datetime import date, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.engine import Database

log = structlog.get_logger()

_AHEAD = timedelta(days=62)
_MAKE = text("SELECT ai_admin_make_partitions(:month, :month)")


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
