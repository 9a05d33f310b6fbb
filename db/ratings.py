"""Of which visits clients were asked how they were, and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.outreach_models import ratings
from db.outreach_records import ASKED, Rating
from db.records import BranchId, DialogueId

_row = ratings.c


class Ratings:
    """Every method works within the caller's transaction."""

    async def list_decided(self, tx: Transaction, visits: Sequence[str]) -> frozenset[str]:
        """Return those of the visits of which it is decided already whether their client is asked."""
        rows = await tx.connection.scalars(
            select(_row.visit).where(_row.company_id == tx.company, _row.visit.in_(visits))
        )
        return frozenset(rows)

    async def decide(self, tx: Transaction, rating: Rating, *, now: datetime) -> bool:
        """Keep whether the client of a visit is asked; False: that was decided before."""
        values = {
            "company_id": tx.company,
            "id": rating.id,
            "visit": rating.visit,
            "dialogue_id": rating.dialogue_id,
            "branch_id": rating.branch_id,
            "service_names": list(rating.service_names),
            "staff_name": rating.staff_name,
            "starts_at": rating.starts_at,
            "outcome": rating.outcome,
            "asked_at": now,
        }
        kept = await tx.connection.execute(insert(ratings).values(values).on_conflict_do_nothing())
        return kept.rowcount == 1

    async def find(self, tx: Transaction, id_: UUID, dialogue_ids: Sequence[DialogueId]) -> Rating | None:
        """Return what the client of these dialogues was asked of."""
        mine = (_row.company_id == tx.company, _row.id == id_, _row.dialogue_id.in_(dialogue_ids))
        found = await tx.connection.execute(select(ratings).where(*mine, _row.outcome == ASKED))
        row = found.mappings().first()
        return _rating_of(row) if row is not None else None

    async def rate(self, tx: Transaction, id_: UUID, stars: int, *, now: datetime) -> None:
        """Keep what the client gave; the first word stands."""
        mine = (_row.company_id == tx.company, _row.id == id_, _row.stars.is_(None))
        await tx.connection.execute(update(ratings).where(*mine).values(stars=stars, rated_at=now))

    async def explain(self, tx: Transaction, id_: UUID, comment: str) -> None:
        """Keep what the client said was wrong."""
        mine = (_row.company_id == tx.company, _row.id == id_)
        await tx.connection.execute(update(ratings).where(*mine).values(comment=comment))

    async def find_open(self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, since: datetime) -> Rating | None:
        """Return the latest visit of which they were asked since then and have not answered."""
        mine = (_row.company_id == tx.company, _row.dialogue_id.in_(dialogue_ids), _row.outcome == ASKED)
        found = await tx.connection.execute(
            select(ratings)
            .where(*mine, _row.stars.is_(None), _row.asked_at >= since)
            .order_by(_row.asked_at.desc())
            .limit(1)
        )
        row = found.mappings().first()
        return _rating_of(row) if row is not None else None


def _rating_of(row: RowMapping) -> Rating:
    return Rating(
        id=row["id"],
        visit=row["visit"],
        dialogue_id=DialogueId(row["dialogue_id"]),
        branch_id=BranchId(row["branch_id"]),
        service_names=tuple(row["service_names"]),
        staff_name=row["staff_name"],
        starts_at=row["starts_at"],
        outcome=row["outcome"],
        stars=row["stars"],
    )
