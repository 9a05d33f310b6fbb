"""CRM writes recorded before they are made. Each step may be taken only from the step before: the WHERE says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.booking_models import intents
from db.booking_records import BookedAppointment, Intent, IntentKind, IntentStatus
from db.engine import Transaction
from db.errors import Conflict
from db.records import BranchId, CompanyId, DialogueId

_BEFORE_CALL = (IntentStatus.CONFIRMED, IntentStatus.CALLED)


class Intents:
    """The table `intents`, within the caller's transaction."""

    async def create(self, tx: Transaction, intent: Intent) -> None:
        """Record a confirmed write. Raises Conflict where this external id is recorded already."""
        values = {
            "company_id": tx.company,
            "id": intent.id,
            "dialogue_id": intent.dialogue_id,
            "branch_id": intent.branch_id,
            "kind": intent.kind.value,
            "external_id": intent.external_id,
            "action": dict(intent.action),
            "status": intent.status.value,
            "created_at": intent.created_at,
        }
        made = await tx.connection.execute(insert(intents).values(values).on_conflict_do_nothing())
        if made.rowcount == 0:
            raise Conflict(f"the intent {intent.external_id} is recorded already")

    async def find(self, tx: Transaction, id_: UUID) -> Intent | None:
        """Return an intent of the company, None where there is none."""
        row = (
            (
                await tx.connection.execute(
                    select(intents).where(intents.c.company_id == tx.company, intents.c.id == id_)
                )
            )
            .mappings()
            .first()
        )
        if row is None:
            return None
        return Intent(
            id=row["id"],
            company_id=CompanyId(row["company_id"]),
            dialogue_id=DialogueId(row["dialogue_id"]),
            branch_id=BranchId(row["branch_id"]),
            kind=IntentKind(row["kind"]),
            external_id=row["external_id"],
            action=row["action"],
            status=IntentStatus(row["status"]),
            created_at=row["created_at"],
            called_at=row["called_at"],
            crm_record_id=row["crm_record_id"],
            error=row["error"],
        )

    async def any_under_way(self, tx: Transaction, ours: Sequence[BookedAppointment], *, since: datetime) -> bool:
        """Say whether a write was called lately whose outcome is not kept yet, and which may be of one of these."""
        if not ours:
            return False
        record = intents.c.action["appointment"]["record_id"].astext
        open_ = select(intents.c.id).where(
            intents.c.company_id == tx.company,
            intents.c.status == IntentStatus.CALLED.value,
            intents.c.called_at >= since,
            or_(
                intents.c.dialogue_id.in_([one.dialogue_id for one in ours]),
                record.in_([one.crm_record_id for one in ours]),
            ),
        )
        return (await tx.connection.execute(open_.limit(1))).first() is not None

    async def mark_called(self, tx: Transaction, id_: UUID, *, at: datetime) -> None:
        """Say that the CRM is about to be called; again only after a lookup. Raises Conflict."""
        await self._step(tx, id_, _BEFORE_CALL, status=IntentStatus.CALLED.value, called_at=at)

    async def mark_done(self, tx: Transaction, id_: UUID, *, crm_record_id: str, at: datetime) -> None:
        """Say that it stands in the CRM. Raises Conflict."""
        await self._step(
            tx,
            id_,
            (IntentStatus.CALLED,),
            status=IntentStatus.DONE.value,
            crm_record_id=crm_record_id,
            finished_at=at,
        )

    async def mark_refused(self, tx: Transaction, id_: UUID, error: str, *, at: datetime) -> None:
        """Say that nothing was written. Raises Conflict."""
        await self._step(
            tx,
            id_,
            (*_BEFORE_CALL, IntentStatus.REFUSED),
            status=IntentStatus.REFUSED.value,
            error=error,
            finished_at=at,
        )

    async def mark_unknown(self, tx: Transaction, id_: UUID, error: str, *, at: datetime) -> None:
        """Say that it cannot be found out. Raises Conflict."""
        await self._step(
            tx, id_, (IntentStatus.CALLED,), status=IntentStatus.UNKNOWN.value, error=error, finished_at=at
        )

    async def _step(self, tx: Transaction, id_: UUID, from_: Sequence[IntentStatus], **values: Any) -> None:
        changed = await tx.connection.execute(
            update(intents)
            .where(
                intents.c.company_id == tx.company,
                intents.c.id == id_,
                intents.c.status.in_([status.value for status in from_]),
            )
            .values(values)
        )
        if changed.rowcount == 0:
            raise Conflict(f"the intent {id_} is past that step")
