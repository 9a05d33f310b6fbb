"""Times that are being booked, claimed before the CRM is called: the database itself keeps two from claiming one.

A time is claimed in cells of five minutes under one primary key, so that overlapping times meet as equal ones do, over
all channels, processes and hosts. A claim expires: what nobody finishes blocks nobody for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from db.booking_models import intents, slot_claims
from db.booking_records import StaffTime
from db.engine import Transaction
from db.records import BranchId
from db.statements import Statement

CELL = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SWEEP_BATCH = 1000

_ROW = slot_claims.c
_KEY = (_ROW.company_id, _ROW.branch_id, _ROW.staff_id, _ROW.cell)
_CLAIMED = Statement(
    select(_ROW.staff_id, func.min(_ROW.cell).label("begin"), func.max(_ROW.cell).label("last"))
    .where(
        _ROW.company_id == bindparam("company"),
        _ROW.branch_id == bindparam("branch"),
        _ROW.cell > bindparam("after"),
        _ROW.cell < bindparam("before"),
        _ROW.expires_at > bindparam("now"),
    )
    .group_by(_ROW.staff_id, _ROW.intent_id)
)


def cells_of(time: StaffTime) -> list[datetime]:
    """Return the beginnings of all cells that a time touches, in order; one without a length touches one."""
    first = (time.starts_at - _EPOCH) // CELL
    end = -((_EPOCH - time.starts_at - time.duration) // CELL)
    return [_EPOCH + CELL * number for number in range(first, max(end, first + 1))]


class SlotClaims:
    """The table `slot_claims`, within the caller's transaction.

    Whoever changes several cells locks them in one order, so that no two callers wait for each other in a ring.
    """

    async def take(
        self,
        tx: Transaction,
        times: Mapping[UUID, StaffTime],
        *,
        visit: str | None = None,
        now: datetime,
        expires_at: datetime,
    ) -> bool:
        """Claim all these times whole, each for its intent, or nothing; False where another has a live claim on a part.

        Waits for a caller that is claiming a part of them right now. An expired claim is taken over; those of these
        intents are extended; one by which the same visit (the CRM's record) was booked gives way, as a visit that is
        moved must not stand in its own way.
        """
        # Two times of one master may touch in one cell: the first has it for both. One order for every caller.
        cells: dict[tuple[UUID, str, datetime], UUID] = {}
        for intent_id, time in times.items():
            for cell in cells_of(time):
                cells.setdefault((time.branch_id, time.staff_id, cell), intent_id)
        own = set(times)
        for branch_id in {time.branch_id for time in times.values()} if visit else ():
            own |= set(await self._claimed_for(tx, branch_id, visit or ""))
        wanted = insert(slot_claims).values(
            [
                {
                    "company_id": tx.company,
                    "branch_id": branch_id,
                    "staff_id": staff_id,
                    "cell": cell,
                    "intent_id": intent_id,
                    "expires_at": expires_at,
                }
                for (branch_id, staff_id, cell), intent_id in sorted(cells.items())
            ]
        )
        ours = wanted.on_conflict_do_update(
            index_elements=list(_KEY),
            set_={"intent_id": wanted.excluded.intent_id, "expires_at": wanted.excluded.expires_at},
            where=or_(_ROW.intent_id.in_(own), _ROW.expires_at <= now),
        )
        savepoint = await tx.connection.begin_nested()
        taken = await tx.connection.execute(ours)
        if taken.rowcount == len(cells):
            await savepoint.commit()
            return True
        await savepoint.rollback()
        return False

    async def release(self, tx: Transaction, intent_id: UUID) -> None:
        """Give back what an intent claimed."""
        await self._release(tx, {intent_id})

    async def release_visit(self, tx: Transaction, branch_id: BranchId, visit: str) -> None:
        """Give back the time of a visit that was cancelled or moved away: what its earlier intents claimed."""
        if earlier := await self._claimed_for(tx, branch_id, visit):
            await self._release(tx, earlier)

    async def list_claimed(
        self, tx: Transaction, branch_id: BranchId, *, first: datetime, last: datetime, now: datetime
    ) -> Sequence[StaffTime]:
        """Return the times under a live claim that lie, at least in part, between the two moments."""
        rows = await tx.rows(_CLAIMED, company=tx.company, branch=branch_id, after=first - CELL, before=last, now=now)
        return [
            StaffTime(
                branch_id=branch_id,
                staff_id=row["staff_id"],
                starts_at=row["begin"],
                duration=row["last"] + CELL - row["begin"],
            )
            for row in rows
        ]

    async def sweep(self, tx: Transaction, *, now: datetime) -> int:
        """Delete a bounded batch of expired cells; return how many went. Never waits for who claims one of them."""
        expired = (
            select(*_KEY)
            .where(_ROW.company_id == tx.company, _ROW.expires_at <= now)
            .limit(_SWEEP_BATCH)
            .with_for_update(skip_locked=True)
        )
        return await self._delete(tx, expired)

    async def _claimed_for(self, tx: Transaction, branch_id: BranchId, visit: str) -> Collection[UUID]:
        """Return the intents that made or moved this visit and have claims still: looked up from the few claims."""
        found = await tx.connection.scalars(
            select(_ROW.intent_id)
            .distinct()
            .join(intents, (intents.c.company_id == _ROW.company_id) & (intents.c.id == _ROW.intent_id))
            .where(_ROW.company_id == tx.company, _ROW.branch_id == branch_id, intents.c.crm_record_id == visit)
        )
        return set(found)

    async def _release(self, tx: Transaction, intent_ids: Collection[UUID]) -> None:
        held = select(*_KEY).where(_ROW.company_id == tx.company, _ROW.intent_id.in_(intent_ids))
        await self._delete(tx, held.order_by(*_KEY).with_for_update())

    @staticmethod
    async def _delete(tx: Transaction, chosen: Select[Any]) -> int:
        gone = chosen.cte("gone")
        deleted = await tx.connection.execute(
            delete(slot_claims).where(*(column == gone.c[column.name] for column in _KEY))
        )
        return deleted.rowcount
