"""Several channels: a client across them, what messengers tell of our messages, numbers behind one webhook."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0003_channels.sql")


def downgrade() -> None:
    _run("0003_channels_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
