"""What the models cost: by turn, by company and day, and the budgets that companies set."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0006_cost.sql")


def downgrade() -> None:
    _run("0006_cost_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
