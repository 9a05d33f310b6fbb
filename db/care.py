"""The work that looks after a client between visits: thanks after one, and being invited to the next."""

from __future__ import annotations

from datetime import datetime

from db.booking_records import BookedAppointment
from db.engine import Transaction
from db.records import NO_CHANNEL, DialogueId, WorkKind
from db.work import ring


async def ask_for_care(tx: Transaction, booked: BookedAppointment) -> None:
    """Ask that a client is looked after once the visit is over; when exactly, is decided then."""
    await ring_care(tx, booked.dialogue_id, due_at=booked.starts_at + booked.duration)


async def ring_care(tx: Transaction, dialogue_id: DialogueId, *, due_at: datetime) -> None:
    """Ask that the client of this dialogue is looked after at that moment."""
    await ring(tx, dialogue_id=dialogue_id, channel_id=NO_CHANNEL, kind=WorkKind.CARE, due_at=due_at)
