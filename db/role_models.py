"""The tables of what staff do from their chat: notes to the agent, answers to who is late, strangers who were told."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text, Uuid, text

from db.columns import company, metadata, moment, of_company

agent_notes = Table(
    "agent_notes",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    Column("author_id", Uuid, nullable=False),
    # As they were called then: who was dismissed is still the one who wrote it.
    Column("author_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("decided_at"),
    Column("decided_by", Text),
    PrimaryKeyConstraint("company_id", "id"),
    of_company(),
    Index("agent_notes_standing_idx", "company_id", "id", postgresql_where=text("state <> 'undone'::text")),
)

late_answers = Table(
    "late_answers",
    metadata,
    company(),
    # That of the notice to staff: it is answered once.
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_by", Text, nullable=False),
    moment("answered_at", nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    ForeignKeyConstraint(["company_id", "dialogue_id"], ["sessions.company_id", "sessions.id"], ondelete="CASCADE"),
    Index("late_answers_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)

strangers_told = Table(
    "strangers_told",
    metadata,
    company(),
    Column("staff_dialogue_id", Uuid, nullable=False),
    moment("told_at", nullable=False),
    PrimaryKeyConstraint("company_id", "staff_dialogue_id"),
    of_company(),
)
