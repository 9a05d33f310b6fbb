"""Visits of several services: how long a company lets a client wait between two parts of one."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE company_agent_settings ADD COLUMN longest_gap_minutes INTEGER")


def downgrade() -> None:
    op.execute("ALTER TABLE company_agent_settings DROP COLUMN longest_gap_minutes")
