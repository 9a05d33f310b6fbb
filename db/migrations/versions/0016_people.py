"""People in the loop: who belongs to the staff, and the dialogues that they have taken over."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0015"

_HERE = Path(__file__).parent


def upgrade() -> None:
    for statement in (_HERE / "0016_people.sql").read_text(encoding="utf-8").split("\n---\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE company_agent_settings DROP COLUMN people")
    for table in ("staff_messages", "drafts", "mirror_items", "handover_threads", "staff"):
        op.execute(f"DROP TABLE {table}")
    for column in ("author", "about"):
        op.execute(f"ALTER TABLE replies DROP COLUMN {column}")
