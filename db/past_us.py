"""Under which names the updates are kept that tell what a business's own people wrote past us to its clients."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from db.engine import Transaction
from db.models import sessions
from db.records import ECHO, ChannelId, DialogueId, dialogue_id_of


async def list_past_us(tx: Transaction, dialogues: Sequence[DialogueId]) -> tuple[DialogueId, ...]:
    """Return those of these clients' dialogues; none of them need be there."""
    rows = await tx.connection.execute(
        select(sessions.c.channel_id, sessions.c.key, sessions.c.proved_phone).where(
            sessions.c.company_id == tx.company, sessions.c.id.in_(dialogues)
        )
    )
    # A messenger that knows no better names the client by the number.
    return tuple(
        dialogue_id_of(ChannelId(row.channel_id), f"{ECHO}{name}")
        for row in rows
        for name in (row.key, (row.proved_phone or "").removeprefix("+"))
        if name
    )
