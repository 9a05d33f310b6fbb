"""Privacy: how long a company keeps what clients leave, what they were told, what was erased and who signed for it."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0009_privacy.sql")


def downgrade() -> None:
    _run("0009_privacy_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
