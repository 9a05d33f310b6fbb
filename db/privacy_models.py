"""The tables of privacy: wordings that clients were shown, erasures, and the keys that sign for them."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from db.columns import ciphertext, company, created, metadata, moment, of_company

notice_wordings = Table(
    "notice_wordings",
    metadata,
    company(),
    Column("version", Text, nullable=False),
    Column("text", Text, nullable=False),
    moment("first_used_at", nullable=False),
    PrimaryKeyConstraint("company_id", "version"),
    of_company(),
)

erasures = Table(
    "erasures",
    metadata,
    company(),
    Column("id", Uuid, nullable=False),
    # Found again only by whoever knows the phone and holds the company's key.
    Column("subject", Text, nullable=False),
    moment("erased_at", nullable=False),
    Column("record", JSONB, nullable=False),
    PrimaryKeyConstraint("company_id", "id"),
    of_company(),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    company(),
    Column("id", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    ciphertext("secret"),
    created(),
    PrimaryKeyConstraint("company_id", "id"),
    of_company(),
)
