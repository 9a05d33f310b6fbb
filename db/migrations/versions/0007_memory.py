"""What is remembered of a dialogue beyond its last turns."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0007_memory.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("DROP TABLE dialogue_memory")
    op.execute("DELETE FROM work WHERE kind = 'memory'")
