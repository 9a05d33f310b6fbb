"""Who is not of the staff and asks in their chat is told so, and not again for a time: nobody floods a group."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.records import DialogueId
from db.role_models import strangers_told

TOLD_EVERY = timedelta(hours=1)


async def may_tell_stranger(tx: Transaction, chat: DialogueId, *, now: datetime) -> bool:
    """Say whether strangers in this chat may be told (again) that nothing is done for them, and count it as told."""
    row = {"company_id": tx.company, "staff_dialogue_id": chat, "told_at": now}
    told = (
        insert(strangers_told)
        .values(row)
        .on_conflict_do_update(
            index_elements=["company_id", "staff_dialogue_id"],
            set_={"told_at": now},
            where=strangers_told.c.told_at <= now - TOLD_EVERY,
        )
    )
    return (await tx.connection.execute(told)).rowcount == 1
