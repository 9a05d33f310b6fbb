"""A person answers at every single await of the agent's turn and of its delivery: nothing of the agent's follows."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from house_by_hand import by_hand
from house_desk import IRINA
from sqlalchemy import func, select

from bot.attempts import Attempts
from bot.lane import LEASE
from db.dialogues import Dialogues
from db.handovers import Handovers
from db.models import accepted_updates
from db.outbox import Outbox
from db.outbox_models import replies
from db.records import DeliveryStatus, WorkKind, dialogue_id_of
from db.staff_models import mirror_items, staff_messages
from handlers.staff_notices import chat_with
from house_installation import STAFF_CHAT

WORDS = "Это Ирина, сейчас всё расскажу"
COMMITTED, PERMITTED, REFUSED = "a person has answered", "a piece was let go", "a piece was held back"
MOST_STEPS = 400
BLOCKED_S = 0.25
"""Who has not come through by then waits for a lock that the agent's side holds; it goes on, and they come after it."""


class Paused:
    """Awaits a coroutine, and at its nth suspension first lets something else happen."""

    def __init__(self, coroutine, at, happen):
        self.coroutine, self.at, self.happen = coroutine, at, happen
        self.steps = 0

    def __await__(self):
        inner = self.coroutine.__await__()
        sent, error = None, None
        while True:
            try:
                waited = inner.throw(error) if error is not None else inner.send(sent)
            except StopIteration as end:
                return end.value
            now, sent, error = self.steps == self.at, None, None
            self.steps += 1
            try:
                if now:
                    yield from self.happen().__await__()
                sent = yield waited
            except BaseException as raised:
                error = raised


class Stage:
    """An installation whose worker does nothing by itself: each piece of work is taken by the test."""

    def __init__(self, house, app):
        self.house, self.app = house, app
        self.core, self.people = house.core, house.vendors.telegram.people
        self.bot = house.bots[house.company_id]
        self.events = []
        """What was sent to clients, as each request began; when a piece was let go; when a person had answered."""

    async def work(self, kind, dialogue_id):
        """Do what is due of one dialogue and kind, if anything is, and nobody holds it."""
        claims = await self.core.work.claim("test", limit=1, ttl=LEASE, kind=kind, only=dialogue_id)
        job = self.app.jobs[kind]
        for claim in claims:
            # As a lane does: what cannot be decided yet is given back.
            await Attempts(job, self.core.work, self.core.clock).make(claim, partial(job, claim))
        return bool(claims)

    async def stored(self, dialogue_id):
        """Wait until the gateway has stored what was written last."""
        async with asyncio.timeout(10):
            while True:
                async with self.core.database.company(self.house.company_id) as tx:
                    waiting = await tx.connection.scalar(
                        select(func.count())
                        .select_from(accepted_updates)
                        .where(accepted_updates.c.dialogue_id == dialogue_id, accepted_updates.c.done_at.is_(None))
                    )
                if waiting:
                    return
                await asyncio.sleep(0.01)


@pytest.fixture
async def stage(core, vendors, clock, monkeypatch):
    async with by_hand(core, vendors, clock) as (house, app):
        stage = Stage(house, app)
        find_waiting = Outbox.find_waiting

        async def permitted(self, tx, id_):
            # Asked before a person had answered, it may be answered before: what is read is older than what it says.
            place = len(stage.events)
            stage.events.append(PERMITTED)
            found = await find_waiting(self, tx, id_)
            if found is None:
                stage.events[place] = REFUSED
            return found

        monkeypatch.setattr(Outbox, "find_waiting", permitted)

        async def noted(make_request, bot, method):
            if type(method).__name__ == "SendMessage":
                stage.events.append(method.text)
            return await make_request(bot, method)

        app.bots.get(await house.channel()).session.middleware(noted)
        yield stage


async def seen_by_staff(stage):
    """Return a client whom staff see already, whom the agent still answers, with the ids of both chats."""
    house, channel = stage.house, await stage.house.channel()
    client = house.client()
    client_id = dialogue_id_of(channel.id, f"{client.user.id}:{client.user.id}:")
    staff_chat = chat_with(channel, str(STAFF_CHAT))
    await stage.people.send_text(client.bot_id, client.user, "Здравствуйте")
    await stage.stored(client_id)
    await stage.work(WorkKind.TURN, client_id)
    while await stage.work(WorkKind.DELIVERY, client_id):
        pass
    async with stage.core.database.company(house.company_id) as tx:
        dialogue = await Dialogues().find_dialogue(tx, client_id)
        await Handovers().open(
            tx, dialogue, dialogues=[client_id], staff_chat=staff_chat, reason="photo", now=stage.core.clock(),
            at_once=False, client_waits=False,
        )  # fmt: skip
        await tx.connection.execute(
            staff_messages.insert().values(
                company_id=house.company_id, staff_dialogue_id=staff_chat.id, message_id=str(client.user.id),
                dialogue_id=client_id,
            )
        )  # fmt: skip
    return client, client_id, staff_chat


async def staff_writes(stage, client, text):
    """Let Ирина reply to the message about this client, and wait until that is stored."""
    reply = {"message_id": client.user.id, "date": 1, "chat": {"id": STAFF_CHAT, "type": "private"}}
    await stage.people.send_anything(stage.bot, IRINA, text=text, reply_to_message=reply)
    await stage.stored(chat_with(await stage.house.channel(), str(STAFF_CHAT)).id)


async def one_pass(stage, at):
    """Let a client ask and a person answer at the nth await; return the client, and whether there was such an await."""
    client, client_id, staff_chat = await seen_by_staff(stage)
    await staff_writes(stage, client, WORDS)
    await stage.people.send_text(client.bot_id, client.user, "Сколько стоит женская стрижка?")
    await stage.stored(client_id)
    person: list[asyncio.Task] = []
    stage.events.clear()

    async def answer():
        await stage.work(WorkKind.TURN, staff_chat.id)
        stage.events.append(COMMITTED)
        await stage.work(WorkKind.DELIVERY, client_id)

    async def happen():
        person.append(asyncio.create_task(answer()))
        await asyncio.wait(person, timeout=BLOCKED_S)

    async def agent():
        await stage.work(WorkKind.TURN, client_id)
        await stage.work(WorkKind.DELIVERY, client_id)

    paused = Paused(agent(), at, happen)
    await paused
    reached = bool(person)
    if reached:
        await person[0]
    else:
        await answer()
    while await stage.work(WorkKind.DELIVERY, client_id):
        pass
    return client, client_id, reached


async def test_nothing_of_the_agents_comes_after_a_persons_words(stage):
    for at in range(MOST_STEPS):
        client, client_id, reached = await one_pass(stage, at)
        heard = client.heard
        assert heard.count(WORDS) == 1, f"await {at}: the person's words came {heard.count(WORDS)} times: {heard}"
        assert heard[-1] == WORDS, f"await {at}: the agent talked over a person: {heard}"
        committed = stage.events.index(COMMITTED)
        before, after = stage.events[:committed], stage.events[committed + 1 :]
        # What was let go before they answered may be on its way to the wire; it comes before their words.
        sent = sum(one not in (PERMITTED, REFUSED, COMMITTED) for one in before)
        on_the_way = sum(one == PERMITTED for one in before) - sent
        agents = [one for one in after if one not in (PERMITTED, REFUSED, WORDS)]
        assert len(agents) <= on_the_way, f"await {at}: let go after a person had answered: {stage.events}"
        async with stage.core.database.company(stage.house.company_id) as tx:
            shown = (await tx.connection.scalars(
                select(mirror_items.c.text).where(mirror_items.c.dialogue_id == client_id)
            )).all()  # fmt: skip
            left = await tx.connection.scalar(
                select(func.count())
                .select_from(replies)
                .where(replies.c.dialogue_id == client_id, replies.c.status == DeliveryStatus.WAITING.value)
            )
        assert left == 0
        # Answered by the agent before, or with the person who sees it.
        assert any("женская стрижка" in words for words in shown), f"await {at}: nobody saw the question: {shown}"
        if not reached:
            assert at > 30, "a turn and its delivery have more awaits than that"
            return
    pytest.fail(f"a turn has more than {MOST_STEPS} awaits")


async def test_words_that_come_while_a_person_hands_back_are_answered_or_seen(stage):
    """At every await of the client's turn: what is committed after the hand-back is the agent's to answer."""
    for at in range(MOST_STEPS):
        client, client_id, staff_chat = await seen_by_staff(stage)
        await staff_writes(stage, client, WORDS)
        await stage.work(WorkKind.TURN, staff_chat.id)
        await stage.work(WorkKind.DELIVERY, client_id)
        await staff_writes(stage, client, "/back")
        await stage.stored(staff_chat.id)
        await stage.people.send_text(client.bot_id, client.user, "Сколько стоит женская стрижка?")
        await stage.stored(client_id)
        person: list[asyncio.Task] = []

        async def happen(person=person, staff_chat=staff_chat):
            person.append(asyncio.create_task(stage.work(WorkKind.TURN, staff_chat.id)))
            await asyncio.wait(person, timeout=BLOCKED_S)

        await Paused(stage.work(WorkKind.TURN, client_id), at, happen)
        for task in person:
            await task
        while await stage.work(WorkKind.TURN, client_id) or await stage.work(WorkKind.DELIVERY, client_id):
            pass
        async with stage.core.database.company(stage.house.company_id) as tx:
            shown = (await tx.connection.scalars(
                select(mirror_items.c.text).where(mirror_items.c.dialogue_id == client_id).order_by(mirror_items.c.id)
            )).all()  # fmt: skip
        if not person:
            assert at > 10, "a turn has more awaits than that"
            return
        handed_back = next(place for place, words in enumerate(shown) if "возвращён ассистенту" in words)
        seen_before = any("женская стрижка" in words for words in shown[:handed_back])
        assert seen_before or "2500" in client.heard[-1], f"await {at}: nobody answers: {shown}, {client.heard}"
    pytest.fail(f"a turn has more than {MOST_STEPS} awaits")


def test_the_pause_is_at_an_await_and_changes_nothing():
    """The tool itself: what is awaited goes on as without it, errors included."""
    happened = []

    async def happen():
        happened.append("person")
        await asyncio.sleep(0)

    async def awaited():
        await asyncio.sleep(0)
        happened.append("first")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(1)
        return "done"

    async def run():
        return await Paused(awaited(), 1, happen)

    assert asyncio.run(run()) == "done"
    assert happened == ["first", "person"]
