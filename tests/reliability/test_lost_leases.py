"""A worker that was frozen past its lease and wakes up beside the one that took over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from db.spending import Spending

LONG = timedelta(minutes=2)
"""Leases are renewed, and lost ones cancelled, every third of this: longer than the test, as for a frozen process."""


@pytest.fixture
def lease():
    return LONG


def lost_leases():
    return REGISTRY.get_sample_value("ai_admin_claims_total", {"kind": "turn", "outcome": "lease_lost"}) or 0


async def test_a_worker_that_wakes_up_after_its_lease_does_not_call_the_crm_beside_the_one_that_took_over(house, until):
    client = house.client()
    await client.reaches_proposal()
    crm, people = house.vendors.yclients, house.vendors.telegram.people
    message, data = client.button("Да, записать")
    heard, lost = len(client.heard), lost_leases()
    wake_up, answer = asyncio.Event(), asyncio.Event()
    frozen = crm.fail_next("/book_times/", hold_before=wake_up)
    called = crm.fail_next("/records/", method="POST", times=2, hold_before=answer)

    await people.press_button(client.bot_id, client.user, message.message_id, data)
    await until(lambda: frozen.held == 1)
    house.clock.advance(LONG + timedelta(seconds=1))
    async with house.another_worker():
        # The one that took over has called the CRM, which has not answered yet.
        await until(lambda: called.held == 1)
        wake_up.set()
        await until(lambda: lost_leases() > lost)
        answer.set()
        await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > heard)

    assert [call["method"] for call in crm.calls if "/records/" in call["path"]].count("POST") == 1
    assert len(house.records()) == 1
    assert len(client.heard) == heard + 1
    assert "Готово" in client.heard[-1]


async def test_what_a_turn_cost_is_shown_by_whoever_commits_it_and_by_nobody_else(house, until):
    def shown():
        # Under a slug the youngest company with it: this test's own, whatever tests came before.
        return REGISTRY.get_sample_value("ai_admin_company_model_cost_usd_total", {"company": "elita"}) or 0

    client, lost = house.client(), lost_leases()
    await client.says("Хочу постричься завтра после обеда")
    wake_up = asyncio.Event()
    frozen = house.vendors.yclients.fail_next("/book_times/", hold_before=wake_up)
    heard, people = len(client.heard), house.vendors.telegram.people

    await people.send_text(client.bot_id, client.user, "Женская стрижка, мастер Анна Смирнова")
    await until(lambda: frozen.held == 1)
    house.clock.advance(LONG + timedelta(seconds=1))
    async with house.another_worker():
        await people.wait_for(client.bot_id, client.user.id, lambda _: len(client.heard) > heard)
        wake_up.set()
        await until(lambda: lost_leases() > lost)

    async with house.core.database.company(house.company_id) as tx:
        counted = await Spending().this_month(tx, now=house.clock())
    assert counted > 0
    assert shown() == pytest.approx(counted / 1_000_000)
