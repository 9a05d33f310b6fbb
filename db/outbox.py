"""Replies on their way out: put with the turn's own commit, sent in order within a dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import cast, exists, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from db.engine import Transaction
from db.models import replies, sessions
from db.records import ChannelId, DeliveryStatus, Dialogue, DialogueId, OutgoingReply, WorkKind, new_id
from db.work import ring


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class Outbox:
    """The table `replies`."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    async def put(
        self, tx: Transaction, dialogue: Dialogue, payloads: Sequence[Mapping[str, Any]], *, turn_id: UUID | None
    ) -> None:
        """Keep replies in order and ring the dialogue's delivery, within the caller's transaction."""
        if not payloads:
            return
        rows = [
            {
                "company_id": tx.company,
                "id": new_id(),
                "dialogue_id": dialogue.id,
                "channel_id": dialogue.channel_id,
                "dialogue_key": dialogue.key,
                "turn_id": turn_id,
                "payload": dict(payload),
            }
            for payload in payloads
        ]
        await tx.connection.execute(insert(replies), rows)
        await ring(
            tx,
            dialogue_id=dialogue.id,
            channel_id=dialogue.channel_id,
            kind=WorkKind.DELIVERY,
            due_at=self._clock(),
        )

    async def list_waiting(self, tx: Transaction, dialogue_id: DialogueId, *, limit: int) -> Sequence[OutgoingReply]:
        """Return what waits in a dialogue, the oldest first."""
        rows = await tx.connection.execute(
            select(replies)
            .where(
                replies.c.company_id == tx.company,
                replies.c.dialogue_id == dialogue_id,
                replies.c.status == DeliveryStatus.WAITING.value,
            )
            .order_by(replies.c.id)
            .limit(limit)
        )
        return [
            OutgoingReply(
                id=row["id"],
                dialogue_id=DialogueId(row["dialogue_id"]),
                channel_id=ChannelId(row["channel_id"]),
                dialogue_key=row["dialogue_key"],
                payload=row["payload"],
                attempts=row["attempts"],
                status=DeliveryStatus(row["status"]),
                sent_parts=row["sent_parts"],
            )
            for row in rows.mappings()
        ]

    async def mark_part_sent(self, tx: Transaction, id_: UUID, message_id: str) -> None:
        """Say that the messenger took one more piece, under this id of its own."""
        await self._change(
            tx,
            id_,
            sent_parts=replies.c.sent_parts + 1,
            channel_message_ids=replies.c.channel_message_ids.op("||")(cast(func.to_jsonb(message_id), JSONB)),
        )

    async def mark_sent(self, tx: Transaction, id_: UUID) -> None:
        """Say that the whole reply is out."""
        await self._change(tx, id_, status=DeliveryStatus.SENT.value, sent_at=self._clock())

    async def mark_retry(self, tx: Transaction, id_: UUID, error: str) -> None:
        """Say that a try failed; the reply still waits."""
        await self._change(tx, id_, attempts=replies.c.attempts + 1, error=error[:500])

    async def mark_failed(self, tx: Transaction, id_: UUID, error: str) -> None:
        """Give the reply up: it can never be delivered."""
        await self._change(tx, id_, status=DeliveryStatus.FAILED.value, error=error[:500])

    async def fail_unreachable(self, tx: Transaction, dialogue_id: DialogueId, error: str) -> int:
        """Give up all that waits where the dialogue is marked as unreachable; return how many that were.

        One statement, so that a turn that takes the mark back and puts its reply is seen whole or not at all.
        """
        marked = exists().where(
            sessions.c.company_id == replies.c.company_id,
            sessions.c.id == replies.c.dialogue_id,
            sessions.c.unreachable_at.is_not(None),
        )
        changed = await tx.connection.execute(
            update(replies)
            .where(
                replies.c.company_id == tx.company,
                replies.c.dialogue_id == dialogue_id,
                replies.c.status == DeliveryStatus.WAITING.value,
                marked,
            )
            .values(status=DeliveryStatus.FAILED.value, error=error[:500])
        )
        return changed.rowcount

    async def _change(self, tx: Transaction, id_: UUID, **values: Any) -> None:
        await tx.connection.execute(
            update(replies).where(replies.c.company_id == tx.company, replies.c.id == id_).values(values)
        )
