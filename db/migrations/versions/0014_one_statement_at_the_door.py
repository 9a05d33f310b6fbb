"""A group of updates is stored by one statement, whatever companies they are of: one after another cost four times as
much."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0014_one_statement_at_the_door.sql")


def downgrade() -> None:
    _run("0014_one_statement_at_the_door_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
