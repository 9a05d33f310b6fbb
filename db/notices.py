"""The words in which clients were told that their data is processed, by version, and which callers were told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from db.call_models import calls
from db.engine import Transaction
from db.privacy_models import notice_wordings
from db.records import ChannelId


class Notices:
    """Every method works within the caller's transaction."""

    async def keep_wording(self, tx: Transaction, *, version: str, text: str, now: datetime) -> None:
        """Keep the words of a version, so that it can be shown later what a client was told."""
        values = {"company_id": tx.company, "version": version, "text": text, "first_used_at": now}
        await tx.connection.execute(insert(notice_wordings).values(values).on_conflict_do_nothing())

    async def was_told(self, tx: Transaction, channel_id: ChannelId, caller: str, *, call: str) -> bool:
        """Say whether somebody with this number was told in another call of the channel than this one."""
        found = await tx.connection.scalar(
            select(calls.c.key)
            .where(
                calls.c.company_id == tx.company,
                calls.c.channel_id == channel_id,
                calls.c.caller == caller,
                calls.c.key != call,
                calls.c.notice_version.is_not(None),
            )
            .limit(1)
        )
        return found is not None
