"""Connections that are kept: none that died is given out, and none carries anything on from the transaction before."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import bindparam, select, text

from db.models import companies
from db.statements import Statement


async def who(tx):
    row = (await tx.connection.execute(text("SELECT current_user, current_setting('app.company_id')"))).one()
    return tuple(row)


async def test_a_connection_that_died_while_it_rested_is_replaced_and_nobody_notices(core, channel):
    async with core.database.company(channel.company_id) as tx:
        driver = tx.driver
    driver.terminate()

    async with core.database.company(channel.company_id) as tx:
        assert await who(tx) == ("ai_admin_app", str(channel.company_id))
        assert tx.driver is not driver


async def test_an_error_in_a_savepoint_is_rolled_back_whole_and_the_connection_is_as_new(core, channel):
    drivers = []

    async def fail():
        async with core.database.company(channel.company_id) as tx:
            await tx.connection.begin_nested()
            drivers.append(tx.driver)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with core.database.worker() as tx:
        assert tx.driver is drivers[0]
        assert not tx.connection.in_nested_transaction()
        assert await who(tx) == ("ai_admin_worker", "")


async def test_a_transaction_that_is_cut_in_a_statement_gives_its_connection_to_nobody(core, channel):
    drivers, entered = [], asyncio.Event()

    async def hang():
        async with core.database.company(channel.company_id) as tx:
            drivers.append(tx.driver)
            entered.set()
            await tx.driver.execute("SELECT pg_sleep(60)")

    task = asyncio.create_task(hang())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert drivers[0].is_closed()
    async with core.database.company(channel.company_id) as tx:
        assert await who(tx) == ("ai_admin_app", str(channel.company_id))


def test_a_statement_wants_every_parameter_that_it_was_not_built_with():
    found = Statement(select(companies.c.id).where(companies.c.slug == bindparam("slug"), companies.c.plan == "free"))

    assert found.arguments({"slug": "elita"}) == ["elita", "free"]
    with pytest.raises(KeyError):
        found.arguments({})
