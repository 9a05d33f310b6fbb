"""The doors of telephone calls: size, token, proof, rate; and what was signed once and comes again."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr
from sqlalchemy import func, select

from db.call_models import calls
from db.limits import Budget
from db.models import accepted_updates
from handlers.voice import routes
from handlers.voice.proof import twilio_signature

AUTH_TOKEN, PHONE_HOST = "auth-token-of-elita", "https://voice.example"
"""As the installation of tests/conftest.py has them."""
ONE = Budget(rate=1, per=timedelta(hours=1), burst=1)
CALL = {"CallSid": "CA1", "From": "+79160009999", "To": "+74951234567", "CallStatus": "ringing"}


@pytest.fixture
async def door(house):
    """Post to a route of Элита's number, signed or not."""
    await house.phone(streams=False)
    async with ClientSession() as session:

        async def knock(what, form, *, token=None, signed=True, body=None, query=""):
            path = f"/api/v1/voice/{what}/{token or house.voice_token}{query}"
            signature = twilio_signature(SecretStr(AUTH_TOKEN), PHONE_HOST + path, form)
            headers = {"X-Twilio-Signature": signature if signed else "guessed"}
            data = form if body is None else body
            async with session.post(house.url + path, data=data, headers=headers) as response:
                return response.status, await response.text()

        yield knock


async def count(house, table):
    async with house.core.database.company(house.company_id) as tx:
        return await tx.connection.scalar(select(func.count()).select_from(table))


@pytest.mark.parametrize("what", ["webhook", "turn", "action"])
async def test_size_token_proof_and_then_the_rate(house, door, monkeypatch, what):
    monkeypatch.setattr(routes, "PER_NUMBER", ONE)
    large = BytesIO(b"x" * (routes.FORM_LIMIT + 1))

    async def chunks():
        for _ in range(20):
            yield b"x" * 8192

    assert (await door(what, CALL, token="x" * 43, signed=False, body=large))[0] == 413
    assert (await door(what, CALL, token="x" * 43, signed=False))[0] == 404
    assert (await door(what, CALL, body=chunks()))[0] == 413
    assert [(await door(what, CALL, signed=False))[0] for _ in range(5)] == [403] * 5
    assert (await door(what, CALL))[0] in (200, 404), "junk has used up nothing"
    assert (await door(what, CALL))[0] == 429


async def test_a_signed_start_of_a_call_that_comes_again_is_the_same_call(house, door):
    answers = [await door("webhook", CALL) for _ in range(3)]

    assert [status for status, _ in answers] == [200, 200, 200]
    assert await count(house, calls) == 1


async def test_signed_words_that_come_again_are_heard_once(house, door):
    await door("webhook", CALL)
    before = await count(house, accepted_updates)
    said = CALL | {"SpeechResult": "Сколько стоит женская стрижка?", "CallStatus": "in-progress"}
    first = await door("turn", said, query="?turn=abcd1234")
    again = [await door("turn", said, query="?turn=abcd1234") for _ in range(2)]

    assert first[0] == 200
    assert await count(house, accepted_updates) == before + 1
    assert [status for status, _ in again] == [200, 200]
    assert len(house.vendors.gemini.requests) <= 3, "asked for one turn"


async def test_a_signed_end_that_comes_again_ends_one_call_once(house, door):
    await door("webhook", CALL)
    before = await count(house, accepted_updates)
    ended = CALL | {"CallStatus": "completed", "SessionStatus": "completed"}
    for _ in range(3):
        assert (await door("action", ended))[0] == 200

    assert await count(house, accepted_updates) == before + 1
    assert (await door("webhook", CALL))[0] == 200
    assert await count(house, calls) == 1, "a start that comes after the end begins no second call"
    _, answered = await door("turn", CALL | {"SpeechResult": "Запишите меня"}, query="?turn=ffff0000")
    assert "Hangup" in answered
