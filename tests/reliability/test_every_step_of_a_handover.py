"""The worker dies between any two steps of a handover in turn, and the gateway on both sides of its commit: each word
reaches the other side, once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from house_by_hand import by_hand
from house_desk import IRINA
from house_mortal import Gateway, MortalWorker, count_steps
from sqlalchemy import select

from db.handovers import Handovers
from db.models import messages, sessions
from db.records import WorkKind, dialogue_id_of
from house_installation import STAFF_CHAT
from sandbox.media import photo
from sandbox.telegram.files import SIGNS
from sandbox.telegram.state import User

KINDS = (WorkKind.TURN, WorkKind.DELIVERY, WorkKind.MIRROR, WorkKind.HANDOVER)
RING, SILENCE = timedelta(minutes=10), timedelta(hours=2)
MOST_STEPS = 40
ASKED, WAITS, QUESTION = "Позовите человека", "Вы ещё тут?", "Сколько стоит женская стрижка?"
PHOTO, ANSWER, EDITED, PRICES = "Хочу так", "Это Ирина, слушаю", "Это Ирина из салона, слушаю", "Вот наши цены"
RUNG, NOBODY_YET = "Клиент ждёт ответа человека.", "Администратор пока не успел ответить"
BACK, BACK_BY_SILENCE = "клиент возвращён ассистенту", "клиенту снова отвечает ассистент"


class Room:
    """The salon's group with topics, Ирина in it, who is its owner, too, and one worker who may die."""

    def __init__(self, house, worker, group, irina):
        self.house, self.worker, self.group, self.irina = house, worker, group, irina
        self.people, self.bot = house.vendors.telegram.people, house.bots[house.company_id]

    async def new_client(self):
        """Somebody whom nobody knows; what died before is no longer counted."""
        self.worker.twice.clear()
        self.worker.died = self.worker.topics_left = 0
        client = self.house.client("Анна")
        self.topics_before = len(self.group.topics)
        self.owner_before = len(self.house.staff_heard())
        self.client_id = dialogue_id_of((await self.house.channel()).id, f"{client.user.id}:{client.user.id}:")
        self.client = client
        return client

    async def says(self, text):
        await self.people.send_text(self.bot, self.client.user, text)

    async def settles(self):
        await self.worker.settles()

    async def comes(self, later):
        self.house.clock.advance(later)
        await self.settles()

    async def topic(self):
        async with self.house.core.database.company(self.house.company_id) as tx:
            thread = await Handovers().find(tx, self.client_id)
        return self.group.topic(thread.topic_id)

    async def in_charge(self):
        async with self.house.core.database.company(self.house.company_id) as tx:
            return await tx.connection.scalar(select(sessions.c.in_charge).where(sessions.c.id == self.client_id))

    async def history(self):
        async with self.house.core.database.company(self.house.company_id) as tx:
            rows = await tx.connection.execute(
                select(messages.c.author, messages.c.text)
                .where(messages.c.dialogue_id == self.client_id)
                .order_by(messages.c.id)
            )
            return [tuple(row) for row in rows]

    def once(self, chat_id, texts):
        """Return what stands in a chat, without what Telegram took and the dead process could not keep."""
        uncertain = Counter({text: n for (chat, text), n in self.worker.twice.items() if chat == str(chat_id)})
        found = Counter(texts)
        assert not uncertain - found, (uncertain, found)
        return found - uncertain

    def client_heard(self):
        return self.once(self.client.user.id, self.client.heard)

    async def staff_saw(self):
        return self.once(self.group.id, self.group.texts_from_bot(await self.topic()))


@pytest.fixture
async def room(core, vendors, clock, monkeypatch):
    count_steps(monkeypatch)
    # From the opening on: every death takes a lease's time.
    clock.now -= timedelta(hours=3)
    async with by_hand(core, vendors, clock) as (house, app):
        group = vendors.telegram.group("Смена", owner=User(id=660_000, first_name="Владелец"), forum=True)
        await group.add_bot(
            house.bots[house.company_id], administrator=True, can_manage_topics=True, can_pin_messages=True
        )
        standing = await house.core.companies.get_snapshot(house.company_id)
        branches = [replace(one, staff_chat=str(group.id)) for one in standing.branches]
        await house.core.companies.replace_company(standing.company, standing.agent, branches)
        house.core.directory.forget(house.company_id)
        irina = await group.join(IRINA)
        worker = MortalWorker(house, app, KINDS)
        made = Room(house, worker, group, irina)
        made.gateway = Gateway(monkeypatch)
        await made.settles()
        yield made
        await worker.ends()


def lines_of(shown):
    return Counter(line for text in shown.elements() for line in text.splitlines())


async def asks_for_a_person(room):
    await room.says(ASKED)
    await room.settles()
    assert await room.in_charge() == "person"
    [told] = room.client_heard().elements()
    assert "администратор" in told
    topic = await room.topic()
    made = room.group.topics[room.topics_before :]
    assert len(made) == 1 + room.worker.topics_left
    assert [room.group.texts_from_bot(one) for one in made if one.id != topic.id] == [[]] * room.worker.topics_left
    assert len(room.group.pinned(topic)) == 1
    assert all(count == 1 for count in (await room.staff_saw()).values())


async def goes_on(room):
    before = room.client_heard()
    await room.says(WAITS)
    await room.people.send_photo(room.bot, room.client.user, photo("стрижка"), PHOTO)
    await room.settles()
    assert room.client_heard() == before, "the agent talks over a person"
    shown = lines_of(await room.staff_saw())
    assert [count for line, count in shown.items() if WAITS in line or PHOTO in line] == [1, 1], shown
    pictures = [one for one in room.group.messages(await room.topic()) if one.from_bot and one.content.get("photo")]
    assert len(pictures) == 1 + room.worker.twice[str(room.group.id), SIGNS["photo"]]


async def is_answered(room):
    """In words, with a file, and the words are changed afterwards."""
    said = await room.irina.write(ANSWER, topic=await room.topic())
    await room.irina.send_document(b"%PDF-1.4", "prices.pdf", PRICES, topic=await room.topic())
    await room.settles()
    heard = room.client_heard()
    assert (heard[ANSWER], heard[PRICES]) == (1, 1), heard
    await room.irina.edit(said, EDITED)
    await room.settles()
    # What came twice stands twice, and only the message that is known can be changed.
    heard = room.client_heard()
    assert (heard[ANSWER], heard[EDITED], heard[PRICES]) == (0, 1, 1), heard
    assert sum(author == "person" for author, _ in await room.history()) == 2


async def is_forgotten(room):
    """Nobody answers: staff are rung, then the owner, and the client is told once."""
    await room.says("Алло")
    await room.settles()
    await room.comes(RING)
    assert (await room.staff_saw())[RUNG] == 1
    await room.comes(RING)
    assert (await room.staff_saw())[RUNG] == 2
    await room.comes(3 * RING)
    assert (await room.staff_saw())[RUNG] == 2
    rung = room.once(STAFF_CHAT, room.house.staff_heard()[room.owner_before :])
    assert [("давно ждёт" in text, count) for text, count in rung.items()] == [(True, 1)]
    assert [count for text, count in room.client_heard().items() if NOBODY_YET in text] == [1]


async def is_handed_back(room):
    await room.irina.write("/back", topic=await room.topic())
    await room.settles()
    assert await room.in_charge() == "agent"
    shown = lines_of(await room.staff_saw())
    assert sum(count for line, count in shown.items() if BACK in line) == 1


async def is_answered_by_the_agent(room):
    before = room.client_heard()
    await room.says(QUESTION)
    await room.settles()
    [(told, count)] = (room.client_heard() - before).items()
    assert ("2500" in told.replace(" ", "").replace("\u00a0", ""), count) == (True, 1)
    asked = str([one.body for one in room.house.vendors.gemini.requests if QUESTION in str(one.body)][-1])
    assert ANSWER in asked, "the agent does not know what the person said"


SCENES = (asks_for_a_person, goes_on, is_answered, is_forgotten, is_handed_back, is_answered_by_the_agent)


@pytest.mark.timeout(600)
async def test_a_handover_goes_on_whatever_step_a_process_died_at(room):
    for step in range(MOST_STEPS):
        room.worker.step = step
        room.gateway.dies = {0: "before", 1: "after"}.get(step)
        await room.new_client()
        for scene in SCENES:
            try:
                await scene(room)
            except AssertionError as error:
                error.add_note(f"died after step {step}")
                raise
        if not room.worker.died:
            break
    assert step > 6


@pytest.mark.timeout(300)
async def test_a_client_is_handed_back_by_silence_once_whatever_step_a_process_died_at(room):
    await room.new_client()
    await room.says(ASKED)
    await room.settles()
    for step in range(MOST_STEPS):
        room.worker.step, before = None, lines_of(await room.staff_saw())
        await room.irina.write(f"{ANSWER} {step}", topic=await room.topic())
        await room.settles()
        assert await room.in_charge() == "person"

        room.worker.step, room.worker.died = step, 0
        await room.comes(SILENCE)

        assert await room.in_charge() == "agent"
        shown = lines_of(await room.staff_saw()) - before
        assert [count for line, count in shown.items() if BACK_BY_SILENCE in line] == [1], shown
        if not room.worker.died:
            break
    assert step > 3
