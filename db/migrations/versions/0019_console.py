"""The web console: one-time links, who is signed in, and settings that are only tried out."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0019_console.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for index in ("appointments_company_id_branch_id_starts_at_idx", "handovers_open_idx", "handover_threads_open_idx"):
        op.execute(f"DROP INDEX {index}")
    for table in ("console_drafts", "console_sessions", "console_links"):
        op.execute(f"DROP TABLE {table}")
