"""What admins and staff did, in chains that are only added to; ciphertexts are marked in the schema."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0010_audit.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("DROP TABLE audit_entries")
    op.execute("DROP FUNCTION ai_admin_refuse_change")
    op.execute("COMMENT ON COLUMN company_channels.secrets IS NULL")
    op.execute("COMMENT ON COLUMN company_crm_settings.secrets IS NULL")
