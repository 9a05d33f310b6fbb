"""Whether clients' names and phones are hidden from the model."""

from alembic import op

revision = "0012"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE company_agent_settings ADD COLUMN mask_personal_data boolean")


def downgrade() -> None:
    op.execute("ALTER TABLE company_agent_settings DROP COLUMN mask_personal_data")
