"""What became of each reminder of an appointment at one time, and the work that looks after them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from db.booking_models import appointments, reminders
from db.booking_records import BookedAppointment, ReminderState
from db.engine import Transaction
from db.models import work
from db.records import NO_CHANNEL, AgentSettings, DialogueId, WorkKind
from db.work import ring

SETTINGS_ARE_READ_WITHIN = timedelta(minutes=1)
"""A worker that has not heard of changed settings goes by the old ones for no longer than this (db/directory.py)."""


def reminds_otherwise(agent: AgentSettings, before: AgentSettings) -> bool:
    """Say whether what is planned already no longer holds."""
    return (agent.reminders, agent.quiet_hours) != (before.reminders, before.quiet_hours)


async def ask_to_remind(tx: Transaction, booked: BookedAppointment, *, now: datetime) -> None:
    """Ask that an appointment which was made or moved, or whose client has answered, is looked at."""
    await ring(
        tx,
        dialogue_id=booked.dialogue_id,
        channel_id=NO_CHANNEL,
        kind=WorkKind.REMINDER,
        due_at=now,
        subject_id=booked.id,
    )


async def ask_to_remind_all(tx: Transaction, *, now: datetime) -> None:
    """Ask that all that is ahead is looked at, once every worker knows how clients are reminded from now on."""
    table = appointments.c
    ahead = select(
        table.company_id,
        table.dialogue_id,
        literal(WorkKind.REMINDER.value),
        table.id,
        literal(NO_CHANNEL, work.c.channel_id.type),
        literal(now + SETTINGS_ARE_READ_WITHIN, work.c.due_at.type),
    ).where(table.company_id == tx.company, table.starts_at > now, table.cancelled.is_(False))
    rung = insert(work).from_select(["company_id", "dialogue_id", "kind", "subject_id", "channel_id", "due_at"], ahead)
    await tx.connection.execute(
        rung.on_conflict_do_update(
            index_elements=["company_id", "dialogue_id", "kind", "subject_id"],
            set_={
                "wake": work.c.wake + 1,
                "due_at": func.least(func.coalesce(work.c.due_at, rung.excluded.due_at), rung.excluded.due_at),
            },
        )
    )


class Reminders:
    """The table `reminders`, within the caller's transaction. A lead is how long before the visit a reminder is."""

    async def list_states(self, tx: Transaction, booked: BookedAppointment) -> Mapping[timedelta, ReminderState]:
        """Return what became of the reminders of the time that the appointment is at now."""
        table = reminders.c
        rows = await tx.connection.execute(
            select(table.lead_s, table.state).where(
                table.company_id == tx.company,
                table.appointment_id == booked.id,
                table.starts_at == booked.starts_at,
            )
        )
        return {timedelta(seconds=row.lead_s): ReminderState(row.state) for row in rows}

    async def plan(
        self, tx: Transaction, booked: BookedAppointment, leads: Collection[timedelta], *, now: datetime
    ) -> None:
        """Keep that these were seen to lie ahead."""
        if not leads:
            return
        rows = [{**_key(tx, booked, lead), "state": ReminderState.PLANNED.value, "at": now} for lead in leads]
        await tx.connection.execute(insert(reminders).values(rows).on_conflict_do_nothing())

    async def skip(
        self, tx: Transaction, booked: BookedAppointment, leads: Collection[timedelta], *, now: datetime
    ) -> None:
        """Keep that these are never sent; what was sent stays sent."""
        if not leads:
            return
        rows = [{**_key(tx, booked, lead), "state": ReminderState.SKIPPED.value, "at": now} for lead in leads]
        statement = insert(reminders).values(rows)
        await tx.connection.execute(
            statement.on_conflict_do_update(
                index_elements=["company_id", "appointment_id", "starts_at", "lead_s"],
                set_={"state": ReminderState.SKIPPED.value, "at": now},
                where=reminders.c.state == ReminderState.PLANNED.value,
            )
        )

    async def mark_sent(
        self, tx: Transaction, booked: BookedAppointment, lead: timedelta, *, turn_id: UUID, now: datetime
    ) -> bool:
        """Keep that this one is put into the outbox by this very transaction; False: it must not be.

        At most one transaction is ever told True.
        """
        table = reminders.c
        key = _key(tx, booked, lead)
        changed = await tx.connection.execute(
            update(reminders)
            .where(
                table.company_id == key["company_id"],
                table.appointment_id == key["appointment_id"],
                table.starts_at == key["starts_at"],
                table.lead_s == key["lead_s"],
                table.state == ReminderState.PLANNED.value,
            )
            .values(state=ReminderState.SENT.value, at=now, turn_id=turn_id)
        )
        return changed.rowcount == 1

    async def find_by_turn(self, tx: Transaction, dialogue_ids: Sequence[DialogueId], turn_id: UUID) -> UUID | None:
        """Return the appointment of these dialogues that this message of the history reminded of."""
        table = reminders.c
        mine = (table.company_id == tx.company, table.dialogue_id.in_(dialogue_ids))
        found: UUID | None = await tx.connection.scalar(
            select(table.appointment_id).where(*mine, table.turn_id == turn_id)
        )
        return found


def _key(tx: Transaction, booked: BookedAppointment, lead: timedelta) -> dict[str, object]:
    return {
        "company_id": tx.company,
        "appointment_id": booked.id,
        "starts_at": booked.starts_at,
        "lead_s": round(lead.total_seconds()),
        "dialogue_id": booked.dialogue_id,
    }
