"""Alembic's environment: the connection is handed in by db/upgrade.py; there is no alembic.ini."""

from alembic import context

import db.models  # noqa: F401 (every table is in the metadata once it is loaded)
from db.columns import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
