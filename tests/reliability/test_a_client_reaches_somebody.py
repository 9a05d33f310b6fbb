"""Whatever happens in whatever order while people take part: a client's words reach a person or are answered.

Steps are drawn by chance from a seed: clients write, staff answer and hand back, time passes, pieces of work are done
in any order, and a process dies in the middle of one. At the end all is settled and held against what was written.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from house_by_hand import by_hand
from house_desk import IRINA
from sqlalchemy import func, select

from bot.lane import LEASE
from db.models import messages, turns, work
from db.people_settings import MODES
from db.records import WorkKind, dialogue_id_of
from db.staff_models import mirror_items
from house_installation import STAFF_CHAT

SEEDS = int(os.environ.get("HANDOVER_SEEDS", "6"))
STEPS = 60
WORDS = ("Позовите человека", "Сколько стоит женская стрижка?", "Здравствуйте", "Хочу записаться")


class Killed(Exception):
    """The process died here."""


class World:
    """An installation whose pieces of work are done one by one, by whoever lives."""

    def __init__(self, house, app, seed):
        self.house, self.app, self.core = house, app, house.core
        self.people, self.bot = house.vendors.telegram.people, house.bots[house.company_id]
        self.chance = random.Random(seed)  # noqa: S311 (a test's own dice)
        self.clients = [house.client(name) for name in ("Анна", "Борис")]
        self.written: dict[int, list[str]] = {0: [], 1: []}
        self.count = 0

    async def client_writes(self):
        who = self.chance.randrange(2)
        self.count += 1
        # Told apart by their number, which stands in a line of its own.
        text = f"{self.chance.choice(WORDS)}\n{self.count}."
        self.written[who].append(text)
        client = self.clients[who]
        await self.people.send_text(self.bot, client.user, text)

    async def staff_writes(self, text=None):
        chat = self.people.chat(self.bot, STAFF_CHAT)
        shown = [one for one in chat.messages if one.from_bot]
        if not shown:
            return
        message = self.chance.choice(shown[-6:])
        self.count += 1
        reply = {"message_id": message.message_id, "date": 1, "chat": {"id": STAFF_CHAT, "type": "private"}}
        await self.people.send_anything(
            self.bot, IRINA, text=text or f"Ответ человека {self.count}", reply_to_message=reply
        )

    async def staff_hands_back(self):
        await self.staff_writes("/back")

    async def time_passes(self):
        minutes = self.chance.choice((0.1, 0.1, 0.1, 1, 6, 11, 130))
        self.house.clock.advance(timedelta(minutes=minutes))

    async def work_is_done(self, *, dies=False):
        kinds = [WorkKind.TURN, WorkKind.DELIVERY, WorkKind.MIRROR, WorkKind.HANDOVER]
        for kind in self.chance.sample(kinds, self.chance.randint(1, len(kinds))):
            for claim in await self.core.work.claim("test", limit=self.chance.randint(1, 2), ttl=LEASE, kind=kind):
                if dies:
                    # Its lease stays until it runs out.
                    return
                await self.app.jobs[kind](claim)

    async def a_process_dies(self):
        await self.work_is_done(dies=True)

    async def settles(self):
        """Do all that is due, with time passing, until nothing is."""
        await self.house.settles_webhooks()
        for _ in range(60):
            busy = False
            for kind in (WorkKind.TURN, WorkKind.DELIVERY, WorkKind.MIRROR, WorkKind.HANDOVER):
                while claims := await self.core.work.claim("test", limit=5, ttl=LEASE, kind=kind):
                    busy = True
                    for claim in claims:
                        await self.app.jobs[kind](claim)
            if not busy:
                async with self.core.database.company(self.house.company_id) as tx:
                    left = await tx.connection.scalar(
                        select(func.count())
                        .select_from(work)
                        .where(work.c.due_at.is_not(None), work.c.kind.in_(["turn", "delivery", "mirror"]))
                    )
                if not left:
                    return
            self.house.clock.advance(timedelta(seconds=20))
        pytest.fail("it never settles")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
async def worlds(core, vendors, clock, mode):
    async with by_hand(core, vendors, clock, mode=mode) as (house, app):
        yield lambda seed: World(house, app, seed)


async def test_every_word_of_a_client_reaches_a_person_or_is_answered(worlds, mode):
    outcomes: Counter[str] = Counter()
    by_person = 0
    for seed in range(SEEDS):
        world = worlds(seed)
        steps = [
            *[world.client_writes] * 4, *[world.staff_writes] * 3, world.staff_hands_back, *[world.time_passes] * 4,
            *[world.work_is_done] * 12, world.a_process_dies,
        ]  # fmt: skip
        for _ in range(STEPS):
            await world.chance.choice(steps)()
        await world.settles()

        shown = "\n".join(world.house.staff_heard())
        channel = await world.house.channel()
        async with world.core.database.company(world.house.company_id) as tx:
            assert not (await tx.connection.scalars(select(mirror_items.c.id))).all(), "something was never shown"
            for who, client in enumerate(world.clients):
                id_ = dialogue_id_of(channel.id, f"{client.user.id}:{client.user.id}:")
                rows = (
                    await tx.connection.execute(
                        select(messages.c.author, messages.c.text, messages.c.turn_id)
                        .where(messages.c.dialogue_id == id_)
                        .order_by(messages.c.id)
                    )
                ).all()
                found = await tx.connection.execute(select(turns.c.outcome).where(turns.c.dialogue_id == id_))
                outcomes.update(found.scalars())
                by_person += sum(row.author == "person" for row in rows)
                answered = {row.turn_id for row in rows if row.author == "agent"}
                for text in world.written[who]:
                    kept = [row for row in rows if row.author == "client" and text in row.text]
                    assert kept, f"seed {seed}: {text!r} is in no history"
                    reached = text in shown or any(row.turn_id in answered for row in kept)
                    assert reached, f"seed {seed}: {text!r} reached nobody; staff saw: {shown}"
    # Else it was no test of people at all.
    assert by_person >= SEEDS // 2, (by_person, outcomes)
    if mode == "always":
        assert outcomes["person_in_charge"] >= SEEDS // 2, outcomes
        assert outcomes["person_called"] >= 1, outcomes
