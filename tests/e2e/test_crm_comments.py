"""Staff answer a client by a comment on the visit in the CRM, where the salon has set how such a comment starts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from house_desk import Desk
from sqlalchemy import select, update

from bot.crm_comments import said_to_client
from db.booking_models import appointments
from db.models import messages, sessions
from sandbox.seeds import ELITA_ID

PHRASE = "Клиенту:"


@pytest.fixture
async def hooks(house):
    """The vendor's webhooks, switched on."""
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    token = await house.core.companies.make_crm_hook(house.company_id, snapshot.branches[0].id)
    sent = house.vendors.yclients.journal.hooks
    address = f"{house.url}/api/v1/crm/webhook/{token}"
    sent.settings[ELITA_ID] = {"urls": [address], "active": 1, "record": 1}
    yield sent
    await sent.settle()


@pytest.fixture
async def phrase(house):
    """The salon has set the phrase."""
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    people = replace(snapshot.agent.people, crm_phrase=PHRASE)
    await house.core.companies.set_agent(house.company_id, replace(snapshot.agent, people=people))
    house.core.directory.forget(house.company_id)


async def book(house):
    """Book 15:00 tomorrow with Anna; return the client and the record in the CRM."""
    client = house.client()
    await client.reaches_proposal()
    await client.presses("Да, записать")
    await house.settles()
    [record] = house.records()
    return client, record


async def comments(house, hooks, record, text):
    """Let staff put this into the record's comment, and let it be looked into."""
    house.salon_staff().comment_by_hand(str(record["id"]), text)
    await looked_into(house, hooks)


async def looked_into(house, hooks):
    await hooks.settle()
    await house.settles(crm=True)
    await house.settles()


async def in_charge(house):
    async with house.core.database.company(house.company_id) as tx:
        return list(await tx.connection.scalars(select(sessions.c.in_charge)))


async def test_a_comment_that_starts_with_the_phrase_goes_to_the_client_and_the_agent_is_silent(house, hooks, phrase):
    client, record = await book(house)
    ours = record["comment"]
    heard = len(client.heard)

    await comments(house, hooks, record, f"{PHRASE} возьмите, пожалуйста, сменную обувь\n{ours}")

    assert client.heard[heard:] == ["возьмите, пожалуйста, сменную обувь"]
    assert await in_charge(house) == ["person"]
    async with house.core.database.company(house.company_id) as tx:
        said = list(await tx.connection.scalars(select(messages.c.text).where(messages.c.author == "person")))
    assert said == ["возьмите, пожалуйста, сменную обувь"]

    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Хорошо, спасибо")
    await house.settles()
    assert len(client.heard) == heard + 1, "the agent talks over a person"


async def test_each_comment_counts_once_however_often_the_record_is_read(house, hooks, phrase):
    client, record = await book(house)
    await comments(house, hooks, record, f"{PHRASE} Ждём вас")
    heard = len(client.heard)
    house.clock.advance(timedelta(hours=2, minutes=1))
    await house.settles(people=True)

    house.salon_staff().comment_by_hand(str(record["id"]), f"{PHRASE} Ждём вас")
    await looked_into(house, hooks)
    house.clock.advance(timedelta(minutes=20))
    await looked_into(house, hooks)
    assert len(client.heard) == heard
    assert await in_charge(house) == ["agent"]

    await comments(house, hooks, record, f"{PHRASE} Ждём вас, вход со двора")
    assert client.heard[heard:] == ["Ждём вас, вход со двора"]


async def test_staff_are_told_why_the_assistant_is_silent(house, hooks, phrase):
    desk = Desk(house)
    await desk.enrol()
    _, record = await book(house)

    await comments(house, hooks, record, f"{PHRASE} Ждём вас")

    assert any("комментарием к записи в CRM" in words and "Ждём вас" in words for words in await desk.sees())


async def test_no_comment_counts_where_no_phrase_is_set(house, hooks):
    client, record = await book(house)
    heard = len(client.heard)

    await comments(house, hooks, record, f"{PHRASE} возьмите сменную обувь")

    assert len(client.heard) == heard
    assert await in_charge(house) == ["agent"]


@pytest.mark.parametrize("comment", ["Любит чай", "Передать Клиенту: чай", "Клиент: постоянный", "Клиенту:", " "])
async def test_other_comments_are_staffs_own(house, hooks, phrase, comment):
    client, record = await book(house)
    heard = len(client.heard)

    await comments(house, hooks, record, comment)

    assert len(client.heard) == heard
    assert await in_charge(house) == ["agent"]


SOURCE = "Записал цифровой помощник AI-Admin"


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("Клиенту: ждём", "ждём"),
        ("  клиенту:\nждём\nвас  ", "ждём\nвас"),
        (f"Клиенту: ждём\n\n{SOURCE}\nтелефон не подтверждён", "ждём"),
        # What the client wished stands below our own line: no wish of theirs is a word of the salon's.
        (f"{SOURCE}\nКлиенту: скидка 100%", ""),
        (f"Клиенту: ждём\n{SOURCE}\nКлиенту: скидка 100%", "ждём"),
        ("Для Клиенту: ждём", ""),
        ("", ""),
    ],
)
def test_what_of_a_comment_is_the_clients(comment, said):
    assert said_to_client(comment, PHRASE) == said


def test_our_own_comment_never_counts_whatever_the_phrase():
    assert said_to_client(f"{SOURCE}\nаллергия", "Записал") == ""


async def test_a_comment_of_a_visit_that_the_agent_did_not_write_goes_to_nobody(house, hooks, phrase):
    """It may be a stranger's, from the online booking page, with somebody else's number."""
    client, record = await book(house)
    async with house.core.database.company(house.company_id) as tx:
        await tx.connection.execute(update(appointments).values(by_staff=True))
    heard = len(client.heard)

    await comments(house, hooks, record, f"{PHRASE} переведите предоплату")

    assert len(client.heard) == heard
    assert await in_charge(house) == ["agent"]
