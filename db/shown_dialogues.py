"""Dialogues as staff look at them: the last words of each, who waits for a person, and whose branch it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, exists, or_, select, true, union

from db.booking_models import appointments
from db.dialogues import dialogue_of
from db.engine import Transaction
from db.models import company_channels, handovers, messages, sessions
from db.records import PREVIEW, Author, BranchId, ChannelType, Dialogue, DialogueId, InCharge
from db.staff_models import handover_threads as threads


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDialogue:
    """`waits`: a person is asked to look at it, or answers it. `waits_since`: since when the client's words wait."""

    dialogue: Dialogue
    channel: ChannelType
    last_text: str | None
    last_author: Author | None
    last_at: datetime | None
    waits: bool
    waits_since: datetime | None


class ShownDialogues:
    """Every method works within the caller's transaction.

    `branches`: whose staff is looking (None: everybody's). A dialogue is theirs unless all that was booked in it is
    other branches'; one in which nothing was booked is everybody's, or nobody would answer it.
    """

    async def list_latest(
        self, tx: Transaction, *, branches: Sequence[BranchId] | None, waiting_only: bool, limit: int
    ) -> Sequence[ShownDialogue]:
        """Return the dialogues: those first in which a client waits for a person, then the latest."""
        statement = _shown(tx, branches).where(sessions.c.id.in_(_looked_at(tx, branches, waiting_only, limit)))
        if waiting_only:
            statement = statement.where(_waits())
        rows = await tx.connection.execute(
            statement.order_by(
                threads.c.client_waits_since.asc().nulls_last(), sessions.c.last_message_at.desc().nulls_last()
            ).limit(limit)
        )
        return [_read(row) for row in rows.mappings()]

    async def find(
        self, tx: Transaction, dialogue_id: DialogueId, *, branches: Sequence[BranchId] | None
    ) -> ShownDialogue | None:
        """Return a dialogue; None where there is none, or none for these to see."""
        found = await tx.connection.execute(_shown(tx, branches).where(sessions.c.id == dialogue_id))
        row = found.mappings().one_or_none()
        return _read(row) if row is not None else None


def _looked_at(tx: Transaction, branches: Sequence[BranchId] | None, waiting_only: bool, limit: int) -> Any:
    """Return which dialogues may stand in the list: a company has a hundred thousand, and it is asked for all the time.

    Each part is the head of an index.
    """
    shown = (
        select(threads.c.dialogue_id)
        .where(threads.c.company_id == tx.company, threads.c.closed_at.is_(None))
        .order_by(threads.c.client_waits_since)
        .limit(limit)
    )
    asked = (
        select(handovers.c.dialogue_id)
        .where(handovers.c.company_id == tx.company, handovers.c.resolved_at.is_(None))
        .order_by(handovers.c.created_at.desc())
        .limit(limit)
    )
    latest = (
        select(sessions.c.id)
        .where(sessions.c.company_id == tx.company, sessions.c.last_message_at.is_not(None))
        .order_by(sessions.c.last_message_at.desc())
        .limit(limit)
    )
    if branches is not None:
        latest = latest.where(_of_branches(branches))
    parts = [shown.subquery(), asked.subquery(), *([] if waiting_only else [latest.subquery()])]
    return union(*(select(part.c[0]) for part in parts))


def _shown(tx: Transaction, branches: Sequence[BranchId] | None) -> Any:
    last = (
        select(messages.c.text, messages.c.author, messages.c.at)
        .where(messages.c.company_id == sessions.c.company_id, messages.c.dialogue_id == sessions.c.id)
        .order_by(messages.c.id.desc())
        .limit(1)
        .lateral("last_words")
    )
    statement = (
        select(
            sessions,
            company_channels.c.type.label("channel_type"),
            last.c.text.label("last_text"),
            last.c.author.label("last_author"),
            last.c.at.label("last_at"),
            threads.c.client_waits_since,
            _waits().label("waits"),
        )
        .join(
            company_channels,
            and_(
                company_channels.c.company_id == sessions.c.company_id, company_channels.c.id == sessions.c.channel_id
            ),
        )
        .outerjoin(last, true())
        .outerjoin(
            threads,
            and_(
                threads.c.company_id == sessions.c.company_id,
                threads.c.dialogue_id == sessions.c.id,
                threads.c.closed_at.is_(None),
            ),
        )
        # What the staff themselves try out is no client's.
        .where(sessions.c.company_id == tx.company, company_channels.c.options[PREVIEW].is_(None))
    )
    return statement if branches is None else statement.where(_of_branches(branches))


def _waits() -> ColumnElement[bool]:
    asked = exists().where(
        handovers.c.company_id == sessions.c.company_id,
        handovers.c.dialogue_id == sessions.c.id,
        handovers.c.resolved_at.is_(None),
    )
    return or_(asked, sessions.c.in_charge == InCharge.PERSON.value)


def _of_branches(branches: Sequence[BranchId]) -> ColumnElement[bool]:
    made = exists().where(
        appointments.c.company_id == sessions.c.company_id, appointments.c.dialogue_id == sessions.c.id
    )
    return or_(~made, made.where(appointments.c.branch_id.in_(branches)))


def _read(row: RowMapping) -> ShownDialogue:
    return ShownDialogue(
        dialogue=dialogue_of(row),
        channel=ChannelType(row["channel_type"]),
        last_text=row["last_text"],
        last_author=Author(row["last_author"]) if row["last_author"] else None,
        last_at=row["last_at"],
        waits=row["waits"],
        waits_since=row["client_waits_since"],
    )
