"""What every table is built of: one metadata, the company first, moments with their zone."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKeyConstraint, MetaData, Text, Uuid, text

GLOBAL_TABLES = frozenset({"companies", "webhook_tokens", "alembic_version"})

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)
NOW = text("now()")
OBJECT = text("'{}'::jsonb")
ARRAY = text("'[]'::jsonb")


def moment(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW)


def company() -> Column[object]:
    return Column("company_id", Uuid, nullable=False)


def ciphertext(name: str) -> Column[object]:
    """A column of ciphertexts: marked in the schema, and listed in db/crypto.py."""
    return Column(name, Text, nullable=False, comment="ciphertext")


def of_branch() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["company_id", "branch_id"], ["branches.company_id", "branches.id"], ondelete="CASCADE")


def of_company() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["company_id"], ["companies.id"], ondelete="CASCADE")
