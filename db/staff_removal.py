"""The end of somebody's access: their place, and what would still be shown to them in their own chat with the bot."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update

from db.engine import Transaction
from db.models import branches
from db.outbox_models import replies
from db.records import Author, DeliveryStatus
from db.staff import Staff, StaffId, StaffMember
from db.staff_models import handover_threads


async def end_access(
    tx: Transaction, staff: Staff, id_: StaffId, *, now: datetime
) -> tuple[StaffMember, Sequence[str]]:
    """Dismiss a member, and let nothing more reach them; return them, and the branches whose staff chat was theirs.

    What companies' processes keep is to be told of after the commit. Raises NotFound.
    """
    member = await staff.dismiss(tx, id_, now=now)
    if member.telegram_user_id is None:
        return member, ()
    chat = str(member.telegram_user_id)
    key = f"{chat}:{chat}:"
    left = await tx.connection.execute(
        update(branches)
        .where(branches.c.company_id == tx.company, branches.c.staff_chat == chat)
        .values(staff_chat=None)
        .returning(branches.c.key)
    )
    # What they were shown of clients is shown nowhere now, until those clients are handed over again.
    await tx.connection.execute(
        update(handover_threads)
        .where(handover_threads.c.company_id == tx.company, handover_threads.c.staff_key == key)
        .values(bot_channel_id=None, staff_key=None, staff_dialogue_id=None, topic_id=None)
    )
    await tx.connection.execute(
        update(replies)
        .where(
            replies.c.company_id == tx.company,
            replies.c.dialogue_key == key,
            replies.c.status == DeliveryStatus.WAITING.value,
            replies.c.author == Author.SYSTEM.value,
        )
        .values(status=DeliveryStatus.DROPPED.value, error="dismissed before it was sent")
    )
    return member, sorted(left.scalars())
