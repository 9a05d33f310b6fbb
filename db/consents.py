"""Clients' yes and no to being written to: each recorded by itself, with its moment, its words and its channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.outreach_models import consents
from db.outreach_records import Consent, ConsentKind
from db.records import DialogueId, new_id


class Consents:
    """Every method works within the caller's transaction."""

    async def add(self, tx: Transaction, dialogue_id: DialogueId, consent: Consent) -> None:
        """Record a yes or a no."""
        values = {
            "company_id": tx.company,
            "id": new_id(),
            "dialogue_id": dialogue_id,
            "channel": consent.channel,
            "kind": consent.kind.value,
            "wording_version": consent.wording_version,
            "given_at": consent.given_at,
            "refused_at": consent.refused_at,
        }
        await tx.connection.execute(insert(consents).values(values))

    async def list_of(self, tx: Transaction, dialogue_ids: Sequence[DialogueId]) -> Sequence[Consent]:
        """Return everything that the client of these dialogues said, the oldest first."""
        mine = (consents.c.company_id == tx.company, consents.c.dialogue_id.in_(dialogue_ids))
        rows = await tx.connection.execute(select(consents).where(*mine).order_by(consents.c.id))
        return [
            Consent(
                kind=ConsentKind(row["kind"]),
                channel=row["channel"],
                wording_version=row["wording_version"],
                given_at=row["given_at"],
                refused_at=row["refused_at"],
                withdrawn_at=row["withdrawn_at"],
            )
            for row in rows.mappings()
        ]

    async def withdraw(self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, now: datetime) -> None:
        """Withdraw every yes that these dialogues gave; the rows stay and show from when until when it held."""
        mine = (consents.c.company_id == tx.company, consents.c.dialogue_id.in_(dialogue_ids))
        standing = (consents.c.given_at.is_not(None), consents.c.withdrawn_at.is_(None))
        await tx.connection.execute(update(consents).where(*mine, *standing).values(withdrawn_at=now))
