"""The durable engine: group commit at the intake, claims on slots, sweeping as work, a company's quiet time."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0002_the_durable_engine.sql")


def downgrade() -> None:
    _run("0002_the_durable_engine_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
