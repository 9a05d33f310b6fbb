"""A master's day that cannot be held: proposed to staff as a list, approved by a tap, followed until all is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from sqlalchemy import RowMapping, and_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.appointments import booked_of
from db.booking_models import appointments
from db.booking_records import BookedAppointment
from db.engine import Transaction
from db.models import sessions, turns
from db.records import BranchId, ChannelId, Dialogue, DialogueId, dialogue_id_of, new_id
from db.sick_models import sick_days, sick_visits


class SickCause(StrEnum):
    ASKED = "asked"
    CANCELLED = "cancelled"
    """Staff cancelled several of the master's visits in the CRM, one after the other."""


class SickState(StrEnum):
    GATHERING = "gathering"
    """Too few were cancelled so far to say that it is more than chance."""
    PROPOSED = "proposed"
    APPROVED = "approved"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class SickDay:
    """`chat`: where staff see the list; `shown`: the digest of what it last said."""

    id: UUID
    branch_id: BranchId
    master: str
    day: date
    cause: SickCause
    state: SickState
    chat: Dialogue
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SickVisit:
    """One visit of the day, as it stands now. `wrote_at`: when its client last wrote where they were asked;
    `booked_again`: they have made another since the list began."""

    visit: BookedAppointment
    was_at: datetime
    asked_in: DialogueId | None
    asked_at: datetime | None
    wrote_at: datetime | None
    unreachable: bool
    booked_again: bool


class SickDays:
    """Every method works within the caller's transaction."""

    async def create(
        self,
        tx: Transaction,
        *,
        branch_id: BranchId,
        master: str,
        day: date,
        cause: SickCause,
        state: SickState,
        chat: Dialogue,
        now: datetime,
    ) -> SickDay:
        values = {
            "company_id": tx.company,
            "id": new_id(),
            "branch_id": branch_id,
            "master": master,
            "day": day,
            "cause": cause.value,
            "state": state.value,
            "created_at": now,
            "bot_channel_id": chat.channel_id,
            "staff_key": chat.key,
        }
        made = await tx.connection.execute(insert(sick_days).values(values).returning(*sick_days.c))
        return _sick_day(made.mappings().one())

    async def add_visits(
        self, tx: Transaction, sick: SickDay, visits: Sequence[BookedAppointment], *, now: datetime
    ) -> None:
        """Note visits of the day; one that is noted already stays as it is."""
        for one in visits:
            values = {
                "company_id": tx.company,
                "sick_id": sick.id,
                "appointment_id": one.id,
                "dialogue_id": one.dialogue_id,
                "was_at": one.starts_at,
                "noted_at": now,
            }
            await tx.connection.execute(insert(sick_visits).values(values).on_conflict_do_nothing())

    async def find(self, tx: Transaction, id_: UUID) -> SickDay | None:
        """Return a list, held until the transaction ends; None where there is none."""
        found = await tx.connection.execute(
            select(sick_days).where(sick_days.c.company_id == tx.company, sick_days.c.id == id_).with_for_update()
        )
        row = found.mappings().one_or_none()
        return _sick_day(row) if row is not None else None

    async def find_standing(self, tx: Transaction, branch_id: BranchId, master: str, day: date) -> SickDay | None:
        """Return the latest list of a master's day that was not dropped, held until the transaction ends."""
        found = await tx.connection.execute(
            select(sick_days)
            .where(
                sick_days.c.company_id == tx.company,
                sick_days.c.branch_id == branch_id,
                sick_days.c.day == day,
                sick_days.c.master == master,
                sick_days.c.state != SickState.DROPPED.value,
            )
            .order_by(sick_days.c.id.desc())
            .limit(1)
            .with_for_update()
        )
        row = found.mappings().one_or_none()
        return _sick_day(row) if row is not None else None

    async def count_noted(self, tx: Transaction, sick: SickDay, *, since: datetime) -> int:
        """Count the visits that were noted since then."""
        counted = await tx.connection.scalar(
            select(func.count())
            .select_from(sick_visits)
            .where(
                sick_visits.c.company_id == tx.company,
                sick_visits.c.sick_id == sick.id,
                sick_visits.c.noted_at >= since,
            )
        )
        return int(counted or 0)

    async def set_state(
        self, tx: Transaction, sick: SickDay, state: SickState, *, now: datetime, by: str | None = None
    ) -> None:
        await self._change(tx, sick.id, state=state.value, decided_at=now, decided_by=by)

    async def keep_shown(self, tx: Transaction, sick: SickDay, text: str) -> None:
        """Keep what the list says now: its digest, as the words are people's names."""
        await self._change(tx, sick.id, shown=digest_of(text))

    async def mark_asked(
        self, tx: Transaction, sick: SickDay, visit: BookedAppointment, asked_in: DialogueId, *, now: datetime
    ) -> None:
        """Say that the client was offered other times."""
        await tx.connection.execute(
            update(sick_visits)
            .where(
                sick_visits.c.company_id == tx.company,
                sick_visits.c.sick_id == sick.id,
                sick_visits.c.appointment_id == visit.id,
            )
            .values(asked_in=asked_in, asked_at=now)
        )

    async def list_visits(self, tx: Transaction, sick: SickDay) -> Sequence[SickVisit]:
        """Return the day's visits as they stand now, by the time that they had."""
        asked = sessions.alias("asked")
        # A press of a button has no time of its own; the turn that it made has.
        wrote = (
            select(func.max(turns.c.at))
            .where(turns.c.company_id == tx.company, turns.c.dialogue_id == sick_visits.c.asked_in)
            .scalar_subquery()
        )
        later = appointments.alias("later")
        again = exists().where(
            later.c.company_id == tx.company,
            or_(later.c.dialogue_id == sick_visits.c.dialogue_id, later.c.dialogue_id == sick_visits.c.asked_in),
            later.c.cancelled.is_(False),
            # Ids grow with time.
            later.c.id > sick.id,
        )
        rows = await tx.connection.execute(
            select(
                sick_visits.c.was_at,
                sick_visits.c.asked_in,
                sick_visits.c.asked_at,
                wrote.label("wrote_at"),
                asked.c.unreachable_at,
                again.label("booked_again"),
                *appointments.c,
            )
            .join(
                appointments,
                and_(
                    appointments.c.company_id == sick_visits.c.company_id,
                    appointments.c.id == sick_visits.c.appointment_id,
                ),
            )
            .outerjoin(
                asked, and_(asked.c.company_id == sick_visits.c.company_id, asked.c.id == sick_visits.c.asked_in)
            )
            .where(sick_visits.c.company_id == tx.company, sick_visits.c.sick_id == sick.id)
            .order_by(sick_visits.c.was_at, sick_visits.c.appointment_id)
        )
        return [
            SickVisit(
                visit=booked_of(row),
                was_at=row["was_at"],
                asked_in=DialogueId(row["asked_in"]) if row["asked_in"] is not None else None,
                asked_at=row["asked_at"],
                wrote_at=row["wrote_at"],
                unreachable=row["unreachable_at"] is not None,
                booked_again=row["booked_again"],
            )
            for row in rows.mappings()
        ]

    async def _change(self, tx: Transaction, id_: UUID, **values: object) -> None:
        await tx.connection.execute(
            update(sick_days).where(sick_days.c.company_id == tx.company, sick_days.c.id == id_).values(values)
        )


def digest_of(text: str) -> str:
    """Return what tells a list's words from others."""
    return sha256(text.encode()).hexdigest()


def _sick_day(row: RowMapping) -> SickDay:
    bot = ChannelId(row["bot_channel_id"])
    key = row["staff_key"]
    return SickDay(
        id=row["id"],
        branch_id=BranchId(row["branch_id"]),
        master=row["master"],
        day=row["day"],
        cause=SickCause(row["cause"]),
        state=SickState(row["state"]),
        chat=Dialogue(id=dialogue_id_of(bot, key), company_id=row["company_id"], channel_id=bot, key=key),
        created_at=row["created_at"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        shown=row["shown"],
    )
