"""Telephone calls: who may open a call's stream, how many stand, how long they took and how they ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.call_models import calls
from db.engine import Transaction
from db.models import turns
from db.records import Channel, ChannelId, DialogueId, dialogue_id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call. `caller` (E.164) is what the network told; `cost`: of the model, in millionths of a US dollar."""

    channel_id: ChannelId
    key: str
    dialogue_id: DialogueId
    caller: str | None
    started_at: datetime
    ended_at: datetime | None
    connections: int
    outcome: str | None
    cost: int = 0

    @property
    def length(self) -> timedelta | None:
        """Return how long it took; None while it stands."""
        return self.ended_at - self.started_at if self.ended_at else None


class Calls:
    """Every method works within the caller's transaction."""

    async def begin(
        self,
        tx: Transaction,
        channel: Channel,
        key: str,
        *,
        caller: str | None,
        ticket: bytes,
        now: datetime,
        again: bool = False,
        notice_version: str | None = None,
    ) -> None:
        """Keep a call, or give one that stands a new ticket (the provider may ask twice).

        `again`: one that has ended is taken up again. `notice_version`: in which words it begins by telling the caller
        that their data is processed; None: it does not, and what it began with stands.
        """
        values = {
            "company_id": tx.company,
            "channel_id": channel.id,
            "key": key,
            "dialogue_id": dialogue_id_of(channel.id, key),
            "caller": caller,
            "ticket": ticket,
            "started_at": now,
            "notice_version": notice_version,
        }
        statement = insert(calls).values(values)
        changed: dict[str, object] = {"ticket": statement.excluded.ticket}
        if again:
            changed |= {"ended_at": None, "outcome": None}
        await tx.connection.execute(
            statement.on_conflict_do_update(index_elements=["company_id", "channel_id", "key"], set_=changed)
        )

    async def connect(self, tx: Transaction, channel: Channel, key: str, *, ticket: bytes) -> CallRecord | None:
        """Take the ticket and count a connection; None where it is none of this call's, or was taken already."""
        row = (
            (
                await tx.connection.execute(
                    update(calls)
                    .where(
                        calls.c.company_id == tx.company,
                        calls.c.channel_id == channel.id,
                        calls.c.key == key,
                        calls.c.ended_at.is_(None),
                        calls.c.ticket == ticket,
                    )
                    .values(ticket=None, connections=calls.c.connections + 1)
                    .returning(*calls.c)
                )
            )
            .mappings()
            .one_or_none()
        )
        return _record(row) if row is not None else None

    async def find(self, tx: Transaction, channel_id: ChannelId, key: str) -> CallRecord | None:
        """Return a call; None where there is none of this key."""
        rows = await tx.connection.execute(
            select(calls).where(calls.c.company_id == tx.company, calls.c.channel_id == channel_id, calls.c.key == key)
        )
        row = rows.mappings().one_or_none()
        return _record(row) if row is not None else None

    async def count_open(self, tx: Transaction, channel_id: ChannelId, *, since: datetime) -> int:
        """Count the calls that stand; one that began before `since` was lost without a word."""
        found = await tx.connection.scalar(
            select(func.count()).where(
                calls.c.company_id == tx.company,
                calls.c.channel_id == channel_id,
                calls.c.ended_at.is_(None),
                calls.c.started_at >= since,
            )
        )
        return int(found or 0)

    async def finish(
        self, tx: Transaction, channel_id: ChannelId, key: str, *, outcome: str, now: datetime
    ) -> CallRecord | None:
        """Say how a call ended, and return it; None where that is known already: the first word stands."""
        changed = await tx.connection.execute(
            update(calls)
            .where(
                calls.c.company_id == tx.company,
                calls.c.channel_id == channel_id,
                calls.c.key == key,
                calls.c.ended_at.is_(None),
            )
            .values(ended_at=now, outcome=outcome, ticket=None)
            .returning(*calls.c)
        )
        row = changed.mappings().one_or_none()
        return _record(row) if row is not None else None

    async def list_since(self, tx: Transaction, since: datetime, *, limit: int = 1000) -> Sequence[CallRecord]:
        """Return the calls since a moment with what their turns cost, the latest first."""
        cost = (
            select(func.coalesce(func.sum(turns.c.cost_microusd), 0))
            .where(turns.c.company_id == calls.c.company_id, turns.c.dialogue_id == calls.c.dialogue_id)
            .scalar_subquery()
        )
        rows = await tx.connection.execute(
            select(calls, cost.label("cost"))
            .where(calls.c.company_id == tx.company, calls.c.started_at >= since)
            .order_by(calls.c.started_at.desc())
            .limit(limit)
        )
        return [_record(row, cost=int(row["cost"])) for row in rows.mappings()]


def _record(row: RowMapping, *, cost: int = 0) -> CallRecord:
    return CallRecord(
        channel_id=ChannelId(row["channel_id"]),
        key=row["key"],
        dialogue_id=DialogueId(row["dialogue_id"]),
        caller=row["caller"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        connections=row["connections"],
        outcome=row["outcome"],
        cost=cost,
    )
