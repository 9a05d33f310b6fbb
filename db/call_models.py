"""The table of telephone calls."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy import text as sql

from db.columns import company, metadata, moment

calls = Table(
    "calls",
    metadata,
    company(),
    Column("channel_id", Uuid, nullable=False),
    # The provider's own id of the call; the dialogue's key too.
    Column("key", Text, nullable=False),
    Column("dialogue_id", Uuid, nullable=False),
    # E.164 as the network told it: it can be forged.
    Column("caller", Text),
    # The digest of what the stream has to show, once; NULL: it was shown.
    Column("ticket", LargeBinary),
    moment("started_at", nullable=False),
    Column("connections", Integer, nullable=False, server_default=sql("0")),
    moment("ended_at"),
    Column("outcome", Text),
    # In which words the caller was told that personal data is processed; NULL: not in this call.
    Column("notice_version", Text),
    PrimaryKeyConstraint("company_id", "channel_id", "key"),
    ForeignKeyConstraint(
        ["company_id", "channel_id"], ["company_channels.company_id", "company_channels.id"], ondelete="CASCADE"
    ),
    Index("calls_company_id_caller_idx", "company_id", "caller", postgresql_where=sql("caller IS NOT NULL")),
    Index("calls_company_id_started_at_idx", "company_id", "started_at"),
    Index("calls_company_id_dialogue_id_idx", "company_id", "dialogue_id"),
)
