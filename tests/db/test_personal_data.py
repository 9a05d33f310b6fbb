"""Every table that names a client or a dialogue is one of the places where personal data is looked for."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.personal_data import PLACES

NAMES_A_CLIENT = (
    "client_id",
    "dialogue_id",
    "turn_id",
    "reply_id",
    "intent_id",
    "caller",
    "proved_phone",
    "client_name",
)
NO_CLIENTS = {
    # Ids of the platform's own, with which no row of a client is meant.
    "webhook_tokens",
}


async def test_no_table_that_names_a_client_is_forgotten_by_export_and_erasure(database_url):
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
                " AND NOT a.attisdropped AND a.attname = ANY (:names)"
            ),
            {"names": list(NAMES_A_CLIENT)},
        )
        naming = {row.relname for row in rows}
        referring = await connection.execute(
            text(
                "SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint WHERE contype = 'f'"
                " AND confrelid::regclass::text = ANY (:places)"
            ),
            {"places": sorted(PLACES)},
        )
        naming |= {row.name for row in referring}
    await engine.dispose()

    assert naming - NO_CLIENTS == PLACES - {"clients"} | ({"clients"} & naming)
