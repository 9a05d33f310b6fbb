"""The tables of what is written to clients unasked: who waits, what became free, who agreed, what went, ratings."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.columns import company, metadata, moment, of_branch

STANDING_OFFER = text("outcome IN ('open', 'taken')")

waiting_list = Table(
    "waiting_list",
    metadata,
    company(),
    # Ids grow with time: whoever asked first has the smallest.
    Column("id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("service_ids", JSONB, nullable=False),
    Column("service_names", JSONB, nullable=False),
    # NULL: any master.
    Column("staff_id", Text),
    Column("staff_name", Text, nullable=False, server_default=text("''")),
    # Days and times of day by the branch's wall clock.
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("earliest", Time),
    Column("latest", Time),
    Column("status", Text, nullable=False, server_default=text("'waiting'")),
    moment("created_at", nullable=False),
    # When the client last asked to be told: one message is what they asked for, any further one is not.
    moment("asked_at", nullable=False),
    moment("closed_at"),
    PrimaryKeyConstraint("company_id", "id"),
    of_branch(),
    Index(
        "waiting_list_waiting_idx",
        "company_id",
        "branch_id",
        "id",
        postgresql_where=text("status = 'waiting'"),
    ),
    Index("waiting_list_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)

freed_times = Table(
    "freed_times",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    # Which record left which time: told again, it is no news.
    Column("source", Text, nullable=False),
    Column("staff_name", Text, nullable=False),
    moment("starts_at", nullable=False),
    Column("duration_s", Integer, nullable=False),
    moment("created_at", nullable=False),
    moment("closed_at"),
    Column("outcome", Text),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "branch_id", "source"),
    of_branch(),
    Index("freed_times_open_idx", "company_id", "id", postgresql_where=text("closed_at IS NULL")),
)

waiting_offers = Table(
    "waiting_offers",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("freed_id", Uuid, nullable=False),
    Column("entry_id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    # The CRM's id of the master.
    Column("staff_id", Text, nullable=False),
    moment("starts_at", nullable=False),
    moment("offered_at", nullable=False),
    moment("expires_at", nullable=False),
    Column("outcome", Text, nullable=False, server_default=text("'open'")),
    PrimaryKeyConstraint("company_id", "id"),
    # Nobody is offered the same time twice, whatever crashed in between.
    UniqueConstraint("company_id", "freed_id", "entry_id"),
    ForeignKeyConstraint(["company_id", "freed_id"], ["freed_times.company_id", "freed_times.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["company_id", "entry_id"], ["waiting_list.company_id", "waiting_list.id"], ondelete="CASCADE"
    ),
    # One client at a time is offered a time, and one time at a time is offered to a client.
    Index("waiting_offers_of_time_idx", "company_id", "freed_id", unique=True, postgresql_where=STANDING_OFFER),
    Index("waiting_offers_of_entry_idx", "company_id", "entry_id", unique=True, postgresql_where=STANDING_OFFER),
    Index("waiting_offers_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
    Index("waiting_offers_company_id_offered_at_idx", "company_id", "offered_at"),
)

consents = Table(
    "consents",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    # The type of the channel that it was said in: what is agreed to in one is written in that one.
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # Which words were shown; they stand in notice_wordings. NULL: none were, the client said it unasked.
    Column("wording_version", Text),
    moment("given_at"),
    moment("refused_at"),
    moment("withdrawn_at"),
    PrimaryKeyConstraint("company_id", "id"),
    Index("consents_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)

outreach_log = Table(
    "outreach_log",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # What it was about: an offer, a visit. Of each, one message goes out.
    Column("subject", Text, nullable=False),
    # Whether the client had asked for this very message: it does not count against the week.
    Column("requested", Boolean, nullable=False),
    moment("at", nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "kind", "subject"),
    Index("outreach_log_company_id_dialogue_id_at_idx", "company_id", "dialogue_id", "at"),
)

ratings = Table(
    "ratings",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    # What the external ids of a visit's records have in common: of each visit is asked once.
    Column("visit", Text, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("branch_id", Uuid, nullable=False),
    Column("service_names", JSONB, nullable=False),
    Column("staff_name", Text, nullable=False),
    moment("starts_at", nullable=False),
    # Asked, or why not: the client cancelled, did not come, had heard of us this week.
    Column("outcome", Text, nullable=False),
    moment("asked_at", nullable=False),
    Column("stars", Integer),
    moment("rated_at"),
    Column("comment", Text),
    PrimaryKeyConstraint("company_id", "id"),
    UniqueConstraint("company_id", "visit"),
    Index("ratings_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
    Index("ratings_rated_idx", "company_id", "rated_at", postgresql_where=text("rated_at IS NOT NULL")),
)
