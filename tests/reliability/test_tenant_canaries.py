"""A hundred companies with marked prompts, catalogues, CRMs and clients share one installation; no mark goes astray.

The model tells everything that it was shown, and so would show a client whatever of another company reached it.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import string
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from prometheus_client import generate_latest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import db.models  # noqa: F401 (every table is in the metadata once it is loaded)
from db.columns import metadata
from db.records import CompanyId, Usage
from orchestration.errors import ModelUnavailable
from orchestration.ports import CallPart, Content, ModelAnswer, TextPart
from sandbox.seeds import elita_salon
from sandbox.telegram.state import User

COMPANIES, SPEAKING_AT_ONCE = 100, 20
CLIENT = 31
FILE = """
name: Салон {mark}
slug: salon-{number}
description: Лучший салон на улице {mark}
instructions: О скидках говорите со словом {mark}
language: ru
privacy: {{hide_from_model: false}}
address: Москва, ул. Ленина, {number}
time_zone: Europe/Moscow
hours: {{mon-sun: 9:00-21:00}}
services:
  - {{name: Уход {mark}, price: 2500, duration: 60}}
crm: {{type: yclients}}
"""
_MARK = re.compile(r"Zq\d{3}[a-z]{6}")
_HEX = re.compile(r"\\x((?:[0-9a-f]{2})+)")


def marks_in(words):
    """Return the marks in a text, those of bytes that PostgreSQL shows as hex too."""
    opened = _HEX.sub(lambda match: bytes.fromhex(match[1]).decode(errors="replace"), words.replace("\\\\x", "\\x"))
    return set(_MARK.findall(opened))


class Telltale:
    """Tells every mark that it was shown, after a look into the catalogue; fails now and then."""

    def __init__(self, chance):
        self.chance = chance
        self.shown = []

    async def generate(self, request):
        whole = request.system + "".join(content.model_dump_json() for content in request.contents)
        shown = marks_in(whole) | marks_in(json.dumps([tool.description for tool in request.tools]))
        self.shown.append(shown)
        await asyncio.sleep(0)
        if self.chance.random() < 0.1:
            raise ModelUnavailable("planted")
        if request.contents[-1].role == "user" and isinstance(request.contents[-1].parts[0], TextPart):
            part = CallPart(name="get_services", arguments={})
        else:
            part = TextPart(text=f"У нас есть {', '.join(sorted(shown))}.")
        return ModelAnswer(content=Content(role="model", parts=(part,)), usage=Usage(calls=1), model="telltale")


@dataclass
class Marked:
    """A company, its mark, and the one client who speaks with it."""

    company_id: CompanyId
    mark: str
    client: User


@pytest.fixture
def chance():
    return random.Random(8)  # noqa: S311 (a repeatable order)


@pytest.fixture
def model(chance):
    return Telltale(chance)


@pytest.fixture
async def companies(house, vendors, chance):
    marked = []
    for number in range(COMPANIES):
        mark = f"Zq{number:03}" + "".join(chance.choices(string.ascii_lowercase, k=6))
        salon = elita_salon()
        services = tuple(replace(one, title=f"{one.title} {mark}") for one in salon.services)
        vendors.yclients.add_salon(replace(salon, id=50_000 + number, title=mark, services=services))
        token = f"{710_000_000 + number}:SANDBOX-only-works-in-the-tests-{number:06}"
        file = FILE.format(mark=mark, number=number)
        company_id = await house.add_company(file, token, account=str(50_000 + number))
        marked.append(Marked(company_id, mark, User(id=CLIENT, first_name=f"Клиент {mark}")))
    return marked


async def speak(house, vendors, companies, chance, *, rounds):
    """Let every client say something `rounds` times, in any order, many at once, while their CRM fails now and then."""
    people, room = vendors.telegram.people, asyncio.Semaphore(SPEAKING_AT_ONCE)

    async def one(company, number):
        async with room:
            bot_id = house.bots[company.company_id]
            heard = len(people.texts_from_bot(bot_id, CLIENT))
            await people.send_text(bot_id, company.client, f"Что у вас есть? Мой код {company.mark}, вопрос {number}")
            await people.wait_for(bot_id, CLIENT, lambda _: len(people.texts_from_bot(bot_id, CLIENT)) > heard)

    for number in range(rounds):
        vendors.yclients.fail_next("", times=6, status=500)
        order = list(companies)
        chance.shuffle(order)
        await asyncio.gather(*(one(company, number) for company in order))


@pytest.mark.timeout(300)
async def test_no_mark_of_a_company_is_found_with_another(
    house, vendors, model, companies, chance, capfd, database_url
):
    await speak(house, vendors, companies, chance, rounds=2)
    # A process dies with what it holds, and another goes on.
    await house.kill_worker()
    house.clock.advance(timedelta(minutes=1))

    owner = {str(one.company_id): one.mark for one in companies}
    told = {one.mark: set() for one in companies}
    for one in companies:
        told[one.mark] = marks_in("\n".join(vendors.telegram.people.texts_from_bot(house.bots[one.company_id], CLIENT)))

    # What the test would find: the model did tell what it saw, to (nearly) every client.
    assert sum(bool(marks) for marks in told.values()) > COMPANIES * 0.8
    assert {mark: marks for mark, marks in told.items() if not marks <= {mark}} == {}
    assert [marks for marks in model.shown if len(marks) > 1] == []
    assert await astray_in_redis(house.core, owner) == []
    assert await astray_in_postgres(database_url, owner) == []
    written = "".join(capfd.readouterr())
    assert "turn_done" in written
    assert marks_in(written) == set()
    assert marks_in(generate_latest().decode()) == set()


async def astray_in_redis(core, owner):
    """Return the keys that hold a mark of another company than they name, or of several, or that are named by one."""
    astray = []
    async for key in core.redis.scan_iter(match=f"{core.redis_prefix}*"):
        name = key.decode() if isinstance(key, bytes) else key
        kind = await core.redis.type(key)
        values = await core.redis.get(key) if kind in (b"string", "string") else await core.redis.dump(key)
        found = marks_in(values.decode(errors="replace") if isinstance(values, bytes) else str(values))
        named = {mark for company_id, mark in owner.items() if company_id in name}
        if marks_in(name) or len(found) > 1 or (named and not found <= named):
            astray.append((name, found))
    return astray


async def astray_in_postgres(database_url, owner):
    """Return the rows that hold a mark of another company than theirs, read past every policy as the owner."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    astray, held = [], 0
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if "company_id" not in table.c:
                continue
            rows = await connection.execute(text(f'SELECT company_id, to_jsonb(t)::text FROM "{table.name}" t'))
            for company_id, row in rows:
                found = marks_in(row)
                held += bool(found)
                if not found <= {owner.get(str(company_id), "")}:
                    astray.append((table.name, str(company_id), found))
    await engine.dispose()
    assert held > COMPANIES, "the marks should be found where they belong"
    return astray
