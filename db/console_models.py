"""The tables of the web console: links that open it once, who is signed in, and settings that are only tried out."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, PrimaryKeyConstraint, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from db.columns import company, created, metadata, moment, of_company


def _of_member() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["company_id", "staff_id"], ["staff.company_id", "staff.id"], ondelete="CASCADE")


console_links = Table(
    "console_links",
    metadata,
    company(),
    # Of a long random word, which is not stored.
    Column("digest", LargeBinary, nullable=False),
    Column("staff_id", Uuid, nullable=False),
    moment("until", nullable=False),
    moment("used_at"),
    created(),
    PrimaryKeyConstraint("company_id", "digest"),
    _of_member(),
    Index("console_links_company_id_staff_id_idx", "company_id", "staff_id"),
)

console_sessions = Table(
    "console_sessions",
    metadata,
    company(),
    Column("digest", LargeBinary, nullable=False),
    Column("staff_id", Uuid, nullable=False),
    # When somebody last did something; what a page asks by itself is not counted.
    moment("seen_at", nullable=False),
    moment("until", nullable=False),
    created(),
    PrimaryKeyConstraint("company_id", "digest"),
    _of_member(),
    Index("console_sessions_company_id_staff_id_idx", "company_id", "staff_id"),
)

console_drafts = Table(
    "console_drafts",
    metadata,
    company(),
    # The dialogue in which they are tried out, which is nobody's but the member's.
    Column("preview_id", Uuid, nullable=False),
    Column("fields", JSONB, nullable=False),
    created(),
    PrimaryKeyConstraint("company_id", "preview_id"),
    of_company(),
)
