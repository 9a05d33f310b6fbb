"""A month of messages is dropped whole once no company keeps it; one that any company keeps stays for all."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import insert, text

from db.models import messages
from db.partitions import drop_partitions
from db.privacy import PrivacySettings, Retention
from db.records import AgentSettings, new_id

TODAY = date(2026, 11, 24)
OLD, YOUNGER = datetime(2025, 9, 30, tzinfo=UTC), datetime(2025, 11, 30, tzinfo=UTC)


@pytest.fixture
async def months(core, channel):
    """Return the months that are there, of which two were made here, each with a message."""
    async with core.database.platform() as tx:
        await tx.connection.execute(text("SELECT ai_admin_make_partitions('2025-09-01', '2025-11-01')"))
    async with core.database.company(channel.company_id) as tx:
        for at in (OLD, YOUNGER):
            ids = {name: new_id() for name in ("id", "dialogue_id", "turn_id")}
            said = {"company_id": channel.company_id, "at": at, "author": "client", "text": "x"}
            await tx.connection.execute(insert(messages).values(**ids, **said))

    async def there():
        async with core.database.platform() as tx:
            rows = await tx.connection.execute(
                text("SELECT relname FROM pg_class WHERE relname LIKE 'messages_2025_%' AND relkind = 'r' ORDER BY 1")
            )
            return [name.removeprefix("messages_") for (name,) in rows]

    return there


async def kept(core, channel):
    async with core.database.company(channel.company_id) as tx:
        return list(await tx.connection.scalars(text("SELECT at FROM messages ORDER BY at")))


async def keep(core, channel, days):
    agent = AgentSettings(privacy=PrivacySettings(keep=Retention(texts=days)))
    await core.companies.set_agent(channel.company_id, agent)


async def test_a_month_past_the_default_term_goes_and_the_one_that_is_partly_kept_stays(core, channel, months):
    assert await drop_partitions(core.database, today=TODAY) == 2

    assert await months() == ["2025_11"]
    assert await kept(core, channel) == [YOUNGER]
    assert await drop_partitions(core.database, today=TODAY) == 0


async def test_one_company_that_keeps_longer_keeps_the_month_there(core, channel, months):
    await keep(core, channel, 500)

    assert await drop_partitions(core.database, today=TODAY) == 0
    assert await kept(core, channel) == [OLD, YOUNGER]


async def test_companies_that_keep_less_do_not_shorten_the_term_of_those_who_said_nothing(core, channel, months):
    await keep(core, channel, 30)

    await drop_partitions(core.database, today=TODAY)

    assert await months() == ["2025_11"]


async def test_a_day_in_the_future_is_not_believed(core, channel, months):
    await keep(core, channel, 3650)

    assert await drop_partitions(core.database, today=date(2999, 1, 1)) == 0
    assert len(await kept(core, channel)) == 2
