"""What was written to whom unasked, and when: of each occasion one message, and of a week one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.outreach_models import outreach_log
from db.outreach_records import MessageKind
from db.records import DialogueId, new_id

_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('outreach ' || CAST(:company AS text), 0))")


class OutreachLog:
    """Every method works within the caller's transaction."""

    async def take_turns(self, tx: Transaction) -> None:
        """Let nobody else write to this company's clients unasked before the transaction ends.

        Two jobs that look at one client's week at the same moment would each find it free.
        """
        await tx.connection.execute(_IN_TURN, {"company": str(tx.company)})

    async def last_unrequested(self, tx: Transaction, dialogue_ids: Sequence[DialogueId]) -> datetime | None:
        """Return when a message that they had not asked for last went into one of these dialogues."""
        row = outreach_log.c
        found: datetime | None = await tx.connection.scalar(
            select(func.max(row.at)).where(
                row.company_id == tx.company, row.dialogue_id.in_(dialogue_ids), row.requested.is_(False)
            )
        )
        return found

    async def was_sent(self, tx: Transaction, kind: MessageKind, subject: str) -> bool:
        """Say whether this was written already."""
        row = outreach_log.c
        mine = (row.company_id == tx.company, row.kind == kind.value, row.subject == subject)
        return await tx.connection.scalar(select(row.id).where(*mine)) is not None

    async def add(
        self,
        tx: Transaction,
        dialogue_id: DialogueId,
        kind: MessageKind,
        subject: str,
        *,
        requested: bool,
        now: datetime,
    ) -> bool:
        """Keep that a message goes out with this transaction; False: it went before, and must not again."""
        values = {
            "company_id": tx.company,
            "id": new_id(),
            "dialogue_id": dialogue_id,
            "kind": kind.value,
            "subject": subject,
            "requested": requested,
            "at": now,
        }
        kept = await tx.connection.execute(insert(outreach_log).values(values).on_conflict_do_nothing())
        return kept.rowcount == 1
