"""What staff answered to clients who are late: one answer to each notice, the first."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.records import DialogueId
from db.role_models import late_answers


async def take_late_answer(
    tx: Transaction, notice_id: UUID, dialogue_id: DialogueId, *, answer: str, by: str, now: datetime
) -> str | None:
    """Keep the answer to a notice; return None, or the answer that it has already and that stands."""
    values = {
        "company_id": tx.company,
        "id": notice_id,
        "dialogue_id": dialogue_id,
        "answer": answer,
        "answered_by": by,
        "answered_at": now,
    }
    kept = await tx.connection.execute(insert(late_answers).values(values).on_conflict_do_nothing())
    if kept.rowcount == 1:
        return None
    standing: str | None = await tx.connection.scalar(
        select(late_answers.c.answer).where(late_answers.c.company_id == tx.company, late_answers.c.id == notice_id)
    )
    return standing
