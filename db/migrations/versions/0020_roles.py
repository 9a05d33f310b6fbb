"""What staff may do from their chat: pause the agent, add notes to its instructions, answer who is late."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0020_roles.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for table in ("sick_visits", "sick_days", "strangers_told", "late_answers", "agent_notes"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE appointments DROP COLUMN staff_id")
    op.execute("ALTER TABLE companies DROP COLUMN paused_at, DROP COLUMN paused_by")
