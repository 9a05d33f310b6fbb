"""The tables of a master's day that cannot be held: whose visits it is about, and which of their clients were asked."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text, Uuid, text

from db.columns import company, metadata, moment

sick_days = Table(
    "sick_days",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("master", Text, nullable=False),
    Column("day", Date, nullable=False),
    # "asked": staff said so; "cancelled": staff cancelled several of the day's visits in the CRM.
    Column("cause", Text, nullable=False),
    Column("state", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("decided_at"),
    Column("decided_by", Text),
    # Where its list stands, and the digest of what the list last said.
    Column("bot_channel_id", Uuid, nullable=False),
    Column("staff_key", Text, nullable=False),
    Column("shown", Text, nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("company_id", "id"),
    ForeignKeyConstraint(["company_id", "branch_id"], ["branches.company_id", "branches.id"], ondelete="CASCADE"),
    Index("sick_days_company_id_branch_id_day_idx", "company_id", "branch_id", "day"),
)

sick_visits = Table(
    "sick_visits",
    metadata,
    company(),
    Column("sick_id", Uuid, nullable=False),
    Column("appointment_id", Uuid, nullable=False),
    # The client's: the one that made the visit.
    Column("dialogue_id", Uuid, nullable=False),
    moment("was_at", nullable=False),
    moment("noted_at", nullable=False),
    # In which dialogue the client was asked, and when; NULL: they can only be phoned.
    Column("asked_in", Uuid),
    moment("asked_at"),
    PrimaryKeyConstraint("company_id", "sick_id", "appointment_id"),
    ForeignKeyConstraint(
        ["company_id", "sick_id"],
        ["sick_days.company_id", "sick_days.id"],
        ondelete="CASCADE",
        name="sick_visits_sick_id_fkey",
    ),
    ForeignKeyConstraint(
        ["company_id", "appointment_id"],
        ["appointments.company_id", "appointments.id"],
        ondelete="CASCADE",
        name="sick_visits_appointment_id_fkey",
    ),
    Index("sick_visits_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
    Index("sick_visits_company_id_appointment_id_idx", "company_id", "appointment_id"),
)
