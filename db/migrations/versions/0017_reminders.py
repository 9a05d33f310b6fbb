"""Reminders: when clients are written to before a visit, what became of each, and whether they said that they come."""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0016"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0017_reminders.sql")


def downgrade() -> None:
    _run("0017_reminders_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
