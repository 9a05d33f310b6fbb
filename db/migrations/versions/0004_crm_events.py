"""What CRMs tell by webhooks, and how far each branch was looked through for changes made there."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"

_HERE = Path(__file__).parent


def upgrade() -> None:
    _run("0004_crm_events.sql")


def downgrade() -> None:
    _run("0004_crm_events_down.sql")


def _run(name: str) -> None:
    for statement in (_HERE / name).read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)
