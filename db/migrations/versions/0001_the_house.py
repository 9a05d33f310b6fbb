"""The house: all tables, the roles, row-level security, and the functions of intake and partitions."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

_HERE = Path(__file__).parent
_TABLES = (
    "webhook_tokens",
    "sessions",
    "company_crm_settings",
    "company_channels",
    "company_agent_settings",
    "branches",
    "work",
    "update_keys",
    "turns",
    "tool_calls",
    "replies",
    "messages",
    "intents",
    "handovers",
    "companies",
    "appointments",
    "accepted_updates",
)
_FUNCTIONS = ("ai_admin_accept", "ai_admin_make_partitions")
_ROLES = ("ai_admin_login", "ai_admin_worker", "ai_admin_intake", "ai_admin_app")


def upgrade() -> None:
    for statement in (_HERE / "0001_tables.sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
    for statement in (_HERE / "0001_the_house.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    connection = op.get_bind()
    for name in _FUNCTIONS:
        connection.exec_driver_sql(f"DROP FUNCTION {name}")
    for name in _TABLES:
        connection.exec_driver_sql(f"DROP TABLE {name}")
    for name in _ROLES:
        # Roles are the cluster's: another database of it may still use them, and then they stay.
        connection.exec_driver_sql(
            f"""DO $$ BEGIN
                EXECUTE 'DROP OWNED BY {name}';
                DROP ROLE {name};
            EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL; END $$"""
        )
