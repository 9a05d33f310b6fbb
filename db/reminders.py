"""What became of each reminder of an appointment at one time, and the work that looks after them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from db.booking_models import appointments, reminders
from db.booking_records import BookedAppointment, ReminderState
from db.engine import Transaction
from db.models import messages, work
from db.outbox_models import replies
from db.records import NO_CHANNEL, AgentSettings, DeliveryStatus, DialogueId, WorkKind
from db.work import ring

SETTINGS_ARE_READ_WITHIN = timedelta(minutes=1)
"""A worker that has not heard of changed settings goes by the old ones for no longer than this (db/directory.py)."""

HOLDS_FOR = timedelta(minutes=1)
"""How long what the CRM said before a reminder holds for one that has not left yet."""


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


async def take_back_reminders(tx: Transaction, booked: BookedAppointment) -> None:
    """Let no reminder of the time that an appointment was at go out any more: it was moved, or is off."""
    table = reminders.c
    turns = select(table.turn_id).where(
        table.company_id == tx.company,
        table.appointment_id == booked.id,
        table.starts_at == booked.starts_at,
        table.state == ReminderState.SENT.value,
    )
    await _take_back(tx, turns)


async def _take_back(tx: Transaction, turns: Select[tuple[UUID]] | Collection[UUID]) -> Sequence[UUID]:
    """Take the replies of these turns out of the outbox, as far as nothing of them has left; return whose they were.

    What was never said is no history. A reply that came too late for free words was said once already.
    """
    table = replies.c
    dropped = await tx.connection.execute(
        update(replies)
        .where(
            table.company_id == tx.company,
            table.turn_id.in_(turns),
            table.status == DeliveryStatus.WAITING.value,
            table.sent_parts == 0,
            table.window_closed.is_(False),
        )
        .values(status=DeliveryStatus.DROPPED.value, error="what it said did not hold any more")
        .returning(table.turn_id, table.dialogue_id)
    )
    taken = dropped.all()
    for turn_id, dialogue_id in taken:
        said = messages.c
        await tx.connection.execute(
            delete(messages).where(
                said.company_id == tx.company, said.dialogue_id == dialogue_id, said.turn_id == turn_id
            )
        )
    return [turn_id for turn_id, _ in taken]


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

    async def look_again(self, tx: Transaction, dialogue_id: DialogueId, *, now: datetime) -> int:
        """Take back what has waited in a dialogue for too long, and ask that those visits are read anew.

        A worker died before it could send it, or the messenger did not answer: the visit may be off by now, or it may
        be night. Returns how many were taken back.
        """
        table, reply = reminders.c, replies.c
        late = await tx.connection.execute(
            select(table.appointment_id, table.dialogue_id, table.turn_id)
            .join(replies, (reply.company_id == table.company_id) & (reply.turn_id == table.turn_id))
            .where(
                reply.company_id == tx.company,
                reply.dialogue_id == dialogue_id,
                reply.status == DeliveryStatus.WAITING.value,
                table.state == ReminderState.SENT.value,
                table.at < now - HOLDS_FOR,
            )
        )
        found = late.all()
        if not found:
            return 0
        for appointment_id, booked_in, _ in found:
            await ring(
                tx,
                dialogue_id=booked_in,
                channel_id=NO_CHANNEL,
                kind=WorkKind.REMINDER,
                due_at=now,
                subject_id=appointment_id,
            )
        taken = await _take_back(tx, [turn_id for _, _, turn_id in found])
        await tx.connection.execute(
            update(reminders)
            .where(table.company_id == tx.company, table.turn_id.in_(taken), table.state == ReminderState.SENT.value)
            .values(state=ReminderState.PLANNED.value, at=now)
        )
        return len(taken)

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
