"""Accepted updates: stored once before the messenger hears yes, processed in order, else put aside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import bindparam, delete, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, TIMESTAMP
from sqlalchemy.types import Text, Uuid

from db.doorbell import Doorbell
from db.engine import Database, Transaction
from db.errors import NotFound
from db.models import accepted_updates, update_keys
from db.records import (
    Accepted,
    Channel,
    ChannelId,
    CompanyId,
    DeadUpdate,
    DialogueId,
    StoredUpdate,
    WorkKind,
    dialogue_id_of,
    new_id,
)
from db.work import ring

KEEP_KEYS = timedelta(days=8)
"""WhatsApp repeats an update for 7 days."""
KEEP_DONE = timedelta(days=8)
_SWEEP_BATCH = 5000

_moments = ARRAY(TIMESTAMP(timezone=True))
_ACCEPT = text(
    "SELECT ai_admin_accept(:company_ids, :channel_ids, :dialogue_ids, :ids, :dialogue_keys, :update_keys, :payloads,"
    " :accepted_at, :due_at)"
).bindparams(
    bindparam("company_ids", type_=ARRAY(Uuid)),
    bindparam("channel_ids", type_=ARRAY(Uuid)),
    bindparam("dialogue_ids", type_=ARRAY(Uuid)),
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("dialogue_keys", type_=ARRAY(Text)),
    bindparam("update_keys", type_=ARRAY(Text)),
    bindparam("payloads", type_=ARRAY(BYTEA)),
    bindparam("accepted_at", type_=_moments),
    bindparam("due_at", type_=_moments),
)


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class Inbox:
    """The table `accepted_updates` and its dedup keys."""

    def __init__(self, database: Database, clock: _Clock, doorbell: Doorbell) -> None:
        self._database = database
        self._clock = clock
        self._doorbell = doorbell

    async def accept(self, channel: Channel, updates: Sequence[Accepted], *, quiet: timedelta) -> int:
        """Store updates, ring their dialogues' work, commit; return how many were new.

        `quiet`: how long the dialogue's turn waits for the rest of a burst. Raises DatabaseUnavailable: then nothing
        was stored.
        """
        if not updates:
            return 0
        now = self._clock()
        many = len(updates)
        async with self._database.intake() as tx:
            new = await tx.connection.scalar(
                _ACCEPT,
                {
                    "company_ids": [channel.company_id] * many,
                    "channel_ids": [channel.id] * many,
                    "dialogue_ids": [dialogue_id_of(channel.id, one.dialogue_key) for one in updates],
                    "ids": [new_id() for _ in updates],
                    "dialogue_keys": [one.dialogue_key for one in updates],
                    "update_keys": [one.update_key for one in updates],
                    "payloads": [one.payload for one in updates],
                    "accepted_at": [now] * many,
                    "due_at": [now if one.urgent else now + quiet for one in updates],
                },
            )
        if new:
            await self._doorbell.ring()
        return int(new or 0)

    async def list_waiting(self, tx: Transaction, dialogue_id: DialogueId, *, limit: int) -> Sequence[StoredUpdate]:
        """Return what a dialogue has waiting, in order of acceptance."""
        table = accepted_updates
        rows = await tx.connection.execute(
            select(table)
            .where(
                table.c.company_id == tx.company,
                table.c.dialogue_id == dialogue_id,
                table.c.done_at.is_(None),
                table.c.dead_at.is_(None),
            )
            .order_by(table.c.accepted_at, table.c.id)
            .limit(limit)
        )
        return [
            StoredUpdate(
                id=row["id"],
                company_id=CompanyId(row["company_id"]),
                channel_id=ChannelId(row["channel_id"]),
                dialogue_id=DialogueId(row["dialogue_id"]),
                dialogue_key=row["dialogue_key"],
                update_key=row["update_key"],
                payload=row["payload"],
                accepted_at=row["accepted_at"],
                attempts=row["attempts"],
            )
            for row in rows.mappings()
        ]

    async def mark_done(self, tx: Transaction, ids: Sequence[UUID], *, turn_id: UUID | None) -> None:
        """Say which turn has dealt with them."""
        if ids:
            await self._change(tx, ids, done_at=self._clock(), turn_id=turn_id)

    async def record_failure(self, tx: Transaction, id_: UUID, error: str) -> None:
        """Keep why handling an update failed."""
        await self._change(tx, [id_], attempts=accepted_updates.c.attempts + 1, error=error)

    async def bury(self, tx: Transaction, id_: UUID, error: str | None) -> None:
        """Put an update on the dead list; `error` None keeps the last one recorded."""
        values: dict[str, Any] = {"dead_at": self._clock()}
        if error is not None:
            values["error"] = error
        await self._change(tx, [id_], **values)

    async def list_dead(self, tx: Transaction) -> Sequence[DeadUpdate]:
        """Return the company's dead updates, the latest first."""
        table = accepted_updates
        rows = await tx.connection.execute(
            select(table)
            .where(table.c.company_id == tx.company, table.c.dead_at.is_not(None))
            .order_by(table.c.id.desc())
            .limit(1000)
        )
        return [
            DeadUpdate(
                id=row["id"],
                company_id=CompanyId(row["company_id"]),
                channel_id=ChannelId(row["channel_id"]),
                dialogue_id=DialogueId(row["dialogue_id"]),
                update_key=row["update_key"],
                attempts=row["attempts"],
                error=row["error"] or "",
                accepted_at=row["accepted_at"],
                died_at=row["dead_at"],
            )
            for row in rows.mappings()
        ]

    async def retry_dead(self, tx: Transaction, id_: UUID) -> None:
        """Put a dead update back and ring its dialogue. Raises NotFound."""
        table = accepted_updates
        row = (
            await tx.connection.execute(
                update(table)
                .where(table.c.company_id == tx.company, table.c.id == id_, table.c.dead_at.is_not(None))
                .values(dead_at=None, attempts=0)
                .returning(table.c.dialogue_id, table.c.channel_id)
            )
        ).first()
        if row is None:
            raise NotFound(f"there is no dead update {id_}")
        await ring(
            tx,
            dialogue_id=DialogueId(row.dialogue_id),
            channel_id=ChannelId(row.channel_id),
            kind=WorkKind.TURN,
            due_at=self._clock(),
        )

    async def drop_dead(self, tx: Transaction, id_: UUID) -> None:
        """Delete a dead update for good. Raises NotFound."""
        table = accepted_updates
        result = await tx.connection.execute(
            delete(table).where(table.c.company_id == tx.company, table.c.id == id_, table.c.dead_at.is_not(None))
        )
        if result.rowcount == 0:
            raise NotFound(f"there is no dead update {id_}")

    async def sweep(self, tx: Transaction, *, now: datetime) -> int:
        """Delete a bounded batch of dedup keys and processed updates past their time; return how many went."""
        keys = (
            select(update_keys.c.channel_id, update_keys.c.update_key)
            .where(update_keys.c.company_id == tx.company, update_keys.c.accepted_at < now - KEEP_KEYS)
            .limit(_SWEEP_BATCH)
        )
        old_keys = await tx.connection.execute(
            delete(update_keys).where(
                update_keys.c.company_id == tx.company,
                tuple_(update_keys.c.channel_id, update_keys.c.update_key).in_(keys),
            )
        )
        table = accepted_updates
        done = (
            select(table.c.id)
            .where(table.c.company_id == tx.company, table.c.done_at < now - KEEP_DONE)
            .limit(_SWEEP_BATCH)
        )
        old_updates = await tx.connection.execute(
            delete(table).where(table.c.company_id == tx.company, table.c.id.in_(done))
        )
        return old_keys.rowcount + old_updates.rowcount

    async def _change(self, tx: Transaction, ids: Sequence[UUID], **values: Any) -> None:
        table = accepted_updates
        await tx.connection.execute(
            update(table).where(table.c.company_id == tx.company, table.c.id.in_(ids)).values(values)
        )
