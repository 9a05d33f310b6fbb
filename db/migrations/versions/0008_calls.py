"""Telephone calls: their tickets, their lengths, how they ended."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0008_calls.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("DROP INDEX turns_company_id_dialogue_id_idx")
    op.execute("DROP TABLE calls")
