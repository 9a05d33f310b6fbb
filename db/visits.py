"""Visits that dialogues of ours booked, as what is said before and after them wants to know them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, select

from db.appointments import booked_of
from db.booking_models import appointments, intents
from db.booking_records import BookedAppointment, IntentKind, IntentStatus
from db.engine import Transaction
from db.records import BranchId, DialogueId

_row = appointments.c
_MOST = 50


class Visits:
    """Every method works within the caller's transaction. What was cancelled is no visit."""

    async def list_from(
        self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, since: datetime
    ) -> Sequence[BookedAppointment]:
        """Return the records that begin then or later, by time; at most fifty."""
        rows = await tx.connection.execute(
            select(appointments)
            .where(*_of(tx, dialogue_ids), _row.starts_at >= since)
            .order_by(_row.starts_at)
            .limit(_MOST)
        )
        return [booked_of(row) for row in rows.mappings()]

    async def find_last(
        self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, before: datetime
    ) -> BookedAppointment | None:
        """Return the latest record that began before then."""
        rows = await tx.connection.execute(
            select(appointments)
            .where(*_of(tx, dialogue_ids), _row.starts_at < before)
            .order_by(_row.starts_at.desc())
            .limit(1)
        )
        found = rows.mappings().first()
        return booked_of(found) if found is not None else None

    async def was_booked(
        self,
        tx: Transaction,
        dialogue_ids: Sequence[DialogueId],
        branch_id: BranchId,
        *,
        made_since: datetime,
        first: datetime,
        last: datetime,
    ) -> bool:
        """Say whether they booked, or moved there, a visit that stands between two moments, since a third one."""
        made = exists().where(
            intents.c.company_id == tx.company,
            intents.c.branch_id == branch_id,
            intents.c.crm_record_id == _row.crm_record_id,
            intents.c.kind.in_([IntentKind.CREATE.value, IntentKind.MOVE.value]),
            intents.c.status == IntentStatus.DONE.value,
            intents.c.finished_at >= made_since,
        )
        found = await tx.connection.scalar(
            select(_row.id)
            .where(
                *_of(tx, dialogue_ids),
                _row.branch_id == branch_id,
                _row.starts_at >= first,
                _row.starts_at < last,
                made,
            )
            .limit(1)
        )
        return found is not None


def _of(tx: Transaction, dialogue_ids: Sequence[DialogueId]) -> Sequence[ColumnElement[bool]]:
    return (_row.company_id == tx.company, _row.dialogue_id.in_(dialogue_ids), _row.cancelled.is_(False))
