"""The tables of what goes out: replies, and the messages that they became."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.columns import ARRAY, company, created, metadata, moment

replies = Table(
    "replies",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("dialogue_key", Text, nullable=False),
    Column("turn_id", Uuid),
    Column("payload", JSONB, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'waiting'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("sent_parts", Integer, nullable=False, server_default=text("0")),
    Column("channel_message_ids", JSONB, nullable=False, server_default=ARRAY),
    Column("window_closed", Boolean, nullable=False, server_default=text("false")),
    Column("error", Text),
    created(),
    moment("sent_at"),
    moment("delivered_at"),
    moment("read_at"),
    # The W3C traceparent of the turn that wrote it; None where nothing is traced.
    Column("trace", Text),
    # Whose words it holds, and the client's dialogue that a message to staff is about.
    Column("author", Text, nullable=False, server_default=text("'agent'")),
    Column("about", Uuid),
    PrimaryKeyConstraint("company_id", "id"),
    Index("replies_waiting_idx", "company_id", "dialogue_id", "id", postgresql_where=text("status = 'waiting'")),
    Index("replies_company_id_turn_id_idx", "company_id", "turn_id"),
    Index("replies_counted_idx", "company_id", "created_at", postgresql_where=text("status = 'waiting'")),
)

sent_messages = Table(
    "sent_messages",
    metadata,
    company(),
    Column("channel_id", Uuid, nullable=False),
    # The messenger's own id: what it tells of the message later is found by it.
    Column("message_id", Text, nullable=False),
    Column("reply_id", Uuid, nullable=False),
    PrimaryKeyConstraint("company_id", "channel_id", "message_id"),
    ForeignKeyConstraint(["company_id", "reply_id"], ["replies.company_id", "replies.id"], ondelete="CASCADE"),
    Index("sent_messages_company_id_reply_id_idx", "company_id", "reply_id"),
)
