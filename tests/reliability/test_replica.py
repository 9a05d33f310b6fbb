"""A real streaming replica: what people look at is read there, and everything that decides is not."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import func, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError

from bench.replica import replica_of
from db.embedded import start_embedded
from db.engine import Database
from db.models import handovers
from db.records import CompanyId, new_id
from db.upgrade import runtime_url, upgrade


@pytest.fixture
async def primary(tmp_path_factory):
    """A server of its own: it is copied whole."""
    async with await start_embedded(tmp_path_factory.mktemp("primary"), redis=False, durable=False) as embedded:
        await upgrade(embedded.servers.database_url)
        yield embedded.servers.database_url
    shutil.rmtree(Path(str(make_url(embedded.servers.database_url).query["host"])).parent, ignore_errors=True)


@pytest.fixture
def replica(primary, tmp_path_factory):
    with replica_of(primary, tmp_path_factory.mktemp("replica")) as running:
        yield running
    shutil.rmtree(Path(str(make_url(running.url).query["host"])).parent, ignore_errors=True)


@pytest.fixture
async def database(primary, replica):
    opened = Database(runtime_url(primary), replica_url=runtime_url(replica.url))
    yield opened
    await opened.close()


async def hand_over(database: Database, company: CompanyId) -> None:
    async with database.company(company) as tx:
        ids = {"company_id": company, "id": new_id(), "dialogue_id": new_id()}
        told = {"reason": "asked", "summary": "", "created_at": datetime.now(UTC)}
        await tx.connection.execute(insert(handovers).values(**ids, **told))


async def shown(database: Database, company: CompanyId) -> int:
    async with database.reading(company) as tx:
        return await tx.connection.scalar(select(func.count()).select_from(handovers))


async def decided(database: Database, company: CompanyId) -> int:
    async with database.company(company) as tx:
        return await tx.connection.scalar(select(func.count()).select_from(handovers))


async def order(replica, statement: str) -> None:
    url = make_url(replica.url)
    connection = await asyncpg.connect(user=url.username, database=url.database, host=str(url.query["host"]))
    await connection.execute(statement)
    await connection.close()


async def test_people_see_what_the_replica_has_copied_and_turns_see_the_primary(database, replica, until):
    company, other = CompanyId(new_id()), CompanyId(new_id())
    await hand_over(database, company)

    async def copied():
        return await shown(database, company) == 1

    await until(copied)
    await order(replica, "SELECT pg_wal_replay_pause()")
    await hand_over(database, company)

    assert await shown(database, company) == 1
    assert await decided(database, company) == 2
    assert await shown(database, other) == 0, "row-level security holds there too"
    await order(replica, "SELECT pg_wal_replay_resume()")

    async def caught_up():
        return await shown(database, company) == 2

    await until(caught_up)


async def test_where_the_replica_is_gone_the_primary_is_read(database, replica):
    company = CompanyId(new_id())
    await hand_over(database, company)
    replica.server.stop()

    assert await shown(database, company) == 1


@pytest.mark.parametrize("gone", [False, True], ids=["on the replica", "on the primary"])
async def test_who_reads_writes_nothing(database, replica, gone):
    if gone:
        replica.server.stop()

    with pytest.raises(DBAPIError, match="read-only transaction"):
        async with database.reading(CompanyId(new_id())) as tx:
            await tx.connection.execute(text("DELETE FROM handovers"))


async def test_without_a_replica_the_primary_is_read(primary):
    database = Database(runtime_url(primary))
    company = CompanyId(new_id())
    await hand_over(database, company)

    assert await shown(database, company) == 1
    await database.close()
