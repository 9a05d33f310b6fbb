"""What was written to whom unasked, and when: of each occasion one message, and of a week one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select, text
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

    async def last_counted(
        self, tx: Transaction, dialogue_ids: Sequence[DialogueId], kind: MessageKind
    ) -> datetime | None:
        """Return when a message last went into one of these dialogues that counts against one of this kind."""
        row = outreach_log.c
        # A time that was offered because the client had asked for one counts against the next offer, and nothing else.
        counted = or_(row.requested.is_(False), (row.kind == kind.value) & (row.kind == MessageKind.OFFER.value))
        found: datetime | None = await tx.connection.scalar(
            select(func.max(row.at)).where(row.company_id == tx.company, row.dialogue_id.in_(dialogue_ids), counted)
        )
        return found

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
