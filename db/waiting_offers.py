"""Times that visits have left, and to whom of those who wait each was offered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, TextClause, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.booking_records import BookedAppointment
from db.engine import Transaction
from db.outreach_models import STANDING_OFFER, freed_times, waiting_list, waiting_offers
from db.outreach_records import STANDING, FreedOutcome, FreedTime, OfferOutcome, WaitingEntry, WaitingOffer
from db.records import NO_CHANNEL, NO_DIALOGUE, BranchId, DialogueId, WorkKind, new_id
from db.waiting_list import WaitingList, entry_of
from db.work import ring

_offer, _freed = waiting_offers.c, freed_times.c
_A_DAY = timedelta(days=1)


async def ring_waiting(tx: Transaction, *, due_at: datetime) -> None:
    """Ask that the company's freed times are looked into."""
    await ring(tx, dialogue_id=NO_DIALOGUE, channel_id=NO_CHANNEL, kind=WorkKind.WAITING, due_at=due_at)


class WaitingOffers:
    """Every method works within the caller's transaction."""

    async def free(
        self,
        tx: Transaction,
        branch_id: BranchId,
        *,
        source: str,
        staff_name: str,
        starts_at: datetime,
        duration: timedelta,
        now: datetime,
    ) -> bool:
        """Keep a time that a visit has left, where anybody waits for one of about that day, and ring for it.

        `source` names the CRM's record and the time that it left: the same one again is no news. Says whether it was.
        """
        day = starts_at.date()
        if starts_at <= now or not await WaitingList().anyone_waits(
            tx, branch_id, first=day - _A_DAY, last=day + _A_DAY
        ):
            return False
        values = {
            "company_id": tx.company,
            "id": new_id(),
            "branch_id": branch_id,
            "source": source,
            "staff_name": staff_name,
            "starts_at": starts_at,
            "duration_s": round(duration.total_seconds()),
            "created_at": now,
        }
        kept = await tx.connection.execute(insert(freed_times).values(values).on_conflict_do_nothing())
        if kept.rowcount == 0:
            return False
        await ring_waiting(tx, due_at=now)
        return True

    async def list_freed(self, tx: Transaction, *, limit: int) -> Sequence[FreedTime]:
        """Return freed times that stand offered to nobody just now, the oldest first."""
        standing = exists().where(_offer.company_id == tx.company, _offer.freed_id == _freed.id, STANDING_OFFER)
        rows = await tx.connection.execute(
            select(freed_times)
            .where(_freed.company_id == tx.company, _freed.closed_at.is_(None), ~standing)
            .order_by(_freed.id)
            .limit(limit)
        )
        return [_freed_of(row) for row in rows.mappings()]

    async def close(self, tx: Transaction, freed_id: UUID, outcome: FreedOutcome, *, now: datetime) -> None:
        """Say what became of a freed time; an earlier word stands."""
        mine = (_freed.company_id == tx.company, _freed.id == freed_id, _freed.closed_at.is_(None))
        await tx.connection.execute(update(freed_times).where(*mine).values(closed_at=now, outcome=outcome.value))

    async def is_free(self, tx: Transaction, freed_id: UUID) -> bool:
        """Say whether a freed time is open still, and offered to nobody just now."""
        standing = exists().where(_offer.company_id == tx.company, _offer.freed_id == _freed.id, STANDING_OFFER)
        mine = (_freed.company_id == tx.company, _freed.id == freed_id, _freed.closed_at.is_(None))
        return await tx.connection.scalar(select(_freed.id).where(*mine, ~standing)) is not None

    async def add(self, tx: Transaction, offer: WaitingOffer) -> None:
        """Keep an offer. Raises IntegrityError for one that stands beside another of the same time or client."""
        values = {
            "company_id": tx.company,
            "id": offer.id,
            "freed_id": offer.freed_id,
            "entry_id": offer.entry.id,
            "dialogue_id": offer.entry.dialogue_id,
            "staff_id": offer.staff_id,
            "starts_at": offer.starts_at,
            "offered_at": offer.offered_at,
            "expires_at": offer.expires_at,
            "outcome": offer.outcome.value,
        }
        await tx.connection.execute(insert(waiting_offers).values(values))

    async def find(self, tx: Transaction, offer_id: UUID, dialogue_ids: Sequence[DialogueId]) -> WaitingOffer | None:
        """Return an offer that was made to one of these dialogues."""
        found = await self._read(tx, _offer.id == offer_id, _offer.dialogue_id.in_(dialogue_ids))
        return found[0] if found else None

    async def list_overdue(self, tx: Transaction, *, now: datetime) -> Sequence[WaitingOffer]:
        """Return standing offers whose time is up."""
        return await self._read(tx, STANDING_OFFER, _offer.expires_at <= now)

    async def settle(
        self, tx: Transaction, offer_id: UUID, outcome: OfferOutcome, *, until: datetime | None = None
    ) -> bool:
        """Say what became of a standing offer; `until`: it stands on, to this moment. False: it stood no more."""
        changed = await tx.connection.execute(
            update(waiting_offers)
            .where(
                _offer.company_id == tx.company,
                _offer.id == offer_id,
                _offer.outcome.in_([one.value for one in STANDING]),
            )
            .values(outcome=outcome.value, **({"expires_at": until} if until is not None else {}))
        )
        return changed.rowcount == 1

    async def settle_of(self, tx: Transaction, entries: Sequence[UUID], outcome: OfferOutcome) -> None:
        """Say the same of whatever stands offered to these entries."""
        mine = (_offer.company_id == tx.company, _offer.entry_id.in_(entries), STANDING_OFFER)
        await tx.connection.execute(update(waiting_offers).where(*mine).values(outcome=outcome.value))

    async def next_due(self, tx: Transaction) -> datetime | None:
        """Return when the first standing offer is over."""
        mine = (_offer.company_id == tx.company, STANDING_OFFER)
        due: datetime | None = await tx.connection.scalar(select(func.min(_offer.expires_at)).where(*mine))
        return due

    async def _read(self, tx: Transaction, *conditions: ColumnElement[bool] | TextClause) -> list[WaitingOffer]:
        other = waiting_offers.alias()
        passed_on = exists().where(
            other.c.company_id == tx.company,
            other.c.freed_id == _offer.freed_id,
            other.c.id != _offer.id,
            other.c.outcome.in_([*(one.value for one in STANDING), OfferOutcome.BOOKED.value]),
        )
        entry = waiting_list.c
        rows = await tx.connection.execute(
            select(
                waiting_list,
                _offer.id.label("offer_id"),
                _offer.freed_id,
                _offer.staff_id.label("slot_staff_id"),
                _offer.starts_at,
                _offer.offered_at,
                _offer.expires_at,
                _offer.outcome,
                passed_on.label("passed_on"),
            )
            .join(waiting_list, (entry.company_id == _offer.company_id) & (entry.id == _offer.entry_id))
            .where(_offer.company_id == tx.company, *conditions)
            .order_by(_offer.id)
        )
        return [_offer_of(row, entry_of(row)) for row in rows.mappings()]


def _freed_of(row: RowMapping) -> FreedTime:
    return FreedTime(
        id=row["id"],
        branch_id=BranchId(row["branch_id"]),
        staff_name=row["staff_name"],
        starts_at=row["starts_at"],
        duration=timedelta(seconds=row["duration_s"]),
        closed_at=row["closed_at"],
    )


def _offer_of(row: RowMapping, entry: WaitingEntry) -> WaitingOffer:
    return WaitingOffer(
        id=row["offer_id"],
        freed_id=row["freed_id"],
        entry=entry,
        staff_id=row["slot_staff_id"],
        starts_at=row["starts_at"],
        offered_at=row["offered_at"],
        expires_at=row["expires_at"],
        outcome=OfferOutcome(row["outcome"]),
        passed_on=row["passed_on"],
    )


async def free_time(
    tx: Transaction,
    branch_id: BranchId,
    record_id: str,
    *,
    staff_name: str,
    starts_at: datetime,
    duration: timedelta,
    now: datetime,
) -> bool:
    """Keep the time that a record of the CRM, whoever made it, stood at and has left."""
    source = f"{record_id} {starts_at.astimezone(UTC).isoformat()}"
    return await WaitingOffers().free(
        tx, branch_id, source=source, staff_name=staff_name, starts_at=starts_at, duration=duration, now=now
    )


async def free_visit(tx: Transaction, was: BookedAppointment, *, now: datetime) -> bool:
    """Keep the time that this appointment stood at and has left."""
    return await free_time(
        tx,
        was.branch_id,
        was.crm_record_id,
        staff_name=was.staff_name,
        starts_at=was.starts_at,
        duration=was.duration,
        now=now,
    )
