"""The table of what admins and staff did. Rows are added and read, never changed: a trigger refuses it to everybody."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from db.columns import company, metadata, moment

audit_entries = Table(
    "audit_entries",
    metadata,
    # Whose chain; zeros: the platform's own. No foreign key: what was done outlives the company it was done to.
    company(),
    Column("number", BigInteger, nullable=False),
    moment("at", nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("company_id", "number"),
)
