"""The schema spread over a Citus cluster, by company. **Never run on a real Citus**: no package of it can be had here.

What is written here is what Citus documents, and the tests hold the statements against that: a distributed table's
primary key and unique constraints contain the distribution column; its foreign keys lead to co-located tables with
that column, or to reference tables; nothing leads from a reference or local table to a distributed one; there are no
triggers on distributed tables. (https://docs.citusdata.com/en/stable/develop/reference_ddl.html,
https://docs.citusdata.com/en/stable/extra/triggers.html)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import db.models  # noqa: F401 (every table is in the metadata once it is loaded)
from db.address import read_database_address
from db.audit import PLATFORM, Action, AuditTrail
from db.columns import metadata
from db.engine import enter, unprepared
from db.errors import DatabaseUnavailable, UpgradeFailed

COLUMN = "company_id"


class Kind(StrEnum):
    """DISTRIBUTED by company; REFERENCE, whole on every node; LOCAL, on the coordinator alone."""

    DISTRIBUTED = "distributed"
    REFERENCE = "reference"
    LOCAL = "local"


# What is not distributed, and why. A new table is distributed unless it stands here; a test refuses one that cannot be.
EXCEPTIONS = {
    "alembic_version": (Kind.LOCAL, "one row, read and written by upgrades"),
    "companies": (Kind.REFERENCE, "small, and almost every table leads to it"),
    "webhook_tokens": (Kind.REFERENCE, "looked up before the company is known"),
    "work": (
        Kind.LOCAL,
        "claimed over all companies with FOR UPDATE SKIP LOCKED, which Citus takes of one shard only"
        " (https://github.com/citusdata/citus/issues/4647)",
    ),
    "audit_entries": (
        Kind.LOCAL,
        "its triggers keep it from being changed, and Citus takes none on distributed tables",
    ),
}

# The function that stores updates, in statements that each name one company as a constant: one statement with writes to
# several distributed tables and a local one, as the schema's own has, is none that Citus can send to a shard. It does
# the same, one update after another. SET LOCAL instead of set_config: only the former is carried to the workers.
ACCEPT = """
CREATE OR REPLACE FUNCTION ai_admin_accept(
    p_company_ids uuid[], p_channel_ids uuid[], p_dialogue_ids uuid[], p_ids uuid[],
    p_dialogue_keys text[], p_update_keys text[], p_payloads bytea[],
    p_accepted_at timestamptz[], p_due_at timestamptz[], p_traces text[]
) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    one record;
    company uuid;
    stored integer;
    accepted uuid[] := '{}';
BEGIN
    FOR one IN
        SELECT * FROM unnest(p_company_ids, p_channel_ids, p_dialogue_ids, p_ids, p_dialogue_keys, p_update_keys,
                             p_payloads, p_accepted_at, p_due_at, p_traces)
            AS g(company_id, channel_id, dialogue_id, id, dialogue_key, update_key, payload, accepted_at, due_at, trace)
        ORDER BY company_id, channel_id, update_key, id
    LOOP
        IF company IS DISTINCT FROM one.company_id THEN
            company := one.company_id;
            EXECUTE format('SET LOCAL app.company_id = %L', company::text);
        END IF;
        INSERT INTO update_keys (company_id, channel_id, update_key, accepted_at)
        VALUES (one.company_id, one.channel_id, one.update_key, one.accepted_at) ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS stored = ROW_COUNT;
        CONTINUE WHEN stored = 0;
        INSERT INTO accepted_updates (company_id, id, channel_id, dialogue_id, dialogue_key, update_key, payload,
                                      accepted_at, trace)
        VALUES (one.company_id, one.id, one.channel_id, one.dialogue_id, one.dialogue_key, one.update_key, one.payload,
                one.accepted_at, one.trace);
        INSERT INTO work AS w (company_id, dialogue_id, kind, subject_id, channel_id, due_at)
        VALUES (one.company_id, one.dialogue_id, 'turn', '00000000-0000-0000-0000-000000000000', one.channel_id,
                one.due_at)
        ON CONFLICT (company_id, dialogue_id, kind, subject_id) DO UPDATE
            SET wake = w.wake + 1, due_at = least(coalesce(w.due_at, excluded.due_at), excluded.due_at);
        accepted := accepted || one.id;
    END LOOP;
    RETURN accepted;
END $$
""".strip()

_HAS_CITUS = text(
    "SELECT to_regproc('create_distributed_table') IS NOT NULL AND to_regclass('pg_dist_partition') IS NOT NULL"
)
_DONE = text("SELECT logicalrelid::regclass::text FROM pg_dist_partition")
# The form without traces, which the version before calls, leads to this one.
_ACCEPT_IS_OURS = text(
    "SELECT bool_or(prosrc LIKE '%SET LOCAL app.company_id%') FROM pg_proc WHERE proname = 'ai_admin_accept'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Statements of one transaction. `table` None: the functions."""

    table: str | None
    kind: Kind | None
    why: str
    statements: tuple[str, ...]


def kind_of(table: str) -> Kind:
    """Say what becomes of a table."""
    return EXCEPTIONS[table][0] if table in EXCEPTIONS else Kind.DISTRIBUTED


def plan(done: Collection[str] = (), *, functions_done: bool = False) -> list[Step]:
    """Return what is to be done, in an order that Citus takes: reference tables first, and no table before those that
    it leads to. `done`: tables that Citus has already."""
    tables = [table for table in metadata.sorted_tables if table.name not in done]
    steps = [_reference(table) for table in tables if kind_of(table.name) is Kind.REFERENCE]
    steps += [_distributed(table) for table in tables if kind_of(table.name) is Kind.DISTRIBUTED]
    if not functions_done:
        steps.append(
            Step(table=None, kind=None, why="statements that Citus can send to one shard", statements=(ACCEPT,))
        )
    return steps


async def distribute(url: str, audit: AuditTrail, *, dry_run: bool) -> list[Step]:
    """Turn the schema into distributed tables, and return the steps that were taken, or would be.

    Each step is a transaction, and what has been done is left out, so a run that broke off is run again. Nobody may use
    the database meanwhile. Raises UpgradeFailed where Citus is not there, or refuses; DatabaseUnavailable.
    """
    address = read_database_address(url)
    arguments = {**address.arguments, "timeout": 10, **unprepared()}
    engine = create_async_engine(address.url, poolclass=NullPool, connect_args=arguments)
    try:
        async with engine.begin() as connection:
            if not await connection.scalar(_HAS_CITUS):
                raise UpgradeFailed(
                    "this database has no Citus: CREATE EXTENSION citus in it and on every worker, name the workers "
                    "with citus_add_node, and run this again (docs/scaling.md)"
                )
            done = set((await connection.execute(_DONE)).scalars())
            functions_done = bool(await connection.scalar(_ACCEPT_IS_OURS))
        steps = plan(done, functions_done=functions_done)
        for step in steps if not dry_run else ():
            async with engine.begin() as connection:
                for statement in step.statements:
                    await connection.exec_driver_sql(statement)
        if steps and not dry_run:
            async with engine.begin() as connection:
                tx = await enter(connection, "ai_admin_app", PLATFORM)
                tables = [step.table or "functions" for step in steps]
                await audit.record(tx, Action.SCHEMA_DISTRIBUTE, subject="schema", after={"tables": tables})
        return steps
    except DBAPIError as error:
        raise UpgradeFailed(f"the schema could not be distributed: {error.orig}") from error
    except (OSError, TimeoutError) as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer: {error}") from error
    finally:
        await engine.dispose()


def _reference(table: Table) -> Step:
    # What leads from it to a distributed table has to go; a token whose channel is gone leads to nobody all the same.
    leading = [
        f"ALTER TABLE {table.name} DROP CONSTRAINT IF EXISTS {key.name}"
        for key in sorted(table.foreign_key_constraints, key=lambda one: str(one.name))
        if kind_of(key.referred_table.name) is not Kind.REFERENCE
    ]
    statements = (*leading, f"SELECT create_reference_table('{table.name}')")
    return Step(table=table.name, kind=Kind.REFERENCE, why=EXCEPTIONS[table.name][1], statements=statements)


def _distributed(table: Table) -> Step:
    # With forced row-level security an owner who is no superuser would copy no row.
    together = "none" if table.name == _first() else _first()
    statements = (
        "SET LOCAL citus.multi_shard_modify_mode = 'sequential'",
        f"ALTER TABLE {table.name} NO FORCE ROW LEVEL SECURITY",
        f"SELECT create_distributed_table('{table.name}', '{COLUMN}', colocate_with => '{together}')",
        f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY",
    )
    return Step(table=table.name, kind=Kind.DISTRIBUTED, why="a company's rows lie together", statements=statements)


def _first() -> str:
    """Return the table that all others are put together with."""
    return next(table.name for table in metadata.sorted_tables if kind_of(table.name) is Kind.DISTRIBUTED)
