"""A company whose agent is paused: a person answers every client, until somebody of the staff says otherwise."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from db.engine import Transaction
from db.models import companies


async def set_paused(tx: Transaction, *, by: str | None, now: datetime) -> bool:
    """Pause the company of the scope in somebody's name, or let the agent answer again (None); say whether that is new.

    The processes that keep the company are to be told after the commit (Companies.tell).
    """
    mine = companies.c.id == tx.company
    was = await tx.connection.scalar(select(companies.c.paused_at).where(mine).with_for_update())
    if (was is not None) == (by is not None):
        return False
    await tx.connection.execute(
        update(companies).where(mine).values(paused_at=now if by is not None else None, paused_by=by)
    )
    return True


async def read_paused(tx: Transaction) -> tuple[datetime, str] | None:
    """Return since when the company of the scope is paused and by whom; None where the agent answers."""
    row = (
        await tx.connection.execute(
            select(companies.c.paused_at, companies.c.paused_by).where(companies.c.id == tx.company)
        )
    ).one_or_none()
    return (row[0], row[1] or "") if row is not None and row[0] is not None else None
