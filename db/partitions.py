"""Partitions of `messages`, made ahead of the months that they hold."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import text

from db.engine import Database

_AHEAD = timedelta(days=62)


async def make_partitions(database: Database, *, today: date) -> int:
    """Make this month's partition and the next two; return how many were new."""
    async with database.platform() as tx:
        made = await tx.connection.scalar(
            text("SELECT ai_admin_make_partitions(:first, :last)"), {"first": today, "last": today + _AHEAD}
        )
    return int(made or 0)
