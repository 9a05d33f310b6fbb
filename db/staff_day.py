"""A day as staff look at it: what the agent wrote into the CRM, each with the appointment as it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from db.appointments import booked_of
from db.booking_models import appointments, intents
from db.booking_records import BookedAppointment, IntentKind, IntentStatus
from db.engine import Transaction
from db.records import BranchId

MOST_WRITES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DayWrite:
    """One write that a client confirmed and the CRM took."""

    kind: IntentKind
    at: datetime
    visit: BookedAppointment


async def list_writes(tx: Transaction, branch_id: BranchId, *, first: datetime, until: datetime) -> Sequence[DayWrite]:
    """Return what was written for a branch between two moments, in this order; what was erased since is left out."""
    rows = await tx.connection.execute(
        select(intents.c.kind, intents.c.finished_at, *appointments.c)
        .join(
            appointments,
            and_(
                appointments.c.company_id == intents.c.company_id,
                appointments.c.branch_id == intents.c.branch_id,
                appointments.c.crm_record_id == intents.c.crm_record_id,
            ),
        )
        .where(
            intents.c.company_id == tx.company,
            intents.c.branch_id == branch_id,
            intents.c.status == IntentStatus.DONE.value,
            intents.c.finished_at >= first,
            intents.c.finished_at < until,
        )
        .order_by(intents.c.finished_at)
        .limit(MOST_WRITES)
    )
    return [
        DayWrite(kind=IntentKind(row["kind"]), at=row["finished_at"], visit=booked_of(row)) for row in rows.mappings()
    ]
