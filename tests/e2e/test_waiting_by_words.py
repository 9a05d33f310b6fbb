"""The model offers the waiting list in words; on it is only who has pressed the yes that code put under its words."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.figures import read_figures
from db.outreach_models import consents, waiting_list
from db.records import Usage
from orchestration.ports import CallPart, Content, ModelAnswer, TextPart

WISH = {
    "service_ids": ["501"],
    "staff_id": "101",
    "date_from": "2026-11-27",
    "date_to": "2026-11-29",
    "time_from": "18:00",
}


class Offering:
    """A model that knows nothing but to offer the list, and to say that it is done."""

    async def generate(self, request):
        said = request.contents[-1].text
        if "окошко" in said:
            part = CallPart(id="1", name="join_waiting_list", arguments=WISH)
        else:
            part = TextPart(text="Чем ещё помочь?")
        return ModelAnswer(content=Content(role="model", parts=(part,)), usage=Usage(calls=1), model="offering")


@pytest.fixture
def model():
    return Offering()


async def rows(house, table):
    async with house.core.database.company(house.company_id) as tx:
        found = await tx.connection.execute(select(table).where(table.c.company_id == house.company_id))
        return list(found.mappings())


async def test_a_wish_in_words_is_kept_after_the_clients_own_yes(house):
    client = house.client()
    asked = await client.says("Напишите, если появится окошко к Анне вечером в пятницу или в выходные")

    assert "пятница, 27 ноября – воскресенье, 29 ноября, с 18:00" in asked.text
    await client.says("Да")
    assert await rows(house, waiting_list) == []
    await client.presses("Да, сообщите")
    [entry], [consent] = await rows(house, waiting_list), await rows(house, consents)

    assert (entry["service_ids"], entry["staff_id"], entry["earliest"].hour) == (["501"], "101", 18)
    assert consent["given_at"] == house.clock()
    company = (await house.core.companies.get_snapshot(house.company_id)).company
    [days] = await read_figures(house.core, [company], days=1, since=None)
    assert [one.waiting["joined"] for one in days.values()] == [1]


async def test_the_label_typed_is_the_button_pressed(house):
    client = house.client()
    await client.says("Напишите, если появится окошко")
    await client.says("Да, сообщите")

    assert len(await rows(house, waiting_list)) == 1
