"""Who waits for a time that becomes free, in the order in which they asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import RowMapping, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.outreach_models import STANDING_OFFER, waiting_list, waiting_offers
from db.outreach_records import WaitingEntry, WaitingStatus
from db.records import BranchId, DialogueId

_row = waiting_list.c
_WAITS = _row.status == WaitingStatus.WAITING.value


class WaitingList:
    """Every method works within the caller's transaction."""

    async def add(self, tx: Transaction, entry: WaitingEntry) -> None:
        """Put a client at the end of the list; the same entry again changes nothing."""
        values = {
            "company_id": tx.company,
            "id": entry.id,
            "branch_id": entry.branch_id,
            "dialogue_id": entry.dialogue_id,
            "service_ids": list(entry.service_ids),
            "service_names": list(entry.service_names),
            "staff_id": entry.staff_id,
            "staff_name": entry.staff_name,
            "first_day": entry.first_day,
            "last_day": entry.last_day,
            "earliest": entry.earliest,
            "latest": entry.latest,
            "status": entry.status.value,
            "created_at": entry.created_at,
            "asked_at": entry.asked_at,
        }
        await tx.connection.execute(insert(waiting_list).values(values).on_conflict_do_nothing())

    async def list_of(self, tx: Transaction, dialogue_ids: Sequence[DialogueId]) -> Sequence[WaitingEntry]:
        """Return what these dialogues wait for, the oldest first."""
        mine = (_row.company_id == tx.company, _row.dialogue_id.in_(dialogue_ids), _WAITS)
        rows = await tx.connection.execute(select(waiting_list).where(*mine).order_by(_row.id))
        return [entry_of(row) for row in rows.mappings()]

    async def list_in_line(
        self, tx: Transaction, freed_id: UUID, branch_id: BranchId, day: date, *, limit: int
    ) -> Sequence[WaitingEntry]:
        """Return who waits for a time of this day at this branch, in order.

        Left out are those whom this time was offered to already, and those whom another one stands offered to.
        """
        of_entry = (waiting_offers.c.company_id == tx.company, waiting_offers.c.entry_id == _row.id)
        offered = exists().where(*of_entry, (waiting_offers.c.freed_id == freed_id) | STANDING_OFFER)
        rows = await tx.connection.execute(
            select(waiting_list)
            .where(
                _row.company_id == tx.company,
                _row.branch_id == branch_id,
                _row.first_day <= day,
                _row.last_day >= day,
                _WAITS,
                ~offered,
            )
            .order_by(_row.id)
            .limit(limit)
        )
        return [entry_of(row) for row in rows.mappings()]

    async def lock(self, tx: Transaction, entry_id: UUID) -> WaitingEntry | None:
        """Return an entry that nobody closes or erases before the transaction ends; None where it waits no more."""
        mine = (_row.company_id == tx.company, _row.id == entry_id, _WAITS)
        found = (await tx.connection.execute(select(waiting_list).where(*mine).with_for_update())).mappings().first()
        return entry_of(found) if found is not None else None

    async def ask_again(self, tx: Transaction, entry_id: UUID, *, now: datetime) -> None:
        """Say that the client asked to be told of the next time."""
        mine = (_row.company_id == tx.company, _row.id == entry_id, _WAITS)
        await tx.connection.execute(update(waiting_list).where(*mine).values(asked_at=now))

    async def close(self, tx: Transaction, status: WaitingStatus, *, now: datetime, entries: Sequence[UUID]) -> None:
        """Say why these wait no more."""
        mine = (_row.company_id == tx.company, _row.id.in_(entries), _WAITS)
        await tx.connection.execute(update(waiting_list).where(*mine).values(status=status.value, closed_at=now))

    async def close_of(self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, now: datetime) -> None:
        """Take everything off the list that these dialogues wait for."""
        mine = (_row.company_id == tx.company, _row.dialogue_id.in_(dialogue_ids), _WAITS)
        left = {"status": WaitingStatus.LEFT.value, "closed_at": now}
        await tx.connection.execute(update(waiting_list).where(*mine).values(left))

    async def close_over(self, tx: Transaction, before: date, *, now: datetime) -> None:
        """Close what waited for days that are past."""
        mine = (_row.company_id == tx.company, _row.last_day < before, _WAITS)
        over = {"status": WaitingStatus.OVER.value, "closed_at": now}
        await tx.connection.execute(update(waiting_list).where(*mine).values(over))

    async def anyone_waits(self, tx: Transaction, branch_id: BranchId, *, first: date, last: date) -> bool:
        """Say whether anybody waits for a time between these days."""
        mine = (_row.company_id == tx.company, _row.branch_id == branch_id, _WAITS)
        found = await tx.connection.scalar(
            select(_row.id).where(*mine, _row.first_day <= last, _row.last_day >= first).limit(1)
        )
        return found is not None

    async def count_offers(self, tx: Transaction, entry: WaitingEntry) -> int:
        """Return how many times were offered to the client since they last asked to be told."""
        offers = waiting_offers.c
        mine = (offers.company_id == tx.company, offers.entry_id == entry.id, offers.offered_at > entry.asked_at)
        return int(await tx.connection.scalar(select(func.count()).select_from(waiting_offers).where(*mine)) or 0)


def entry_of(row: RowMapping) -> WaitingEntry:
    """Read a row of `waiting_list`."""
    return WaitingEntry(
        id=row["id"],
        branch_id=BranchId(row["branch_id"]),
        dialogue_id=DialogueId(row["dialogue_id"]),
        service_ids=tuple(row["service_ids"]),
        service_names=tuple(row["service_names"]),
        staff_id=row["staff_id"],
        staff_name=row["staff_name"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        earliest=row["earliest"],
        latest=row["latest"],
        created_at=row["created_at"],
        asked_at=row["asked_at"],
        status=WaitingStatus(row["status"]),
    )
