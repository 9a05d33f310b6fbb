"""What owners ask of their days: figures kept by day, and of a turn how many messages it answered and since when."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0013_figures.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("DROP TABLE daily_figures")
    op.execute("DROP INDEX intents_company_id_finished_at_idx")
    op.execute("DROP INDEX handovers_company_id_created_at_idx")
    op.execute("ALTER TABLE turns DROP COLUMN messages, DROP COLUMN accepted_at")
