"""Appointments that dialogues of ours made, as they stood in the CRM when last read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.booking_models import appointments
from db.booking_records import BookedAppointment
from db.engine import Transaction
from db.records import BranchId, CompanyId, DialogueId


class Appointments:
    """The table `appointments`, within the caller's transaction."""

    async def save(self, tx: Transaction, booked: BookedAppointment) -> BookedAppointment:
        """Keep an appointment, and return it as it is kept now.

        One with this CRM record is brought up to date, and stays the maker's.
        """
        changing = {
            "starts_at": booked.starts_at,
            "duration_s": round(booked.duration.total_seconds()),
            "service_names": list(booked.service_names),
            "staff_name": booked.staff_name,
            "staff_id": booked.staff_id,
            "cancelled": booked.cancelled,
            "updated_at": func.now(),
        }
        statement = insert(appointments).values(
            company_id=tx.company,
            id=booked.id,
            branch_id=booked.branch_id,
            dialogue_id=booked.dialogue_id,
            crm_record_id=booked.crm_record_id,
            external_id=booked.external_id,
            client_name=booked.client_name,
            visitor_name=booked.visitor_name,
            phone=booked.phone,
            phone_proved=booked.phone_proved,
            by_staff=booked.by_staff,
            **changing,
        )
        table, new = appointments.c, statement.excluded
        # What staff made is ours once a dialogue of ours has moved it, or if the CRM told of it before we had kept it.
        ours = {
            "by_staff": and_(table.by_staff, new.by_staff),
            "external_id": case((table.by_staff, new.external_id), else_=table.external_id),
        }
        kept = statement.on_conflict_do_update(
            index_elements=["company_id", "branch_id", "crm_record_id"], set_={**changing, **ours}
        )
        row = (await tx.connection.execute(kept.returning(*appointments.c))).mappings().one()
        return booked_of(row)

    async def find(self, tx: Transaction, id_: UUID, *, locked: bool = False) -> BookedAppointment | None:
        """Return one of ours by its id. `locked`: nobody changes or erases it before the caller's transaction ends."""
        table = appointments.c
        statement = select(appointments).where(table.company_id == tx.company, table.id == id_)
        row = (await tx.connection.execute(statement.with_for_update() if locked else statement)).mappings().first()
        return booked_of(row) if row is not None else None

    async def list_visit(
        self, tx: Transaction, booked: BookedAppointment, visit: str | None
    ) -> Sequence[BookedAppointment]:
        """Return the standing records that were booked together with this one, itself included, by time.

        `visit`: what their external ids begin with; None: it is alone.
        """
        if visit is None:
            return [] if booked.cancelled else [booked]
        table = appointments.c
        rows = await tx.connection.execute(
            select(appointments)
            .where(
                table.company_id == tx.company,
                table.dialogue_id == booked.dialogue_id,
                table.branch_id == booked.branch_id,
                table.external_id.startswith(f"{visit}-", autoescape=True),
                table.cancelled.is_(False),
            )
            .order_by(table.starts_at, table.id)
        )
        return [booked_of(row) for row in rows.mappings()]

    async def list_upcoming(
        self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, now: datetime, cancelled: bool = False
    ) -> Sequence[BookedAppointment]:
        """Return what these dialogues made and what is still ahead, by time; not what staff made for their clients.

        `cancelled`: what would be ahead, were it not cancelled.
        """
        table = appointments.c
        rows = await tx.connection.execute(
            select(appointments)
            .where(
                table.company_id == tx.company,
                table.dialogue_id.in_(dialogue_ids),
                table.starts_at > now,
                table.cancelled.is_(cancelled),
                table.by_staff.is_(False),
            )
            .order_by(table.starts_at)
        )
        return [booked_of(row) for row in rows.mappings()]

    async def find_branch(
        self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, now: datetime
    ) -> BranchId | None:
        """Return the branch of the next standing visit of these dialogues, else of the last; None: they had none."""
        table = appointments.c
        found = await tx.connection.scalar(
            select(table.branch_id)
            .where(
                table.company_id == tx.company,
                table.dialogue_id.in_(dialogue_ids),
                table.cancelled.is_(False),
            )
            .order_by(case((table.starts_at > now, table.starts_at)).asc().nulls_last(), table.starts_at.desc())
            .limit(1)
        )
        return BranchId(found) if found is not None else None

    async def list_open(
        self, tx: Transaction, dialogue_ids: Sequence[DialogueId], phone: str, *, proved: bool, now: datetime
    ) -> Sequence[BookedAppointment]:
        """Return what is still ahead of these dialogues, and of this number whoever made it: of what was booked with
        the number proved, or of what was booked with it only typed. At most a hundred."""
        table = appointments.c
        of_number = and_(table.phone == phone, table.phone_proved.is_(proved))
        rows = await tx.connection.execute(
            select(appointments)
            .where(
                table.company_id == tx.company,
                or_(table.dialogue_id.in_(dialogue_ids), of_number),
                table.starts_at > now,
                table.cancelled.is_(False),
                table.by_staff.is_(False),
            )
            .limit(100)
        )
        return [booked_of(row) for row in rows.mappings()]

    async def find_next_with(
        self, tx: Transaction, branch_id: BranchId, *, staff_name: str, after: datetime
    ) -> datetime | None:
        """Return when the first standing one of this master after a moment begins; None where there is none."""
        table = appointments.c
        found: datetime | None = await tx.connection.scalar(
            select(func.min(table.starts_at)).where(
                table.company_id == tx.company,
                table.branch_id == branch_id,
                table.staff_name == staff_name,
                table.starts_at > after,
                table.cancelled.is_(False),
            )
        )
        return found

    async def find_by_records(
        self, tx: Transaction, branch_id: BranchId, crm_record_ids: Sequence[str], *, locked: bool = False
    ) -> Sequence[BookedAppointment]:
        """Return those of ours that stand under these ids in the branch's CRM.

        `locked`: nobody changes or erases them before the caller's transaction ends.
        """
        table = appointments.c
        mine = (table.company_id == tx.company, table.branch_id == branch_id)
        statement = select(appointments).where(*mine, table.crm_record_id.in_(crm_record_ids))
        rows = await tx.connection.execute(
            (statement.with_for_update() if locked else statement).order_by(table.starts_at)
        )
        return [booked_of(row) for row in rows.mappings()]

    async def list_longest_unread(
        self, tx: Transaction, branch_id: BranchId, *, now: datetime, limit: int
    ) -> Sequence[BookedAppointment]:
        """Return upcoming ones of a branch, those first that were read from the CRM the longest ago."""
        table = appointments.c
        mine = (table.company_id == tx.company, table.branch_id == branch_id)
        rows = await tx.connection.execute(
            select(appointments)
            .where(*mine, table.starts_at > now, table.cancelled.is_(False))
            .order_by(table.updated_at)
            .limit(limit)
        )
        return [booked_of(row) for row in rows.mappings()]

    async def list_between(
        self,
        tx: Transaction,
        branch_ids: Sequence[BranchId],
        *,
        first: datetime,
        until: datetime,
        standing: bool = False,
        limit: int = 500,
    ) -> Sequence[BookedAppointment]:
        """Return those of these branches that begin from `first` on and before `until`, by time.

        `standing`: without the cancelled.
        """
        table = appointments.c
        mine = [
            table.company_id == tx.company,
            table.branch_id.in_(branch_ids),
            table.starts_at >= first,
            table.starts_at < until,
        ]
        if standing:
            mine.append(table.cancelled.is_(False))
        rows = await tx.connection.execute(
            select(appointments).where(*mine).order_by(table.starts_at, table.id).limit(limit)
        )
        return [booked_of(row) for row in rows.mappings()]

    async def mark_read(self, tx: Transaction, ids: Sequence[UUID]) -> None:
        """Say that these were read from the CRM just now and had not changed."""
        table = appointments.c
        await tx.connection.execute(
            update(appointments).where(table.company_id == tx.company, table.id.in_(ids)).values(updated_at=func.now())
        )

    async def mark_confirmed(self, tx: Transaction, booked: BookedAppointment) -> bool:
        """Keep that the client said to come at this time; False: it is at another one by now, or cancelled."""
        table = appointments.c
        changed = await tx.connection.execute(
            update(appointments)
            .where(
                table.company_id == tx.company,
                table.id == booked.id,
                table.starts_at == booked.starts_at,
                table.cancelled.is_(False),
            )
            .values(confirmed_for=booked.starts_at)
        )
        return changed.rowcount == 1

    async def mark_told(self, tx: Transaction, booked: BookedAppointment) -> None:
        """Keep that the CRM was told what the client said of this time."""
        table = appointments.c
        await tx.connection.execute(
            update(appointments)
            .where(table.company_id == tx.company, table.id == booked.id)
            .values(crm_told_of=booked.confirmed_for)
        )

    async def mark_cancelled(self, tx: Transaction, branch_id: BranchId, crm_record_id: str) -> None:
        """Say that the record was cancelled; one that we do not know is nobody's loss."""
        table = appointments.c
        await tx.connection.execute(
            update(appointments)
            .where(table.company_id == tx.company, table.branch_id == branch_id, table.crm_record_id == crm_record_id)
            .values(cancelled=True, updated_at=func.now())
        )


def booked_of(row: RowMapping) -> BookedAppointment:
    """Read a row of `appointments`."""
    return BookedAppointment(
        id=row["id"],
        company_id=CompanyId(row["company_id"]),
        branch_id=BranchId(row["branch_id"]),
        dialogue_id=DialogueId(row["dialogue_id"]),
        crm_record_id=row["crm_record_id"],
        external_id=row["external_id"],
        starts_at=row["starts_at"],
        duration=timedelta(seconds=row["duration_s"]),
        service_names=tuple(row["service_names"]),
        staff_name=row["staff_name"],
        staff_id=row["staff_id"],
        client_name=row["client_name"],
        visitor_name=row["visitor_name"],
        phone=row["phone"],
        phone_proved=row["phone_proved"],
        cancelled=row["cancelled"],
        by_staff=row["by_staff"],
        confirmed_for=row["confirmed_for"],
        crm_told_of=row["crm_told_of"],
    )
