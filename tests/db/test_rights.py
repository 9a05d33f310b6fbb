"""Who may do what, read from PostgreSQL's own catalogue: three exceptions to "one company at a time", and no fourth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import db.models  # noqa: F401 (every table is in the metadata once it is loaded)
from db.columns import GLOBAL_TABLES, metadata
from db.engine import Database
from db.records import Accepted, new_id
from db.upgrade import runtime_url

ROLES = {"ai_admin_app", "ai_admin_intake", "ai_admin_worker"}
LOGIN = "ai_admin_login"
EVERYBODY = {*ROLES, LOGIN, "PUBLIC"}
OUR_SCHEMAS = "NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"


@pytest.fixture
async def ask(database_url):
    """Ask the catalogue as the owner, who sees every right."""
    engine = create_async_engine(database_url, poolclass=NullPool)

    async def read(statement):
        async with engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    yield read
    await engine.dispose()


async def test_the_rights_on_tables_are_these_and_no_more(ask):
    rights = await ask(
        "SELECT grantee, table_name, privilege_type FROM information_schema.table_privileges"
        f" WHERE table_schema {OUR_SCHEMAS}"
    )
    everything = ("SELECT", "INSERT", "UPDATE", "DELETE")
    expected = {("ai_admin_app", table.name, right) for table in metadata.sorted_tables for right in everything}
    # What was done is added to and read by whoever does it, and stands.
    expected -= {("ai_admin_app", "audit_entries", right) for right in ("UPDATE", "DELETE")}
    expected |= {("ai_admin_worker", "work", right) for right in ("SELECT", "UPDATE")}
    expected |= {(LOGIN, "alembic_version", "SELECT")}

    assert {row for row in rights if row[0] in EVERYBODY} == expected


COUNTED = {
    "replies": {"company_id", "status", "created_at"},
    "accepted_updates": {"company_id", "dead_at"},
    "company_channels": {"company_id", "type", "status"},
    "companies": {"id", "slug"},
}
"""What the worker may read of all companies to count what waits: no client, no word, no secret."""


async def test_no_right_on_a_column_goes_beyond_those_on_tables_but_what_is_counted(ask):
    rights = await ask(
        "SELECT c.grantee, c.table_name, c.column_name, c.privilege_type FROM information_schema.column_privileges c"
        f" WHERE c.table_schema {OUR_SCHEMAS} AND NOT EXISTS ("
        " SELECT FROM information_schema.table_privileges t WHERE (t.grantee, t.table_schema, t.table_name,"
        " t.privilege_type) = (c.grantee, c.table_schema, c.table_name, c.privilege_type))"
    )

    assert set(rights) == {
        ("ai_admin_worker", table, column, "SELECT") for table, columns in COUNTED.items() for column in columns
    }


async def test_the_functions_are_these_each_with_its_callers_and_a_fixed_search_path(ask):
    functions = await ask(
        "SELECT p.proname, p.prosecdef, p.proconfig,"
        " coalesce((SELECT array_agg(coalesce(r.rolname, 'PUBLIC') ORDER BY r.rolname)"
        "  FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
        "  WHERE a.grantee <> p.proowner), '{}') AS callers"
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        f" WHERE n.nspname {OUR_SCHEMAS} ORDER BY p.proname"
    )
    path = ["search_path=pg_catalog, public, pg_temp"]

    assert functions == [
        # Twice: with traces, and as the version before this calls it, as long as it may run beside it.
        ("ai_admin_accept", True, path, ["ai_admin_intake"]),
        ("ai_admin_accept", True, path, ["ai_admin_intake"]),
        ("ai_admin_drop_partitions", True, [*path, "lock_timeout=1s"], ["ai_admin_app"]),
        ("ai_admin_make_partitions", True, path, ["ai_admin_app"]),
        ("ai_admin_refuse_change", False, path, []),
    ]


async def test_a_temporary_table_of_the_caller_is_not_the_one_that_the_function_meets(ask, database_url):
    """A temporary schema that a search path does not name comes first in it, and its tables hide the real ones."""
    company, update = new_id(), new_id()
    opened = Database(runtime_url(database_url))
    try:
        async with opened.intake() as tx:
            await tx.driver.execute("CREATE TEMPORARY TABLE update_keys (stolen text)")
            accepted = await tx.driver.fetchval(
                "SELECT ai_admin_accept(ARRAY[$1]::uuid[], ARRAY[$1]::uuid[], ARRAY[$1]::uuid[], ARRAY[$2]::uuid[],"
                " ARRAY['5:5:'], ARRAY['1'], ARRAY['{}'::bytea], ARRAY[now()], ARRAY[now()])",
                company,
                update,
            )
    finally:
        await opened.close()

    assert accepted == [update]
    assert await ask("SELECT update_key FROM public.update_keys") == [("1",)]


async def test_the_login_may_take_these_three_roles_and_they_may_take_none(ask):
    members = await ask(
        "SELECT m.rolname, r.rolname, a.admin_option FROM pg_auth_members a"
        " JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member"
    )

    assert {row for row in members if row[0] in EVERYBODY} == {(LOGIN, role, False) for role in ROLES}


async def test_no_role_of_ours_is_more_than_a_role(ask):
    roles = await ask(
        "SELECT rolname, rolcanlogin, rolinherit, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
        " OR rolreplication FROM pg_roles"
    )

    assert {row for row in roles if row[0] in EVERYBODY} == {
        (LOGIN, True, False, False),
        *((role, False, False, False) for role in ROLES),
    }


async def test_no_role_of_ours_owns_anything_or_may_create_in_the_schema(ask):
    owned = await ask(
        "SELECT r.rolname, d.classid::regclass::text FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
        " WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'"
    )
    schemas = await ask(
        "SELECT coalesce(r.rolname, 'PUBLIC'), n.nspname, a.privilege_type"
        " FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
        f" WHERE n.nspname {OUR_SCHEMAS} AND a.grantee <> n.nspowner"
    )

    assert [row for row in owned if row[0] in EVERYBODY] == []
    assert {row for row in schemas if row[0] in EVERYBODY} == {(role, "public", "USAGE") for role in {*ROLES, LOGIN}}


async def test_only_the_global_tables_are_without_forced_row_level_security(ask):
    tables = await ask(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE n.nspname {OUR_SCHEMAS} AND c.relkind IN ('r', 'p', 'f', 'm', 'v')"
        " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    )

    assert {name for (name,) in tables} == GLOBAL_TABLES


async def test_every_policy_is_the_companys_own_but_the_workers_on_what_it_counts_and_the_intakes(ask):
    [(owner,)] = await ask("SELECT tableowner FROM pg_tables WHERE tablename = 'company_agent_settings'")
    policies = await ask(
        "SELECT tablename, policyname, roles::text[], cmd, permissive, qual, with_check FROM pg_policies"
    )
    own = "(company_id = (NULLIF(current_setting('app.company_id'::text, true), ''::text))::uuid)"
    taken_in = "(current_setting('app.intake'::text, true) = 'on'::text)"
    tenants = [table.name for table in metadata.sorted_tables if table.name not in GLOBAL_TABLES]

    assert sorted(policies) == sorted(
        [
            *((name, "company", ["public"], "ALL", "PERMISSIVE", own, own) for name in tenants),
            ("work", "every_company", ["ai_admin_worker"], "ALL", "PERMISSIVE", "true", "true"),
            ("company_agent_settings", "longest_term", [owner], "SELECT", "PERMISSIVE", "true", None),
            *(
                (name, "intake", [owner], "ALL", "PERMISSIVE", taken_in, taken_in)
                for name in ("accepted_updates", "update_keys", "work")
            ),
            *(
                (name, "counted", ["ai_admin_worker"], "SELECT", "PERMISSIVE", condition, None)
                for name, condition in (
                    ("accepted_updates", "(dead_at IS NOT NULL)"),
                    ("company_channels", "(status = 'broken'::text)"),
                    ("replies", "(status = 'waiting'::text)"),
                )
            ),
        ]
    )


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_nobody_passes_for_the_intakes_function_by_setting_what_it_sets(database_url, core, channel, role):
    update = Accepted(update_key="1", dialogue_key="5:5:", payload=b"{}")
    await core.intake.accept(channel, [update], quiet=timedelta(0))
    engine = create_async_engine(runtime_url(database_url), poolclass=NullPool)
    seen = {}
    for table in ("accepted_updates", "update_keys"):
        async with engine.connect() as connection:
            await connection.execute(text(f"SET ROLE {role}"))
            await connection.execute(text("SET app.intake = 'on'"))
            try:
                seen[table] = await connection.scalar(text(f"SELECT count(company_id) FROM {table}"))
            except ProgrammingError as error:
                if "permission denied" not in str(error.orig):
                    raise
                seen[table] = 0
    await engine.dispose()

    assert set(seen.values()) == {0}
