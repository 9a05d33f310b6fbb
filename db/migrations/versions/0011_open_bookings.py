"""How many bookings a client may have open at once."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE company_agent_settings ADD COLUMN most_open_bookings INTEGER NOT NULL DEFAULT 5")


def downgrade() -> None:
    op.execute("ALTER TABLE company_agent_settings DROP COLUMN most_open_bookings")
