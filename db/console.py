"""The console's doors: links that open it once, and who is signed in. What is stored of a token is its digest."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db import models
from db.console_models import console_drafts, console_links, console_sessions
from db.crypto import token_digest
from db.engine import Transaction
from db.records import CompanyId, DialogueId
from db.staff import StaffId, StaffMember, member_of
from db.staff_models import staff

LINK_LASTS = timedelta(minutes=10)
IDLE_LASTS = timedelta(hours=12)
SESSION_LASTS = timedelta(days=7)
_SEEN_EVERY = timedelta(minutes=5)
"""So often it is written down that somebody is still there."""
_DRAFT_LASTS = timedelta(days=1)
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Token:
    """What a link or a cookie holds: whose company it is of, which is no secret, and a secret."""

    company_id: CompanyId
    secret: str

    @classmethod
    def read(cls, text: str) -> Token | None:
        """Return the token that was written so; None where it is none."""
        found = _TOKEN.fullmatch(text)
        return cls(CompanyId(UUID(found[1])), found[2]) if found else None

    @classmethod
    def make(cls, company_id: CompanyId) -> Token:
        return cls(company_id, secrets.token_urlsafe(_TOKEN_BYTES))

    def __str__(self) -> str:
        return f"{self.company_id.hex}.{self.secret}"


class ConsoleDoors:
    """Every method works within the caller's transaction, which is of the token's company."""

    async def make_link(self, tx: Transaction, member: StaffId, *, now: datetime) -> Token:
        """Make what opens the console for a member, once, for LINK_LASTS. Earlier links of theirs open nothing more."""
        token = Token.make(tx.company)
        mine = (console_links.c.company_id == tx.company, console_links.c.staff_id == member)
        await tx.connection.execute(delete(console_links).where(*mine))
        values = {
            "company_id": tx.company,
            "digest": token_digest(token.secret),
            "staff_id": member,
            "until": now + LINK_LASTS,
            "created_at": now,
        }
        await tx.connection.execute(insert(console_links).values(values))
        return token

    async def find_by_link(self, tx: Transaction, token: Token, *, now: datetime) -> StaffMember | None:
        """Return whom a link would let in, and leave it unused; None where it opens nothing (any more)."""
        links = console_links.c
        found = await tx.connection.execute(
            select(staff)
            .join(console_links, (links.company_id == staff.c.company_id) & (links.staff_id == staff.c.id))
            .join(models.companies, models.companies.c.id == staff.c.company_id)
            .where(
                staff.c.company_id == tx.company,
                links.digest == token_digest(token.secret),
                links.until > now,
                links.used_at.is_(None),
                *_still_there(),
            )
            .with_for_update(of=console_links)
        )
        row = found.mappings().one_or_none()
        return member_of(row) if row is not None else None

    async def sign_in(self, tx: Transaction, token: Token, *, now: datetime) -> tuple[StaffMember, Token] | None:
        """Use a link up and begin a session; None where it opens nothing (any more)."""
        member = await self.find_by_link(tx, token, now=now)
        if member is None:
            return None
        links, rows = console_links.c, console_sessions.c
        await tx.connection.execute(
            update(console_links)
            .where(links.company_id == tx.company, links.digest == token_digest(token.secret))
            .values(used_at=now)
        )
        over = or_(rows.until <= now, rows.seen_at <= now - IDLE_LASTS)
        await tx.connection.execute(delete(console_sessions).where(rows.company_id == tx.company, over))
        session = Token.make(tx.company)
        values = {
            "company_id": tx.company,
            "digest": token_digest(session.secret),
            "staff_id": member.id,
            "seen_at": now,
            "until": now + SESSION_LASTS,
            "created_at": now,
        }
        await tx.connection.execute(insert(console_sessions).values(values))
        return member, session

    async def find_by_session(
        self, tx: Transaction, token: Token, *, now: datetime, by_hand: bool
    ) -> StaffMember | None:
        """Return who is signed in by this token: as they are now, not as they were when they came.

        None: nobody (any more): it is over, or they or their company are. `by_hand`: a person did something, so that
        the idle time begins anew.
        """
        rows = console_sessions.c
        found = await tx.connection.execute(
            select(staff, rows.seen_at)
            .join(console_sessions, (rows.company_id == staff.c.company_id) & (rows.staff_id == staff.c.id))
            .join(models.companies, models.companies.c.id == staff.c.company_id)
            .where(
                staff.c.company_id == tx.company,
                rows.digest == token_digest(token.secret),
                rows.until > now,
                rows.seen_at > now - IDLE_LASTS,
                *_still_there(),
            )
        )
        row = found.mappings().one_or_none()
        if row is None:
            return None
        if by_hand and row["seen_at"] <= now - _SEEN_EVERY:
            await tx.connection.execute(
                update(console_sessions)
                .where(rows.company_id == tx.company, rows.digest == token_digest(token.secret))
                .values(seen_at=now)
            )
        return member_of(row)

    async def sign_out(self, tx: Transaction, token: Token) -> None:
        """End a session; one that is over already is nobody's loss."""
        rows = console_sessions.c
        await tx.connection.execute(
            delete(console_sessions).where(rows.company_id == tx.company, rows.digest == token_digest(token.secret))
        )


class TriedSettings:
    """Settings that somebody tries out without having saved them. Within the caller's transaction."""

    async def put(self, tx: Transaction, preview: DialogueId, fields: Mapping[str, Any], *, now: datetime) -> None:
        """Keep what a preview's agent is to go by; what nobody tries out any more goes."""
        old = (console_drafts.c.company_id == tx.company, console_drafts.c.created_at < now - _DRAFT_LASTS)
        await tx.connection.execute(delete(console_drafts).where(*old))
        values = {"company_id": tx.company, "preview_id": preview, "fields": dict(fields), "created_at": now}
        await tx.connection.execute(
            insert(console_drafts)
            .values(values)
            .on_conflict_do_update(index_elements=["company_id", "preview_id"], set_=values)
        )

    async def find(self, tx: Transaction, preview: DialogueId) -> Mapping[str, Any]:
        """Return what a preview's agent is to go by beside what is saved."""
        found = await tx.connection.scalar(
            select(console_drafts.c.fields).where(
                console_drafts.c.company_id == tx.company, console_drafts.c.preview_id == preview
            )
        )
        return found or {}


def _still_there() -> tuple[Any, ...]:
    """Return what makes somebody one of the staff of a company that is served."""
    return (
        staff.c.enrolled_at.is_not(None),
        staff.c.dismissed_at.is_(None),
        models.companies.c.disabled_at.is_(None),
    )
