"""Clients of several companies who write as long as they are let, and the counting of what came of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bench.chaos.evidence import Stored, read_stored
from bench.chaos.people import Allowance, Manner, Person, make_wishes
from bench.chaos.verdict import Verdict, judge
from bench.upgrades.installation import Installation
from sandbox.seeds import ELITA_ID
from sandbox.telegram.state import Bot, User

_FIRST_ID = 920_000_000
_PER_COMPANY = 1000
_WITHOUT_END = 1_000_000
_DEADLINE_S = 12.0
"""How long a client waits for an answer before it writes on."""


@dataclass(slots=True)
class Crowd:
    """Everybody who writes. `stop` lets each hear the answer to the last thing that they wrote."""

    installation: Installation
    people: list[Person]
    living: asyncio.Future[list[None]]

    async def writes(self, more: int) -> None:
        """Wait until so many further messages were written and taken. Raises whatever has ended a client."""
        wanted = len(self.installation.acknowledged()) + more
        while len(self.installation.acknowledged()) < wanted:
            done, _ = await asyncio.wait([self.living], timeout=0.1)
            if done:
                self.living.result()
                raise AssertionError("the clients have stopped writing")

    async def stop(self) -> None:
        for person in self.people:
            person.left = 0
        await self.living


@asynccontextmanager
async def crowd_of(installation: Installation, *, bookers: int, askers: int) -> AsyncIterator[Crowd]:
    """Let clients write: `bookers` book at Elita, and `askers` of every company only ask."""
    zone = ZoneInfo(installation.vendors.yclients.book.salons[ELITA_ID].time_zone)
    today = datetime.now(UTC).astimezone(zone).date()
    allowance = Allowance(messages=_WITHOUT_END, kills=0, ahead=_WITHOUT_END)
    done: Counter[str] = Counter()
    people = []
    for place, bot in enumerate(installation.bots):
        for number in range(askers + (bookers if place == 0 else 0)):
            name = f"{place}:{number}"
            person = Person(
                telegram=installation.vendors.telegram,
                bot_id=bot.id,
                user=User(id=_FIRST_ID + place * _PER_COMPANY + number, first_name="Елена"),
                phone=f"+7917{place:03}{number:04}",
                wishes=make_wishes(random.Random(name), today),
                manner=Manner(
                    changes_mind=False, in_bursts=number % 4 == 1, in_words=number % 3 == 2, only_asks=number < askers
                ),
                left=_WITHOUT_END,
                allowance=allowance,
                deadline_s=_DEADLINE_S,
                rng=random.Random(f"person {name}"),
                done=done,
            )
            people.append(person)
    living = asyncio.gather(*(person.live() for person in people))
    try:
        yield Crowd(installation, people, living)
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


async def count(installation: Installation, crowd: Crowd) -> tuple[Verdict, Stored]:
    """Hold what the vendors saw against what the database says, all companies together."""
    stored = await read_stored(installation.database_url)
    everybody = Bot(id=0, token="", username="", first_name="", delivered=deque())
    for bot in installation.bots:
        everybody.delivered.extend(bot.delivered)
        everybody.chats |= bot.chats
    yeses = [yes for person in crowd.people for yes in person.yeses]
    return judge(everybody, installation.vendors.yclients.book, stored, yeses), stored
