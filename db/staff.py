"""Who belongs to a company's staff: enrolled by a one-time code, dismissed by one row."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from sqlalchemy import RowMapping, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.crypto import token_digest
from db.engine import Transaction
from db.errors import NotFound
from db.records import new_id
from db.staff_models import staff

StaffId = NewType("StaffId", UUID)
INVITE_LASTS = timedelta(days=1)
_CODE_BYTES = 18
"""24 letters: with what stands before it, it fits into a link's parameter of 64 (Bot API, deep linking)."""


class Role(StrEnum):
    """What somebody of the staff may see and do (docs/staff.md)."""

    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    MASTER = "master"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """`branches`: keys of those that an administrator is of, none: of all. `crm_staff_id`: who a master is there."""

    id: StaffId
    name: str
    role: Role
    branches: tuple[str, ...] = ()
    crm_staff_id: str | None = None
    telegram_user_id: int | None = None
    invited_until: datetime | None = None
    enrolled_at: datetime | None = None
    dismissed_at: datetime | None = None

    @property
    def may_see_phones(self) -> bool:
        return self.role is not Role.MASTER

    def is_of_branch(self, key: str) -> bool:
        return not self.branches or key in self.branches


class Staff:
    """Every method works within the caller's transaction."""

    async def invite(
        self,
        tx: Transaction,
        *,
        name: str,
        role: Role,
        now: datetime,
        branches: Sequence[str] = (),
        crm_staff_id: str | None = None,
    ) -> tuple[StaffMember, str]:
        """Make a place for somebody; return it with the code that opens it once, for a day."""
        code = secrets.token_urlsafe(_CODE_BYTES)
        values = {
            "company_id": tx.company,
            "id": new_id(),
            "name": name,
            "role": role.value,
            "branches": list(branches),
            "crm_staff_id": crm_staff_id,
            "invite": token_digest(code),
            "invite_until": now + INVITE_LASTS,
            "created_at": now,
        }
        row = (await tx.connection.execute(insert(staff).values(values).returning(*staff.c))).mappings().one()
        return member_of(row), code

    async def enrol(self, tx: Transaction, code: str, *, telegram_user_id: int, now: datetime) -> StaffMember | None:
        """Give the place that a code opens to this person; None where it opens none (any more).

        A place that they had before ends.
        """
        found = (
            (
                await tx.connection.execute(
                    select(staff)
                    .where(
                        staff.c.company_id == tx.company,
                        staff.c.invite == token_digest(code),
                        staff.c.invite_until > now,
                        staff.c.dismissed_at.is_(None),
                    )
                    .with_for_update()
                )
            )
            .mappings()
            .one_or_none()
        )
        if found is None:
            return None
        await tx.connection.execute(
            update(staff)
            .where(
                staff.c.company_id == tx.company,
                staff.c.telegram_user_id == telegram_user_id,
                staff.c.dismissed_at.is_(None),
            )
            .values(dismissed_at=now)
        )
        changed = (
            update(staff)
            .where(staff.c.company_id == tx.company, staff.c.id == found["id"])
            .values(telegram_user_id=telegram_user_id, enrolled_at=now, invite=None, invite_until=None)
        )
        return member_of((await tx.connection.execute(changed.returning(*staff.c))).mappings().one())

    async def find(self, tx: Transaction, telegram_user_id: int) -> StaffMember | None:
        """Return who of the staff this is now; None where it is nobody."""
        row = (
            (
                await tx.connection.execute(
                    select(staff).where(
                        staff.c.company_id == tx.company,
                        staff.c.telegram_user_id == telegram_user_id,
                        staff.c.dismissed_at.is_(None),
                    )
                )
            )
            .mappings()
            .one_or_none()
        )
        return member_of(row) if row is not None else None

    async def has_any(self, tx: Transaction) -> bool:
        """Say whether anybody of the staff is enrolled: whether somebody could answer a client."""
        found = await tx.connection.scalar(
            select(staff.c.id)
            .where(
                staff.c.company_id == tx.company, staff.c.telegram_user_id.is_not(None), staff.c.dismissed_at.is_(None)
            )
            .limit(1)
        )
        return found is not None

    async def get(self, tx: Transaction, id_: StaffId) -> StaffMember | None:
        """Return a member who is not dismissed; None where there is none."""
        found = await tx.connection.execute(
            select(staff).where(staff.c.company_id == tx.company, staff.c.id == id_, staff.c.dismissed_at.is_(None))
        )
        row = found.mappings().one_or_none()
        return member_of(row) if row is not None else None

    async def list(self, tx: Transaction, *, now: datetime) -> Sequence[StaffMember]:
        """Return who is of the staff, and who was invited and may still come."""
        rows = await tx.connection.execute(
            select(staff)
            .where(
                staff.c.company_id == tx.company,
                staff.c.dismissed_at.is_(None),
                or_(staff.c.enrolled_at.is_not(None), staff.c.invite_until > now),
            )
            .order_by(staff.c.id)
        )
        return [member_of(row) for row in rows.mappings()]

    async def dismiss(self, tx: Transaction, id_: StaffId, *, now: datetime) -> StaffMember:
        """End all that somebody may see and do here, from now on. Raises NotFound."""
        changed = (
            update(staff)
            .where(staff.c.company_id == tx.company, staff.c.id == id_, staff.c.dismissed_at.is_(None))
            .values(dismissed_at=now, invite=None, invite_until=None)
        )
        row = (await tx.connection.execute(changed.returning(*staff.c))).mappings().one_or_none()
        if row is None:
            raise NotFound(f"nobody of the staff has the id {id_}")
        return member_of(row)


def member_of(row: RowMapping) -> StaffMember:
    """Read a row of `staff`."""
    return StaffMember(
        id=StaffId(row["id"]),
        name=row["name"],
        role=Role(row["role"]),
        branches=tuple(row["branches"]),
        crm_staff_id=row["crm_staff_id"],
        telegram_user_id=row["telegram_user_id"],
        invited_until=row["invite_until"],
        enrolled_at=row["enrolled_at"],
        dismissed_at=row["dismissed_at"],
    )
