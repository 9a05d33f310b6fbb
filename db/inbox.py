"""Accepted updates: processed in order, else put aside. db/intake.py stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY

from db.engine import Transaction
from db.errors import NotFound
from db.models import accepted_updates, update_keys
from db.records import (
    ChannelId,
    CompanyId,
    DialogueId,
    StoredUpdate,
    WorkKind,
)
from db.statements import Statement
from db.work import ring

KEEP_KEYS = timedelta(days=8)
"""WhatsApp repeats an update for 7 days."""
KEEP_DONE = timedelta(days=8)
_SWEEP_BATCH = 5000

_WAITING = Statement(
    select(accepted_updates)
    .where(
        accepted_updates.c.company_id == bindparam("company"),
        accepted_updates.c.dialogue_id == bindparam("dialogue"),
        accepted_updates.c.done_at.is_(None),
        accepted_updates.c.dead_at.is_(None),
    )
    .order_by(accepted_updates.c.accepted_at, accepted_updates.c.id)
    .limit(bindparam("most"))
)
_MARK_DONE = Statement(
    update(accepted_updates)
    .where(
        accepted_updates.c.company_id == bindparam("company"),
        accepted_updates.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    )
    .values(done_at=bindparam("now"), turn_id=bindparam("turn"))
)


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadUpdate:
    """An update that could not be processed, with the last error."""

    id: UUID
    company_id: CompanyId
    channel_id: ChannelId
    dialogue_id: DialogueId
    update_key: str
    attempts: int
    error: str
    accepted_at: datetime
    died_at: datetime


class Inbox:
    """The table `accepted_updates` and its dedup keys."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    async def list_waiting(self, tx: Transaction, dialogue_id: DialogueId, *, limit: int) -> Sequence[StoredUpdate]:
        """Return what a dialogue has waiting, in order of acceptance."""
        rows = await tx.rows(_WAITING, company=tx.company, dialogue=dialogue_id, most=limit)
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
                trace=row["trace"],
            )
            for row in rows
        ]

    async def mark_done(self, tx: Transaction, ids: Sequence[UUID], *, turn_id: UUID | None) -> None:
        """Say which turn has dealt with them."""
        if ids:
            await tx.run(_MARK_DONE, company=tx.company, ids=ids, now=self._clock(), turn=turn_id)

    async def record_failure(self, tx: Transaction, id_: UUID, error: str) -> None:
        """Keep why handling an update failed."""
        await self._change(tx, [id_], attempts=accepted_updates.c.attempts + 1, error=error)

    async def bury(self, tx: Transaction, id_: UUID, error: str | None, *, turn_id: UUID | None = None) -> None:
        """Put an update on the dead list.

        `error` None keeps the last one recorded; `turn_id` names the replies that tell the client so.
        """
        values: dict[str, Any] = {"dead_at": self._clock(), "turn_id": turn_id}
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

    async def sweep(self, tx: Transaction, *, now: datetime, keep_done: timedelta = KEEP_DONE) -> int:
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
            .where(table.c.company_id == tx.company, table.c.done_at < now - keep_done)
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
