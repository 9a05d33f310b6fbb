"""What is written to clients unasked: waiting list, consents, what went when, ratings after visits."""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0018_outreach.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("DELETE FROM work WHERE kind IN ('waiting', 'care')")
    for table in ("waiting_offers", "freed_times", "waiting_list", "consents", "outreach_log", "ratings"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE company_agent_settings DROP COLUMN outreach")
    op.execute("ALTER TABLE daily_figures DROP COLUMN ratings, DROP COLUMN waiting")
