"""Figures over all companies, for the operator: how much waits and how old it is, never of what.

The worker's role may read these columns of these rows and no other (migration 0012).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import text

from db.engine import Database
from db.records import ChannelType, WorkKind

_WORK = text(
    "SELECT kind, count(*) AS waiting, min(due_at) AS oldest FROM work"
    " WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now) GROUP BY kind"
)
_REPLIES = text("SELECT count(*) AS waiting, min(created_at) AS oldest FROM replies WHERE status = 'waiting'")
_DEAD = text("SELECT count(*) FROM accepted_updates WHERE dead_at IS NOT NULL")
_BROKEN = text(
    "SELECT c.slug, o.type FROM company_channels o JOIN companies c ON c.id = o.company_id WHERE o.status = 'broken'"
    " ORDER BY c.slug, o.type LIMIT 10000"
)


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits: how much, and how long the oldest has."""

    length: int = 0
    age: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The installation as of one moment.

    `broken`: slug of the company and type of the channel, where the messenger refuses our credentials.
    """

    work: Mapping[WorkKind, Queue]
    outbox: Queue
    dead: int
    broken: tuple[tuple[str, ChannelType], ...]


class BacklogReader:
    """Counts over all companies."""

    def __init__(self, database: Database, clock: _Clock) -> None:
        self._database = database
        self._clock = clock

    async def read(self) -> Backlog:
        """Count. Raises DatabaseUnavailable."""
        now = self._clock()
        async with self._database.worker() as tx:
            work = {
                WorkKind(row.kind): _queue(row.waiting, row.oldest, now)
                for row in await tx.connection.execute(_WORK, {"now": now})
                # A newer version beside this one may have work that this one has no name for.
                if row.kind in WorkKind._value2member_map_
            }
            replies = (await tx.connection.execute(_REPLIES)).one()
            dead = await tx.connection.scalar(_DEAD)
            broken = await tx.connection.execute(_BROKEN)
            return Backlog(
                work={kind: work.get(kind, Queue()) for kind in WorkKind},
                outbox=_queue(replies.waiting, replies.oldest, now),
                dead=int(dead or 0),
                broken=tuple((row.slug, ChannelType(row.type)) for row in broken),
            )


def _queue(length: int, oldest: datetime | None, now: datetime) -> Queue:
    return Queue(length=length, age=max(now - oldest, timedelta(0)) if oldest else timedelta(0))
