"""Staff change an appointment in the CRM: ours follows within seconds, and the client is told, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import aiohttp
import pytest
from sqlalchemy import select

from db.booking_models import appointments, crm_hooks
from sandbox.seeds import ELITA_ID

TOMORROW = date(2026, 11, 25)


@pytest.fixture
async def door(house):
    """The address that the CRM tells of changes at, put into the CRM as an admin does."""
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    token = await house.core.companies.make_crm_hook(house.company_id, snapshot.branches[0].id)
    yield f"{house.url}/api/v1/crm/webhook/{token}"
    await house.vendors.yclients.journal.hooks.settle()


@pytest.fixture
def hooks(house, door):
    """The vendor's webhooks, switched on."""
    sent = house.vendors.yclients.journal.hooks
    sent.settings[ELITA_ID] = {"urls": [door], "active": 1, "record": 1}
    return sent


async def book(house):
    """Book 15:00 tomorrow with Anna; return the client and the record's id in the CRM."""
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    await house.settles()
    [record] = house.records()
    return client, str(record["id"])


async def held(house):
    """Our own row of the appointment."""
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(appointments).where(appointments.c.company_id == house.company_id))
        return rows.mappings().one()


async def waiting(house):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(select(crm_hooks.c.id).where(crm_hooks.c.company_id == house.company_id))
        return len(rows.all())


async def looked_into(house, hooks=None):
    """Let the CRM's word arrive and be looked into."""
    if hooks is not None:
        await hooks.settle()
    await house.settles(crm=True)
    await house.settles()


async def test_a_visit_that_staff_move_follows_and_the_client_is_told(house, hooks):
    client, record_id = await book(house)
    before = len(client.heard)
    house.salon_staff().move_by_hand(record_id, datetime.combine(TOMORROW, time(18)))
    await looked_into(house, hooks)

    assert (await held(house))["starts_at"].isoformat() == "2026-11-25T15:00:00+00:00"
    [told] = client.heard[before:]
    assert "Администратор перенёс вашу запись" in told
    assert "15:00" in told
    assert "18:00" in told
    assert await waiting(house) == 0


async def test_a_visit_that_staff_cancel_is_gone_and_the_client_is_told_with_a_way_to_book_anew(house, hooks):
    client, record_id = await book(house)
    before = len(client.heard)
    house.salon_staff().cancel_by_hand(record_id)
    await looked_into(house, hooks)

    assert (await held(house))["cancelled"]
    [told] = client.heard[before:]
    assert "отменил вашу запись" in told
    assert client.is_offered("Записаться")


async def test_the_same_change_told_twice_is_told_once(house, hooks, door):
    client, record_id = await book(house)
    before = len(client.heard)
    house.salon_staff().move_by_hand(record_id, datetime.combine(TOMORROW, time(18)))
    await looked_into(house, hooks)
    event = {
        "company_id": ELITA_ID,
        "resource": "record",
        "resource_id": int(record_id),
        "status": "update",
        "data": {},
    }
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.post(door, json=event) as response:
                assert response.status == 200
    await looked_into(house)

    assert len(client.heard) == before + 1


async def test_our_own_writes_are_no_news(house, hooks):
    client, _ = await book(house)
    before = len(client.heard)
    await looked_into(house, hooks)

    assert hooks.sent
    assert len(client.heard) == before


async def test_a_change_whose_webhook_was_lost_is_swept(house, hooks):
    client, record_id = await book(house)
    await looked_into(house, hooks)
    before = len(client.heard)
    hooks.lose = 1
    house.salon_staff().move_by_hand(record_id, datetime.combine(TOMORROW, time(18)))
    # A sweep is due every 15 minutes, put off by a tenth at most.
    house.clock.advance(timedelta(minutes=17))
    await looked_into(house, hooks)

    assert len(client.heard) == before + 1
    assert "перенёс" in client.heard[-1]


async def test_what_the_crm_told_during_its_outage_is_looked_into_afterwards(house, hooks):
    client, record_id = await book(house)
    before = len(client.heard)
    house.vendors.yclients.fail_next("/record/", times=4, html=True)
    house.salon_staff().move_by_hand(record_id, datetime.combine(TOMORROW, time(18)))
    await looked_into(house, hooks)
    assert len(client.heard) == before
    assert await waiting(house) > 0
    house.vendors.yclients.clear_faults()
    house.clock.advance(timedelta(minutes=6))
    await looked_into(house)

    assert len(client.heard) == before + 1
    assert await waiting(house) == 0


async def test_a_company_may_keep_its_changes_to_itself(house, hooks):
    client, record_id = await book(house)
    before = len(client.heard)
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(snapshot.agent, tell_of_crm_changes=False)
    await house.core.companies.replace_company(snapshot.company, agent, snapshot.branches)
    house.core.directory.forget(house.company_id)
    house.salon_staff().cancel_by_hand(record_id)
    await looked_into(house, hooks)

    assert (await held(house))["cancelled"]
    assert len(client.heard) == before


@pytest.mark.parametrize(
    "event",
    [
        {"company_id": ELITA_ID, "resource": "record", "resource_id": 1, "status": "delete", "data": {"deleted": True}},
        {"company_id": 7801, "resource": "record", "resource_id": "RECORD", "status": "delete"},
        {"company_id": ELITA_ID, "resource": "client", "resource_id": "RECORD", "status": "delete"},
        {"resource": "record", "resource_id": "../../clients", "company_id": ELITA_ID},
        ["nothing", "known"],
    ],
)
async def test_what_a_body_claims_is_never_believed(house, hooks, door, event):
    client, record_id = await book(house)
    await looked_into(house, hooks)
    before = len(client.heard)
    if isinstance(event, dict) and event.get("resource_id") == "RECORD":
        event = {**event, "resource_id": record_id}
    async with aiohttp.ClientSession() as session, session.post(door, json=event) as response:
        assert response.status == 200
    await looked_into(house)

    assert not (await held(house))["cancelled"]
    assert len(client.heard) == before
    assert await waiting(house) == 0


async def test_an_unknown_address_and_a_flood_are_turned_away(house, door):
    async with aiohttp.ClientSession() as session:
        async with session.post(door[:-4] + "xxxx", json={}) as response:
            assert response.status == 404
        async with session.post(door, data=b"x" * 70_000) as response:
            assert response.status == 413

        async def knock():
            async with session.post(door, json={"resource": "client"}) as response:
                return response.status

        statuses = await asyncio.gather(*(knock() for _ in range(500)))
    # Those that come in the same moment wait for one row: on a slow machine a few are asked to come again.
    assert {200, 429} <= set(statuses) <= {200, 429, 503}


async def test_a_new_address_ends_the_old_one(house, door):
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    await house.core.companies.make_crm_hook(house.company_id, snapshot.branches[0].id)
    house.core.directory.forget(house.company_id)

    async with aiohttp.ClientSession() as session, session.post(door, json={}) as response:
        assert response.status == 404
