"""The load generator counts what was answered, each body with a number of its own, and what was answered wrong."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from bench.load import FIRST_NUMBER, Spec, load, run
from bench.serving import served


class Door:
    """Keeps the numbers that it was told; `strict`: answers 503 to every tenth."""

    def __init__(self):
        self.numbers, self.strict, self.port = [], False, 0

    async def answer(self, request):
        self.numbers.append((await request.json())["update_id"])
        return web.json_response({}, status=503 if self.strict and len(self.numbers) % 10 == 0 else 200)


@pytest.fixture
async def door():
    door, application = Door(), web.Application()
    application.router.add_post("/{rest:.*}", door.answer)
    async with served(application) as url:
        door.port = int(url.rpartition(":")[2])
        yield door


def spec(port, **more):
    body = json.dumps({"update_id": FIRST_NUMBER})
    before, after = body.split(str(FIRST_NUMBER))
    head = f"POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    given = {"connections": 4, "seconds": 0.3, **more}
    return Spec(host="127.0.0.1", port=port, templates=[(head + before, after)], order=[0], **given)


async def test_every_answer_is_counted_once_and_no_number_comes_twice(door):
    told = await run(spec(door.port))

    assert told.done == len(door.numbers) == len(set(door.numbers)) > 0
    assert told.wrong == 0


async def test_with_a_rate_no_more_is_sent_than_that(door):
    told = await run(spec(door.port, rate=20, seconds=0.5))

    assert 1 <= told.done == len(door.numbers) <= 10


async def test_a_wrong_answer_is_no_answer_to_be_proud_of(door, tmp_path):
    door.strict = True

    with pytest.raises(RuntimeError, match="answers were not 200"):
        await load(spec(door.port), tmp_path)
