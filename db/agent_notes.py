"""What staff add to the agent's instructions: proposed by one of them, in force after the owner's word, taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, func, insert, select, update

from db.engine import Transaction
from db.records import new_id
from db.role_models import agent_notes
from db.staff import StaffId, StaffMember

MOST_IN_FORCE = 20
MOST_PROPOSED = 20
LONGEST_NOTE = 500


class NoteState(StrEnum):
    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    UNDONE = "undone"
    """Taken back, or never let into force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentNote:
    id: UUID
    text: str
    author_id: StaffId
    author_name: str
    state: NoteState
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None


_IN_FORCE = (
    select(agent_notes.c.text)
    .where(agent_notes.c.company_id == bindparam("company"), agent_notes.c.state == NoteState.IN_FORCE.value)
    .order_by(agent_notes.c.id)
    .limit(MOST_IN_FORCE)
)


async def read_notes_in_force(tx: Transaction) -> tuple[str, ...]:
    """Return what the agent is told besides its instructions, the oldest first: it stands in the company's snapshot."""
    return tuple((await tx.connection.execute(_IN_FORCE, {"company": tx.company})).scalars())


class AgentNotes:
    """Every method works within the caller's transaction. A note in force counts once the company is told of."""

    async def propose(self, tx: Transaction, text: str, *, author: StaffMember, now: datetime) -> AgentNote | None:
        """Keep a note for the owner to decide on; None where as many wait already as may."""
        waiting = await tx.connection.scalar(
            select(func.count())
            .select_from(agent_notes)
            .where(agent_notes.c.company_id == tx.company, agent_notes.c.state == NoteState.PROPOSED.value)
        )
        if (waiting or 0) >= MOST_PROPOSED:
            return None
        values = {
            "company_id": tx.company,
            "id": new_id(),
            "text": text[:LONGEST_NOTE],
            "author_id": author.id,
            "author_name": author.name,
            "state": NoteState.PROPOSED.value,
            "created_at": now,
        }
        made = await tx.connection.execute(insert(agent_notes).values(values).returning(*agent_notes.c))
        return _note(made.mappings().one())

    async def count_in_force(self, tx: Transaction) -> int:
        return len(await read_notes_in_force(tx))

    async def find(self, tx: Transaction, id_: UUID) -> AgentNote | None:
        """Return a note, held until the transaction ends; None where there is none."""
        found = await tx.connection.execute(
            select(agent_notes).where(agent_notes.c.company_id == tx.company, agent_notes.c.id == id_).with_for_update()
        )
        row = found.mappings().one_or_none()
        return _note(row) if row is not None else None

    async def decide(self, tx: Transaction, note: AgentNote, state: NoteState, *, by: str, now: datetime) -> AgentNote:
        """Let a note into force, or take it back."""
        changed = (
            update(agent_notes)
            .where(agent_notes.c.company_id == tx.company, agent_notes.c.id == note.id)
            .values(state=state.value, decided_at=now, decided_by=by)
        )
        return _note((await tx.connection.execute(changed.returning(*agent_notes.c))).mappings().one())

    async def list_standing(self, tx: Transaction) -> Sequence[AgentNote]:
        """Return what is in force and what waits for the owner, the oldest first."""
        rows = await tx.connection.execute(
            select(agent_notes)
            .where(agent_notes.c.company_id == tx.company, agent_notes.c.state != NoteState.UNDONE.value)
            .order_by(agent_notes.c.id)
        )
        return [_note(row) for row in rows.mappings()]

    async def find_last(self, tx: Transaction, *, of: StaffId | None = None) -> AgentNote | None:
        """Return the last note that stands, held until the transaction ends. `of`: of those that this person wrote."""
        wanted = (
            select(agent_notes)
            .where(agent_notes.c.company_id == tx.company, agent_notes.c.state != NoteState.UNDONE.value)
            .order_by(agent_notes.c.id.desc())
            .limit(1)
            .with_for_update()
        )
        if of is not None:
            wanted = wanted.where(agent_notes.c.author_id == of)
        row = (await tx.connection.execute(wanted)).mappings().one_or_none()
        return _note(row) if row is not None else None


def _note(row: RowMapping) -> AgentNote:
    return AgentNote(
        id=row["id"],
        text=row["text"],
        author_id=StaffId(row["author_id"]),
        author_name=row["author_name"],
        state=NoteState(row["state"]),
        created_at=row["created_at"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
    )
