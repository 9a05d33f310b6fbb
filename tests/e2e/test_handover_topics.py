"""A staff group with topics: each client has one, in order, and what is written there reaches the client."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from house_desk import IRINA

from db.staff import Role, Staff
from sandbox.telegram.state import User

OLGA = User(id=661_000, first_name="Ольга")
PASSER_BY = User(id=662_000, first_name="Прохожий")


class Room:
    """The salon's group, with Ирина and Ольга in it, who are enrolled, and somebody who is not."""

    def __init__(self, house, group):
        self.house, self.group = house, group
        self.bot = house.bots[house.company_id]

    async def opens(self):
        house = self.house
        standing = await house.core.companies.get_snapshot(house.company_id)
        branches = [replace(one, staff_chat=str(self.group.id)) for one in standing.branches]
        await house.core.companies.replace_company(standing.company, standing.agent, branches)
        house.core.directory.forget(house.company_id)
        async with house.core.database.company(house.company_id) as tx:
            for user, role in ((IRINA, Role.ADMINISTRATOR), (OLGA, Role.OWNER)):
                _, code = await Staff().invite(tx, name=user.first_name, role=role, now=house.clock())
                await Staff().enrol(tx, code, telegram_user_id=user.id, now=house.clock())
        self.irina, self.olga = await self.group.join(IRINA), await self.group.join(OLGA)
        self.passer_by = await self.group.join(PASSER_BY)

    async def settles(self):
        await self.house.settles()
        for _ in range(3):
            self.house.clock.advance(timedelta(seconds=5))
            await self.house.settles(people=True)

    def topic(self, name):
        return next(one for one in self.group.topics if name in one.name)


@pytest.fixture
async def room(house):
    telegram = house.vendors.telegram
    group = telegram.group("Смена", owner=User(id=660_000, first_name="Владелец"), forum=True)
    await group.add_bot(house.bots[house.company_id], administrator=True, can_manage_topics=True, can_pin_messages=True)
    made = Room(house, group)
    await made.opens()
    return made


async def test_each_client_has_a_topic_and_hears_what_is_written_there(house, room):
    elena, boris = house.client("Елена"), house.client("Борис")
    await elena.says("Позовите человека")
    await boris.says("Позовите человека, пожалуйста")
    await room.settles()
    assert len(room.group.topics) == 2
    shown = "\n".join(room.group.texts_from_bot(room.topic("Елена")))
    assert "Позовите человека" in shown
    assert "Борис" not in shown
    assert room.group.pinned(room.topic("Елена"))

    await room.irina.write("Здравствуйте, слушаю вас", topic=room.topic("Елена"))
    await room.olga.write("Добрый день, Борис!", topic=room.topic("Борис"))
    await house.settles()
    assert elena.heard[-1] == "Здравствуйте, слушаю вас"
    assert boris.heard[-1] == "Добрый день, Борис!"

    count = len(elena.heard)
    await house.vendors.telegram.people.send_text(elena.bot_id, elena.user, "Можно перенести запись?")
    await room.settles()
    assert "Можно перенести запись?" in "\n".join(room.group.texts_from_bot(room.topic("Елена")))
    assert len(elena.heard) == count

    await room.irina.write("/back", topic=room.topic("Елена"))
    await room.settles()
    assert "Ирина: клиент возвращён ассистенту" in "\n".join(room.group.texts_from_bot(room.topic("Елена")))
    assert (await elena.says("Сколько стоит женская стрижка?")).text
    assert len(room.group.topics) == 2


async def test_two_who_answer_at_once_are_both_heard_in_order(house, room):
    client = house.client()
    await client.says("Позовите человека")
    await room.settles()
    topic = room.topic("Елена")
    await asyncio.gather(room.irina.write("Первая", topic=topic), room.olga.write("Вторая", topic=topic))
    await room.irina.write("Третья", topic=topic)
    await house.settles()
    assert sorted(client.heard[-3:-1]) == ["Вторая", "Первая"]
    assert client.heard[-1] == "Третья"


async def test_what_the_client_writes_while_the_topic_is_made_is_in_it_in_order(house, room):
    client = house.client()
    await client.says("Позовите человека")
    people = house.vendors.telegram.people
    for number in range(1, 6):
        await people.send_text(client.bot_id, client.user, f"Сообщение {number}")
    await room.settles()
    shown = "\n".join(room.group.texts_from_bot(room.topic("Елена")))
    places = [shown.index(f"Сообщение {number}") for number in range(1, 6)]
    assert places == sorted(places)


async def test_who_is_not_enrolled_reaches_no_client(house, room):
    client = house.client()
    await client.says("Позовите человека")
    await room.settles()
    count = len(client.heard)
    await room.passer_by.write("Приходите бесплатно!", topic=room.topic("Елена"))
    await house.settles()
    assert len(client.heard) == count
    assert "нет в списке сотрудников" in room.group.texts_from_bot(room.topic("Елена"))[-1]


async def test_talk_outside_of_the_topics_is_nobodys_business(house, room):
    client = house.client()
    await client.says("Позовите человека")
    await room.settles()
    count, shown = len(client.heard), len(room.group.texts_from_bot())
    await room.irina.write("Кто сегодня закрывает?")
    await house.settles()
    assert len(client.heard) == count
    assert len(room.group.texts_from_bot()) == shown


async def test_a_group_without_topics_is_answered_by_replies(house):
    telegram = house.vendors.telegram
    group = telegram.group("Смена", owner=User(id=660_000, first_name="Владелец"))
    await group.add_bot(house.bots[house.company_id], administrator=True)
    room = Room(house, group)
    await room.opens()
    client = house.client()
    await client.says("Позовите человека")
    await room.settles()
    shown = [one for one in group.messages() if one.from_bot and "Позовите человека" in one.text]
    assert shown, group.texts_from_bot()
    await room.irina.reply(shown[-1], "Я здесь")
    await house.settles()
    assert client.heard[-1] == "Я здесь"


async def test_a_topic_that_staff_have_deleted_loses_nothing(house, room):
    client = house.client()
    await client.says("Позовите человека")
    await room.settles()
    await room.group.owner.delete_topic(room.topic("Елена"))
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Вы меня слышите?")
    await room.settles()
    assert "Вы меня слышите?" in "\n".join(room.group.texts_from_bot(room.topic("Елена")))
    await room.irina.write("Слышу вас", topic=room.topic("Елена"))
    await house.settles()
    assert client.heard[-1] == "Слышу вас"
