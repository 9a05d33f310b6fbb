"""What is remembered of a dialogue beyond its last turns, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.models import dialogue_memory, messages
from db.records import Author, DialogueId, HistoryMessage
from db.remembered import ClientMemory, PastVisit
from db.statements import Statement

_FIND = Statement(
    select(dialogue_memory).where(
        dialogue_memory.c.company_id == bindparam("company"), dialogue_memory.c.dialogue_id == bindparam("dialogue")
    )
)


class Memory:
    async def find(self, tx: Transaction, dialogue_id: DialogueId) -> ClientMemory | None:
        """Return what is remembered; None: nothing yet."""
        row = await tx.row(_FIND, company=tx.company, dialogue=dialogue_id)
        if row is None:
            return None
        visits = tuple(
            PastVisit(at=datetime.fromisoformat(one["at"]), services=tuple(one["services"]), staff=one["staff"])
            for one in row["visits"]
        )
        return ClientMemory(summary=row["summary"], covers_until=row["covers_until"], visits=visits)

    async def save(self, tx: Transaction, dialogue_id: DialogueId, memory: ClientMemory, *, now: datetime) -> None:
        values = {
            "summary": memory.summary,
            "covers_until": memory.covers_until,
            "visits": [
                {"at": one.at.isoformat(), "services": list(one.services), "staff": one.staff} for one in memory.visits
            ],
            "made_at": now,
        }
        statement = insert(dialogue_memory).values(company_id=tx.company, dialogue_id=dialogue_id, **values)
        await tx.connection.execute(
            statement.on_conflict_do_update(index_elements=["company_id", "dialogue_id"], set_=values)
        )

    async def list_unread(
        self, tx: Transaction, dialogue_id: DialogueId, *, after: UUID | None, limit: int
    ) -> Sequence[HistoryMessage]:
        """Return the dialogue's messages after one of them (None: from the first), the oldest first, without parts."""
        mine = [messages.c.company_id == tx.company, messages.c.dialogue_id == dialogue_id]
        if after is not None:
            # Ids grow with time.
            mine.append(messages.c.id > after)
        rows = await tx.connection.execute(select(messages).where(*mine).order_by(messages.c.id).limit(limit))
        return [
            HistoryMessage(
                id=row["id"], author=Author(row["author"]), text=row["text"], at=row["at"], turn_id=row["turn_id"]
            )
            for row in rows.mappings()
        ]
