"""The schema: company first in every key, row-level security forced, up and down. The rights: test_rights.py."""

from __future__ import annotations

import contextlib
from collections import Counter
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import db.models  # noqa: F401 (every table is in the metadata once it is loaded)
from db.columns import GLOBAL_TABLES, metadata
from db.engine import Database
from db.errors import SchemaBehind, UpgradeFailed
from db.records import CompanyId
from db.upgrade import current, downgrade, head, require_schema, runtime_url, upgrade

TENANT_TABLES = [table for table in metadata.sorted_tables if table.name not in GLOBAL_TABLES]


@pytest.fixture
async def database(database_url):
    opened = Database(runtime_url(database_url))
    yield opened
    await opened.close()


@pytest.fixture
async def owner(database_url):
    engine = create_async_engine(database_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


def test_the_global_tables_are_these_three():
    without_company = {table.name for table in metadata.sorted_tables if "company_id" not in table.c}

    assert without_company == {"companies"}
    assert frozenset({"companies", "webhook_tokens", "alembic_version"}) == GLOBAL_TABLES


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_company_comes_first_in_every_key_of_a_tenant_table(table):
    keys = [list(table.primary_key.columns.keys())]
    keys += [list(one.columns.keys()) for one in table.constraints if hasattr(one, "columns") and len(one.columns)]
    keys += [[column.name for column in index.columns] for index in table.indexes if index.name != "work_due_at_idx"]

    assert all(key[0] == "company_id" for key in keys), keys


async def test_the_migrated_schema_is_the_models(owner):
    def compare(connection):
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        return [
            difference for difference in found if not str(getattr(difference[1], "name", "")).startswith("messages_")
        ]

    async with owner.connect() as connection:
        assert await connection.run_sync(compare) == []


async def test_every_table_with_a_company_is_under_forced_row_level_security(owner):
    async with owner.connect() as connection:
        rows = await connection.execute(
            text(
                "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,"
                " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) AS policies"
                " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id'"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            )
        )
        tables = {row.relname: row for row in rows}

    assert {name for name, row in tables.items() if not (row.relrowsecurity and row.relforcerowsecurity)} == {
        "webhook_tokens"
    }
    # The worker sees all work, and may count in three tables; the intake's function stores in three, and the owner asks
    # for the longest term (test_rights.py).
    more = Counter(work=2, accepted_updates=2, update_keys=1, replies=1, company_channels=1, company_agent_settings=1)
    for name, row in tables.items():
        expected = 0 if row.relispartition or name == "webhook_tokens" else 1 + more[name]
        assert row.policies == expected, name


async def test_without_a_company_nothing_is_seen_and_a_foreign_row_is_refused(database):
    mine, other = CompanyId(uuid4()), CompanyId(uuid4())
    for company_id, slug in ((mine, "mine"), (other, "other")):
        async with database.company(company_id) as tx:
            values = {"id": company_id, "slug": slug}
            await tx.connection.execute(text("INSERT INTO companies (id, slug, name) VALUES (:id, :slug, 'x')"), values)
            await tx.connection.execute(
                text("INSERT INTO company_agent_settings (company_id, description) VALUES (:id, 'secret')"),
                {"id": company_id},
            )
    seen = text("SELECT company_id FROM company_agent_settings")

    async with database.platform() as tx:
        assert (await tx.connection.execute(seen)).all() == []
    async with database.company(mine) as tx:
        assert [row[0] for row in await tx.connection.execute(seen)] == [mine]
        changed = await tx.connection.execute(text("UPDATE company_agent_settings SET description = 'mine now'"))
        assert changed.rowcount == 1
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.company(mine) as tx:
            await tx.connection.execute(
                text(
                    "INSERT INTO branches (company_id, id, key, name, time_zone, position)"
                    " VALUES (:other, gen_random_uuid(), 'k', 'n', 'UTC', 0)"
                ),
                {"other": other},
            )


async def test_the_company_of_a_transaction_does_not_outlive_it(database):
    async with database.company(CompanyId(uuid4())) as tx:
        await tx.connection.execute(text("SELECT 1"))

    async with database.platform() as tx:
        row = (await tx.connection.execute(text("SELECT current_setting('app.company_id', true), current_user"))).one()
    assert tuple(row) == ("", "ai_admin_app")


@pytest.mark.parametrize("table", sorted(table.name for table in metadata.sorted_tables))
async def test_the_intake_role_reads_no_table_and_the_worker_role_whole_rows_of_work_only(database, table):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.intake() as tx:
            await tx.connection.execute(text(f"SELECT one FROM {table} one"))
    with contextlib.nullcontext() if table == "work" else pytest.raises(DBAPIError, match="permission denied"):
        async with database.worker() as tx:
            await tx.connection.execute(text(f"SELECT one FROM {table} one"))


async def test_the_schema_goes_down_to_empty_and_up_again(database_url, owner):
    await downgrade(database_url)

    async with owner.connect() as connection:
        left = await connection.execute(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relname <> 'alembic_version'"
                " AND relname <> 'alembic_version_pkc'"
            )
        )
        assert left.all() == []
    assert await current(database_url) is None

    await upgrade(database_url)
    assert await current(database_url) == head()


async def test_an_upgrade_that_cannot_be_made_says_so(database_url):
    with pytest.raises(UpgradeFailed, match="nowhere"):
        await upgrade(database_url, "nowhere")
    assert await current(database_url) == head()


async def test_a_process_of_production_refuses_a_schema_older_than_it_wants(database_url):
    await require_schema(database_url)
    await downgrade(database_url)

    with pytest.raises(SchemaBehind, match="ai-admin db upgrade"):
        await require_schema(database_url)


async def test_the_login_that_owns_nothing_may_look_which_schema_there_is(database_url):
    await require_schema(runtime_url(database_url))
