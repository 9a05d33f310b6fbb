"""The table of figures by day: numbers only, nothing of a client."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Integer, PrimaryKeyConstraint, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from db.columns import OBJECT, company, metadata, moment, of_company

COUNTS = ("turns", "messages", "dialogues", "handed", "booked", "moved", "cancelled", "call_seconds")
TALLIES = ("answers", "reasons", "tools", "writes", "calls", "ratings", "waiting")


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger if name == "call_seconds" else Integer, nullable=False, server_default=text("0"))


daily_figures = Table(
    "daily_figures",
    metadata,
    company(),
    # In the company's own time zone, as it was when the day was counted.
    Column("day", Date, nullable=False),
    moment("made_at", nullable=False),
    *(_count(name) for name in COUNTS),
    *(Column(name, JSONB, nullable=False, server_default=OBJECT) for name in TALLIES),
    PrimaryKeyConstraint("company_id", "day"),
    of_company(),
)
