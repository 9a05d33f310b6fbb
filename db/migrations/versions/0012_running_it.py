"""What an operator needs: figures over all companies, a company's log level, the trace that an update belongs to."""

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0012_running_it.sql")


def downgrade() -> None:
    _run("0012_running_it_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
