"""The tables of the people behind the agent: who belongs to the staff, and the dialogues that they have taken over."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.columns import ARRAY, company, created, metadata, moment, of_company

staff = Table(
    "staff",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    # Keys of the branches that an administrator is of; none: of all.
    Column("branches", JSONB, nullable=False, server_default=ARRAY),
    # Who a master is in the CRM.
    Column("crm_staff_id", Text),
    Column("telegram_user_id", BigInteger),
    # The digest of a one-time code, until it is used or its time is over.
    Column("invite", LargeBinary),
    moment("invite_until"),
    moment("enrolled_at"),
    moment("dismissed_at"),
    created(),
    PrimaryKeyConstraint("company_id", "id"),
    of_company(),
    Index(
        "staff_telegram_idx",
        "company_id",
        "telegram_user_id",
        unique=True,
        postgresql_where=text("telegram_user_id IS NOT NULL AND dismissed_at IS NULL"),
    ),
    Index("staff_invite_idx", "company_id", "invite", unique=True, postgresql_where=text("invite IS NOT NULL")),
)


def _of_dialogue() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["company_id", "dialogue_id"], ["sessions.company_id", "sessions.id"], ondelete="CASCADE"
    )


handover_threads = Table(
    "handover_threads",
    metadata,
    company(),
    Column("dialogue_id", Uuid, nullable=False),
    # Where staff see the client: through which bot, in which chat, in which topic of it. NULL: in none; they answer on
    # the business's own phone.
    Column("bot_channel_id", Uuid),
    Column("staff_key", Text),
    Column("staff_dialogue_id", Uuid),
    Column("topic_id", BigInteger),
    # The chat has no topics, or the bot may not open any: staff answer by replying.
    Column("topicless", Boolean, nullable=False, server_default=text("false")),
    # The last update that staff were shown while its answer still waited for them.
    Column("shown_until", Uuid),
    Column("reason", Text, nullable=False),
    moment("opened_at", nullable=False),
    moment("closed_at"),
    # Since when the client's words wait for a person's; None: nothing waits.
    moment("client_waits_since"),
    moment("person_at"),
    # How often staff were rung again for what waits.
    Column("rung", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("company_id", "dialogue_id"),
    _of_dialogue(),
    Index("handover_threads_topic_idx", "company_id", "staff_dialogue_id", "topic_id"),
    Index("handover_threads_open_idx", "company_id", "client_waits_since", postgresql_where=text("closed_at IS NULL")),
)

mirror_items = Table(
    "mirror_items",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("file", JSONB),
    # The words are this draft's: they have the buttons that send it or let it be.
    Column("draft_id", Uuid),
    moment("at", nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    _of_dialogue(),
    Index("mirror_items_company_id_dialogue_id_id_idx", "company_id", "dialogue_id", "id"),
)

drafts = Table(
    "drafts",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("turn_id", Uuid, nullable=False),
    # What would be sent, and how the history would have it.
    Column("replies", JSONB, nullable=False),
    Column("said", JSONB, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'open'")),
    moment("made_at", nullable=False),
    moment("settled_at"),
    Column("staff_id", Uuid),
    PrimaryKeyConstraint("company_id", "id"),
    _of_dialogue(),
    Index("drafts_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
    Index("drafts_company_id_made_at_idx", "company_id", "made_at"),
)

staff_messages = Table(
    "staff_messages",
    metadata,
    company(),
    Column("staff_dialogue_id", Uuid, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    PrimaryKeyConstraint("company_id", "staff_dialogue_id", "message_id"),
    _of_dialogue(),
    Index("staff_messages_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)
