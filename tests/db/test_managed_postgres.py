"""PostgreSQL as providers give it: the owner of the database is no superuser, and may not even create roles."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import insert, make_url, text

from db.audit import AuditTrail
from db.embedded import start_embedded
from db.engine import Database
from db.errors import UpgradeFailed
from db.models import messages
from db.partitions import make_partitions
from db.records import CompanyId, new_id
from db.upgrade import LOGIN, current, downgrade, head, upgrade

ROLES = ("ai_admin_app", "ai_admin_intake", "ai_admin_worker")


@pytest.fixture
async def provider(tmp_path_factory):
    """A server of its own, as its provider sees it: roles are the whole server's. It has the database `salon`."""
    async with await start_embedded(tmp_path_factory.mktemp("managed"), redis=False, durable=False) as embedded:
        url = make_url(embedded.servers.database_url)
        provider = await asyncpg.connect(user=url.username, database="postgres", host=str(url.query["host"]))

        async def order(*statements: str) -> str:
            for statement in statements:
                await provider.execute(statement)
            return f"postgresql+asyncpg://owner@/salon?host={url.query['host']}"

        yield order
        await provider.close()
    shutil.rmtree(Path(str(url.query["host"])).parent, ignore_errors=True)


async def works(url: str) -> None:
    """Everything that a process does first, as the owner and as the login that owns nothing."""
    for number, who in enumerate(("owner", LOGIN), start=1):
        database = Database(url.replace("owner@", f"{who}@"))
        async with database.company(CompanyId(new_id())) as tx:
            assert await tx.connection.scalar(text("SELECT count(*) FROM sessions")) == 0
        async with database.intake() as tx:
            # Of two companies at once, each in sight of its own alone.
            ids = [new_id(), new_id()]
            accepted = await tx.driver.fetchval(
                "SELECT ai_admin_accept($1, $1, $1, $1, ARRAY['5:5:', '5:5:'], ARRAY['1', '1'],"
                " ARRAY['{}', '{}']::bytea[], ARRAY[now(), now()], ARRAY[now(), now()])",
                ids,
            )
            assert set(accepted) == set(ids)
        async with database.company(CompanyId(ids[0])) as tx:
            assert (await tx.connection.scalars(text("SELECT id FROM accepted_updates"))).all() == ids[:1]
        async with database.worker() as tx:
            assert await tx.connection.scalar(text("SELECT count(*) FROM work")) == 2 * number
        await make_partitions(database, today=date(2026, 11, 24))
        await database.close()


async def test_an_owner_who_may_create_roles_needs_nothing_else(provider):
    url = await provider("CREATE ROLE owner LOGIN CREATEROLE", "CREATE DATABASE salon OWNER owner")

    await upgrade(url, audit=AuditTrail(lambda: datetime.now(UTC)))
    await works(url)
    await downgrade(url)

    assert await current(url) is None


async def test_an_owner_who_may_not_is_content_with_roles_that_were_made_before(provider):
    url = await provider(
        "CREATE ROLE owner LOGIN",
        "CREATE DATABASE salon OWNER owner",
        f"CREATE ROLE {LOGIN} LOGIN NOINHERIT",
        *(f"CREATE ROLE {role} NOLOGIN" for role in ROLES),
        f"GRANT {', '.join(ROLES)} TO {LOGIN}, owner",
    )

    await upgrade(url, audit=AuditTrail(lambda: datetime.now(UTC)))
    await works(url)

    assert await current(url) == head()


async def test_what_is_missing_is_named_with_who_has_to_grant_it(provider):
    url = await provider(
        "CREATE ROLE owner LOGIN",
        "CREATE DATABASE salon OWNER owner",
        f"CREATE ROLE {LOGIN} LOGIN NOINHERIT",
        *(f"CREATE ROLE {role} NOLOGIN" for role in ROLES),
        f"GRANT {', '.join(ROLES)} TO {LOGIN}",
        "GRANT ai_admin_app TO owner WITH SET FALSE",
    )

    with pytest.raises(UpgradeFailed, match=r"let who may run GRANT ai_admin_app TO owner"):
        await upgrade(url)
    assert await current(url) is None


async def test_a_month_that_lies_in_the_default_partition_keeps_no_other_from_being_made(provider):
    url = await provider("CREATE ROLE owner LOGIN CREATEROLE", "CREATE DATABASE salon OWNER owner")
    await upgrade(url)
    database, company = Database(url), CompanyId(new_id())
    async with database.company(company) as tx:
        values = {name: new_id() for name in ("id", "dialogue_id", "turn_id")}
        said = {"at": datetime(2027, 8, 5, tzinfo=UTC), "author": "client", "text": "x"}
        await tx.connection.execute(insert(messages).values(company_id=company, **values, **said))

    made = await make_partitions(database, today=date(2027, 8, 31))

    async with database.company(company) as tx:
        assert await tx.connection.scalar(text("SELECT count(*) FROM messages")) == 1
    await database.close()
    assert made == 2
