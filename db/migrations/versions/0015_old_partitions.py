"""Partitions of `messages` that nobody keeps any longer are dropped whole."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0015_old_partitions.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("DROP FUNCTION ai_admin_drop_partitions")
    op.execute("DROP POLICY longest_term ON company_agent_settings")
