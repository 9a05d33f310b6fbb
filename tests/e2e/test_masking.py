"""The model books for people whose names and numbers it is never shown."""

from __future__ import annotations

from dataclasses import replace

import pytest


def shown_to_model(house):
    return "\n".join(str(one.body) for one in house.vendors.gemini.requests)


async def books(client):
    await client.says("Меня зовут Снежана, хочу женскую стрижку завтра, мастер Анна Смирнова")
    await client.says("Давайте в 15:00")
    await client.says("+7 916 555-44-33")
    return await client.presses("Да, записать")


async def test_a_booking_by_words_stands_in_the_crm_under_the_real_name_and_number(house):
    client = house.client("Елена")

    receipt = await books(client)

    [record] = house.records()
    assert record["client"]["phone"].endswith("9165554433")
    assert record["client"]["name"] == "Снежана"
    assert "Снежана" in receipt.text
    for one in ("Снежан", "Елена", "555-44-33", "5554433"):
        assert one not in shown_to_model(house)
    assert "PHONE_1" in shown_to_model(house)


@pytest.mark.parametrize("masked", [True, False])
async def test_a_company_decides_whether_its_clients_are_masked(house, masked):
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(snapshot.agent, privacy=replace(snapshot.agent.privacy, hide_from_model=masked))
    await house.core.companies.replace_company(snapshot.company, agent, snapshot.branches)
    house.core.directory.forget(house.company_id)
    client = house.client("Елена")

    await client.says("Сколько стоит стрижка?")

    assert ("Имя клиента: Елена" in shown_to_model(house)) is not masked
