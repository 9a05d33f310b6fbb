"""What the agent would say, kept until somebody of the staff sends it, says it in their own words, or lets it be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.records import DialogueId
from db.staff import StaffId
from db.staff_models import drafts


class DraftStatus(StrEnum):
    OPEN = "open"
    SENT = "sent"
    EDITED = "edited"
    """Staff said it in words of their own."""
    DROPPED = "dropped"
    STALE = "stale"
    """The client wrote on, and there is a newer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """`replies`: what would be sent, as in the outbox; `said`: how the history would have it."""

    id: UUID
    dialogue_id: DialogueId
    turn_id: UUID
    replies: Sequence[Mapping[str, Any]]
    said: Mapping[str, Any]
    status: DraftStatus = DraftStatus.OPEN


class Drafts:
    """Every method works within the caller's transaction."""

    async def put(self, tx: Transaction, draft: Draft, *, now: datetime) -> None:
        """Keep a draft; what was open in the dialogue before is stale."""
        await self.settle_open(tx, draft.dialogue_id, DraftStatus.STALE, now=now)
        values = {
            "company_id": tx.company,
            "id": draft.id,
            "dialogue_id": draft.dialogue_id,
            "turn_id": draft.turn_id,
            "replies": [dict(reply) for reply in draft.replies],
            "said": dict(draft.said),
            "made_at": now,
        }
        await tx.connection.execute(insert(drafts).values(values))

    async def find_open(self, tx: Transaction, id_: UUID) -> Draft | None:
        """Return a draft that still waits, locked; None where it was settled, or there is none."""
        found = await tx.connection.execute(
            select(drafts)
            .where(drafts.c.company_id == tx.company, drafts.c.id == id_, drafts.c.status == DraftStatus.OPEN.value)
            .with_for_update()
        )
        row = found.mappings().one_or_none()
        return _draft(row) if row is not None else None

    async def find_open_in(self, tx: Transaction, dialogue_id: DialogueId) -> Draft | None:
        """Return the draft that waits in a dialogue, to be looked at; None where none does."""
        found = await tx.connection.execute(
            select(drafts)
            .where(
                drafts.c.company_id == tx.company,
                drafts.c.dialogue_id == dialogue_id,
                drafts.c.status == DraftStatus.OPEN.value,
            )
            .order_by(drafts.c.made_at.desc())
            .limit(1)
        )
        row = found.mappings().one_or_none()
        return _draft(row) if row is not None else None

    async def settle(
        self, tx: Transaction, id_: UUID, status: DraftStatus, *, now: datetime, staff_id: StaffId | None
    ) -> None:
        """Say what became of a draft, and who decided it."""
        await tx.connection.execute(
            update(drafts)
            .where(drafts.c.company_id == tx.company, drafts.c.id == id_)
            .values(status=status.value, settled_at=now, staff_id=staff_id)
        )

    async def settle_open(
        self,
        tx: Transaction,
        dialogue_id: DialogueId,
        status: DraftStatus,
        *,
        now: datetime,
        staff_id: StaffId | None = None,
    ) -> int:
        """Say what became of those that wait in a dialogue; return how many did."""
        changed = await tx.connection.execute(
            update(drafts)
            .where(
                drafts.c.company_id == tx.company,
                drafts.c.dialogue_id == dialogue_id,
                drafts.c.status == DraftStatus.OPEN.value,
            )
            .values(status=status.value, settled_at=now, staff_id=staff_id)
        )
        return changed.rowcount


def _draft(row: RowMapping) -> Draft:
    return Draft(
        id=row["id"],
        dialogue_id=DialogueId(row["dialogue_id"]),
        turn_id=row["turn_id"],
        replies=row["replies"],
        said=row["said"],
        status=DraftStatus(row["status"]),
    )
