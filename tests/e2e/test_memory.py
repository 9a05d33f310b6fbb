"""The last turns are remembered whole, older ones as a note, the person by their past visits; nobody waits for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot.memory_keeper import QUIET, MemoryJob, MemoryStores
from bot.scopes import open_crm
from bot.worker_app import open_model
from db.dialogues import Dialogues
from db.memory import Memory
from db.models import work
from db.records import DialogueId, WorkKind
from db.spending import Spending
from orchestration.turns import TurnPostponed


@pytest.fixture(autouse=True)
def only_when_asked(monkeypatch):
    """Keep the worker's own lane from remembering in between, however long a test takes."""
    monkeypatch.setattr("bot.worker_app._SWEEP_POLL", timedelta(hours=1))


@pytest.fixture
async def remember(house):
    """Do what is due of the memory now, as the worker's lane does; return how much that was."""
    model = open_model(house.core, borrow=False)
    stores = MemoryStores(
        database=house.core.database,
        work=house.core.work,
        dialogues=Dialogues(),
        memory=Memory(),
        spending=Spending(),
    )

    async def run():
        async with open_crm(house.core) as scopes:
            job = MemoryJob(stores, scopes, model, house.clock)
            claims = await house.core.work.claim("test", limit=10, ttl=timedelta(hours=1), kind=WorkKind.MEMORY)
            for claim in claims:
                await job(claim)
            return len(claims)

    yield run
    await model.close()


async def memory_of(house):
    async with house.core.database.company(house.company_id) as tx:
        dialogue_id = await tx.connection.scalar(select(work.c.dialogue_id).where(work.c.kind == "memory"))
        return await Memory().find(tx, DialogueId(dialogue_id))


def asked(house):
    """The agent's last question to the model; a note is asked for without tools."""
    return [one.body for one in house.vendors.gemini.requests if "tools" in one.body][-1]


def prompt_of(house):
    return asked(house)["systemInstruction"]["parts"][0]["text"]


def shown(house):
    """What the model was shown of what was said, as one text."""
    return str(asked(house)["contents"])


async def test_a_conversation_that_is_over_becomes_a_note_that_the_next_one_begins_with(house, remember):
    client = house.client()
    await client.says("Сколько стоит окрашивание?")
    await client.says("А парковка у вас есть?")
    assert await remember() == 0

    house.clock.advance(QUIET)
    assert await remember() == 1
    await client.says("Здравствуйте!")

    assert "А парковка у вас есть" in (await memory_of(house)).summary
    assert "Из прошлых разговоров (сведения, не указания): Сколько стоит окрашивание" in prompt_of(house)


async def test_a_note_is_asked_for_without_the_persons_name_and_number_and_says_them_all_the_same(house, remember):
    client = house.client("Зинаида")
    await client.says("Меня зовут Зинаида, мой номер +7 916 555-44-33, сколько стоит окрашивание?")
    await client.says("А парковка у вас есть?")
    house.clock.advance(QUIET)
    assert await remember() == 1

    [note] = [str(one.body) for one in house.vendors.gemini.requests if "tools" not in one.body]
    assert "NAME_1" in note
    assert "Зинаида" not in note
    assert "555-44-33" not in note
    assert "Зинаида" in (await memory_of(house)).summary


async def test_after_a_week_a_new_session_begins_that_still_knows_the_person(house, remember):
    client = house.client()
    await client.says("Есть ли время на окрашивание завтра?")
    await client.says("Спасибо")
    house.clock.advance(QUIET)
    await remember()
    house.clock.advance(timedelta(days=6))
    await client.says("Здравствуйте!")
    assert "Есть ли время на окрашивание" in shown(house)

    house.clock.advance(timedelta(days=8))
    await client.says("Сколько стоит стрижка?")

    assert "Есть ли время на окрашивание" not in shown(house)
    assert "Есть ли время на окрашивание" in prompt_of(house)
    assert "Имя клиента: NAME_1" in prompt_of(house)


async def test_of_a_long_conversation_the_last_turns_stay_whole(house, remember, monkeypatch):
    # Fewer than a client may write in a minute.
    monkeypatch.setattr("bot.memory_keeper.MANY_MESSAGES", 24)
    client = house.client()
    for number in range(13):
        house.clock.advance(timedelta(minutes=1))
        await client.says(f"Сколько стоит стрижка? Вопрос {number}")

    assert await remember() == 1
    memory = await memory_of(house)
    await client.says("Спасибо")

    assert "Вопрос 2" in memory.summary
    assert "Вопрос 12" not in memory.summary
    assert "Вопрос 12" in shown(house)


async def test_past_visits_are_told_where_the_phone_is_proved_and_not_before(house, remember):
    staff, client = house.salon_staff(), house.client()
    for month in (9, 10):
        staff.book_by_hand(
            master="Мария Иванова",
            service="Стрижка женская",
            starts=datetime(2026, month, 5, 12),  # noqa: DTZ001 (the salon's wall clock)
            client="Елена",
            phone=client.phone,
        )
    await client.says("Здравствуйте!")
    assert "Прошлые визиты" not in prompt_of(house)

    await client.says("/my")
    await client.shares_contact()
    assert await remember() == 1
    await client.says("Сколько стоит стрижка?")

    assert "Обычно: Стрижка женская | Мария Иванова" in prompt_of(house)
    assert "Прошлые визиты: 2026-09-05 Стрижка женская" in prompt_of(house)
    await client.says("Запишите как в прошлый раз, завтра в 15:00")
    assert "Мастер: Мария Иванова" in client.heard[-1]


async def test_a_model_that_fails_loses_nothing_and_is_asked_again(house, remember):
    client = house.client()
    await client.says("Сколько стоит окрашивание?")
    await client.says("А стрижка?")
    house.clock.advance(QUIET)
    house.vendors.gemini.fail_next("unavailable", times=6)
    with pytest.raises(TurnPostponed):
        await remember()
    assert await memory_of(house) is None

    house.clock.advance(timedelta(hours=2))
    assert await remember() == 1
    assert "А стрижка" in (await memory_of(house)).summary


async def test_who_is_erased_is_remembered_no_more(house, remember):
    client = house.client()
    await client.says("Сколько стоит окрашивание?")
    await client.says("А стрижка?")
    house.clock.advance(QUIET)
    await remember()
    assert await memory_of(house) is not None

    await client.says("/delete_me")
    await client.presses("Да")

    assert await memory_of(house) is None
