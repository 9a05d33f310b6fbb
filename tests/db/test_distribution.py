"""What `db distribute` asks of Citus, held against what Citus documents. No real Citus was ever there."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import ForeignKeyConstraint, Table, UniqueConstraint, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.audit import AuditTrail
from db.columns import GLOBAL_TABLES, metadata
from db.distribution import COLUMN, EXCEPTIONS, Kind, distribute, kind_of, plan
from db.engine import Database
from db.errors import UpgradeFailed
from sandbox.citus import STATEMENTS

TABLES = [table.name for table in metadata.sorted_tables]


@pytest.fixture
async def ask(database_url):
    """Order and ask as the owner."""
    engine = create_async_engine(database_url, poolclass=NullPool)

    async def run(*statements):
        async with engine.begin() as connection:
            for statement in statements:
                found = await connection.exec_driver_sql(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

    yield run
    await engine.dispose()


@pytest.fixture
def audit(clock):
    return AuditTrail(clock)


def test_every_table_is_decided_upon():
    assert set(EXCEPTIONS) <= {*TABLES, "alembic_version"}, "a table that is no more"
    assert {name for name in EXCEPTIONS if kind_of(name) is Kind.REFERENCE} | {"alembic_version"} == GLOBAL_TABLES


@pytest.mark.parametrize("table", [t for t in metadata.sorted_tables if kind_of(t.name) is Kind.DISTRIBUTED], ids=str)
def test_a_distributed_tables_keys_contain_the_company_and_lead_nowhere_else(table: Table):
    keys = [table.primary_key, *(one for one in table.constraints if isinstance(one, UniqueConstraint))]
    keys += [index for index in table.indexes if index.unique]

    assert COLUMN in table.c, "it cannot be distributed: decide upon it in EXCEPTIONS"
    assert all(COLUMN in {column.name for column in key.columns} for key in keys)
    for key in (one for one in table.constraints if isinstance(one, ForeignKeyConstraint)):
        target = kind_of(key.referred_table.name)
        assert target is not Kind.LOCAL
        assert target is Kind.REFERENCE or (
            COLUMN in key.column_keys and COLUMN in {e.column.name for e in key.elements}
        )


def test_what_stays_on_the_coordinator_leads_to_no_distributed_table():
    for table in metadata.sorted_tables:
        if kind_of(table.name) is Kind.LOCAL:
            assert {kind_of(key.referred_table.name) for key in table.foreign_key_constraints} <= {Kind.REFERENCE}


def test_reference_tables_come_first_and_no_table_before_those_it_leads_to():
    order = [step.table for step in plan()]
    kinds = [step.kind for step in plan() if step.table]

    assert sorted(kinds, key=lambda kind: kind is Kind.DISTRIBUTED) == kinds
    for table in metadata.sorted_tables:
        if kind_of(table.name) is Kind.DISTRIBUTED:
            for key in table.foreign_key_constraints:
                assert order.index(key.referred_table.name) < order.index(table.name)
    assert order[-1] is None, "the functions are exchanged last"
    assert sorted(filter(None, order)) == sorted(name for name in TABLES if kind_of(name) is not Kind.LOCAL)


async def test_a_pretended_citus_takes_every_statement_and_a_second_run_has_nothing_to_do(database_url, ask, audit):
    await ask(*STATEMENTS)

    printed = await distribute(database_url, audit, dry_run=True)
    assert await ask("SELECT * FROM pg_dist_partition") == []
    taken = await distribute(database_url, audit, dry_run=False)

    assert [step.statements for step in printed] == [step.statements for step in taken]
    noted = dict(await ask("SELECT logicalrelid::text, partmethod FROM pg_dist_partition"))
    assert noted == {
        name: "n" if kind_of(name) is Kind.REFERENCE else "h" for name in TABLES if kind_of(name) is not Kind.LOCAL
    }
    together = {row[0] for row in await ask("SELECT colocated_with FROM pg_dist_partition WHERE partmethod = 'h'")}
    assert len(together - {"none"}) == 1, "one table begins the group, all others join it"
    [(open_doors,)] = await ask(
        "SELECT count(*) FROM pg_class c JOIN pg_dist_partition d ON d.logicalrelid = c.oid"
        " WHERE d.partmethod = 'h' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    )
    assert open_doors == 0, "row-level security is forced again"
    assert await distribute(database_url, audit, dry_run=False) == []


async def test_a_run_that_broke_off_goes_on_where_it_was(database_url, ask, audit):
    await ask(*STATEMENTS, "CREATE UNIQUE INDEX in_the_way ON replies (id)")
    with pytest.raises(UpgradeFailed, match="a unique key of replies does not contain the distribution column"):
        await distribute(database_url, audit, dry_run=False)
    [(before,)] = await ask("SELECT count(*) FROM pg_dist_partition")
    await ask("DROP INDEX in_the_way")

    rest = await distribute(database_url, audit, dry_run=False)

    assert rest[0].table == "replies"
    [(after,)] = await ask("SELECT count(*) FROM pg_dist_partition")
    assert 0 < before < after == sum(kind_of(name) is not Kind.LOCAL for name in TABLES)


async def test_without_citus_nothing_is_done_and_the_error_says_what_is_missing(database_url, audit):
    with pytest.raises(UpgradeFailed, match="CREATE EXTENSION citus"):
        await distribute(database_url, audit, dry_run=False)


async def test_every_function_that_writes_is_one_that_citus_can_send(ask):
    """Of the schema's functions one writes rows of several tables, and is exchanged; the others make and drop
    partitions and refuse changes of the audit, which stays where it is."""
    names = {row[0] for row in await ask("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")}

    assert names == {
        "ai_admin_accept",
        "ai_admin_drop_partitions",
        "ai_admin_make_partitions",
        "ai_admin_refuse_change",
    }


async def test_the_exchanged_intake_keeps_its_promises(ask, core, make_channel, database_url, monkeypatch):
    from datetime import timedelta

    from db.intake import Intake, IntakeBudgets
    from db.limits import Budget
    from db.records import Accepted, WorkKind

    await ask(plan()[-1].statements[0])
    [called] = await ask("SELECT prosrc FROM pg_proc WHERE proname = 'ai_admin_accept' ORDER BY pronargs DESC LIMIT 1")
    assert "SET LOCAL app.company_id" in called[0], "the form that the intake calls was not exchanged"
    database = Database(database_url, distributed=True)
    free = Budget(10_000, timedelta(seconds=1), 10_000)
    intake = Intake(database, core.clock, core.doorbell, core.limits, IntakeBudgets(company=free, address=free))
    one, two = [await make_channel("one"), await make_channel("two")]
    updates = [Accepted(update_key=str(key), dialogue_key=f"{key % 2}:", payload=b"{}") for key in range(4)]

    counts = await asyncio.gather(
        *(intake.accept(channel, updates, quiet=timedelta(0)) for channel in (one, two)),
        intake.accept(one, updates[:2], quiet=timedelta(0)),
    )
    again = await intake.accept(two, updates, quiet=timedelta(0))

    assert sum(counts) == 8, "each once, whoever said it first"
    assert again == 0
    claims = await core.work.claim("test", limit=10, ttl=timedelta(seconds=12), kind=WorkKind.TURN)
    assert len(claims) == 4, "a row of work for each dialogue"
    for channel in (one, two):
        async with database.company(channel.company_id) as tx:
            assert await tx.connection.scalar(text("SELECT current_user")) == "ai_admin_app"
            assert await tx.connection.scalar(text("SELECT count(*) FROM accepted_updates")) == 4
    await intake.close()
    await database.close()
