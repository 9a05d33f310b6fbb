"""What the model costs is counted by turn, company and day; a budget warns first, and then lets the buttons answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from db.models import turns
from db.records import ModelBudget, Usage
from db.spending import Spending
from orchestration.model_prices import cost_of, price_table


async def set_budget(house, **limits):
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    await house.core.companies.set_agent(house.company_id, replace(snapshot.agent, budget=ModelBudget(**limits)))
    house.core.directory.forget(house.company_id)


async def spent(house):
    async with house.core.database.company(house.company_id) as tx:
        return await Spending().list_days(tx, since=house.clock().date())


async def test_a_turns_tokens_and_cost_are_kept_with_it_and_with_the_day(house):
    client = house.client()
    await client.says("Сколько стоит окрашивание?")
    await client.says("/my")

    async with house.core.database.company(house.company_id) as tx:
        rows = (await tx.connection.execute(select(turns).order_by(turns.c.id))).mappings().all()
    [day] = await spent(house)
    asked, command = rows
    assert asked["model"] == "scripted-model (sandbox)"
    assert asked["calls"] == 2
    usage = Usage(
        prompt_tokens=asked["prompt_tokens"],
        output_tokens=asked["output_tokens"],
        cached_tokens=asked["cached_tokens"],
    )
    assert asked["cost_microusd"] == pytest.approx(cost_of(usage, asked["model"]), abs=2)
    assert asked["cost_microusd"] > 0
    assert (command["model"], command["cost_microusd"]) == (None, 0)
    assert (day.turns, day.cost, day.usage.calls) == (1, asked["cost_microusd"], 2)


async def test_at_the_soft_limit_staff_are_told_once_and_clients_notice_nothing(house):
    await set_budget(house, soft=1)
    client = house.client()
    for _ in range(6):
        answer = await client.says("Сколько стоит окрашивание?")
    await house.settles()

    assert "8000" in answer.text
    assert len([told for told in house.staff_heard() if "мягкого предела" in told]) == 1


async def test_at_the_hard_limit_the_buttons_answer_until_the_month_is_over(house):
    await set_budget(house, hard=1)
    client = house.client()
    for _ in range(6):
        await client.says("Сколько стоит окрашивание?")
    await house.settles()
    asked = len(house.vendors.gemini.requests)

    told = await client.says("Хочу постричься завтра")
    heard = await client.says_aloud("Хочу постричься завтра")
    services = await client.presses("Записаться")

    assert "только кнопками" in told.text
    assert "только кнопками" in heard.text
    assert "На какую услугу" in services.text
    assert len(house.vendors.gemini.requests) == asked
    assert len([told for told in house.staff_heard() if "достигли предела" in told]) == 1

    house.clock.now = house.clock.now.replace(month=12, day=1)
    assert "8000" in (await client.says("Сколько стоит окрашивание?")).text


async def test_one_companys_spending_is_not_anothers(house, make_channel):
    await house.client().says("Сколько стоит окрашивание?")
    other = await make_channel("other")

    async with house.core.database.company(other.company_id) as tx:
        assert await Spending().this_month(tx, now=house.clock()) == 0
        assert await Spending().list_days(tx, since=house.clock().date()) == []


def test_a_model_without_a_known_price_costs_as_the_dearest():
    usage = Usage(prompt_tokens=1_000_000, output_tokens=1_000_000)
    dearest = max(cost_of(usage, name) for name in price_table().models)

    assert cost_of(usage, "gemini-3.8-flash") == 4_500_000
    assert cost_of(usage, "nobody-knows-it") == dearest
    assert price_table().as_of.year >= 2026
