"""`POST /process`: a channel of one's own runs the same orchestrator, once for each message id."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from bot.app import build_gateway
from bot.channels.api import add_api


@pytest.fixture
async def api(house):
    added = await add_api(house.core, house.company_id, may_prove_phones=True)
    async with ClientSession(headers={"Authorization": f"Bearer {added['bearer_token']}"}) as session:
        yield Api(house, session)


class Api:
    def __init__(self, house, session):
        self.house, self.session, self.count = house, session, 0

    async def send(self, status=200, **fields):
        self.count += 1
        body = {"message_id": f"m{self.count}", "client_id": "c1", "client_name": "Елена", **fields}
        async with self.session.post(f"{self.house.url}/process", json=body) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer


async def test_a_booking_is_held_over_the_api(house, api):
    await api.send(text="Хочу постричься завтра после обеда", proved_phone="+7 916 000-00-77")
    await api.send(text="Хочу постричься завтра после обеда")
    await api.send(text="Женская стрижка, мастер Анна Смирнова")
    proposal = await api.send(text="Давайте в 15:00")
    [[yes, _]] = proposal["replies"][0]["buttons"]
    receipt = await api.send(action=yes["action"])

    assert "Готово" in receipt["replies"][0]["text"]
    assert [record["client"]["phone"] for record in house.records()] == ["+79160000077"]


@pytest.mark.parametrize("client_id", ["-100500", "echo:1:1:"])
async def test_a_client_may_be_called_whatever_the_caller_likes(api, client_id):
    """Staff groups of Telegram and the owner's own words have such keys; here they are clients."""
    answer = await api.send(client_id=client_id, text="Сколько стоит окрашивание?")
    assert "8000 руб." in answer["replies"][0]["text"]


async def test_the_same_message_id_gets_the_same_reply_and_does_nothing_twice(house, api):
    first = await api.send(message_id="same", text="Сколько стоит окрашивание?")
    requests = len(house.vendors.gemini.requests)
    second = await api.send(message_id="same", text="Сколько стоит окрашивание?")

    assert first == second
    assert len(house.vendors.gemini.requests) == requests
    async with api.session.get(f"{house.url}/process/same") as response:
        assert await response.json() == first
    async with api.session.get(f"{house.url}/process/never") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"text": ""}, 400, "text"),
        ({"text": "hi", "unknown": 1}, 400, "unknown"),
        ({"text": "x" * 8001}, 400, "text"),
        ({"text": "hi", "client_id": ""}, 400, "client_id"),
        ({"text": "hi", "proved_phone": "12"}, 400, "proved_phone"),
        ({"text": "hi", "company": "other"}, 403, "another company"),
    ],
)
async def test_a_bad_message_gets_a_clear_error(api, fields, status, says):
    answer = await api.send(status=status, **fields)

    assert says in answer["error"]["message"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/start", "Я цифровой помощник «Салон красоты Элита»"),
        ("/start from-the-site", "Я цифровой помощник «Салон красоты Элита»"),
        ("/help@elita_bot", "Ваши записи: /my"),
        ("/person", "Передал ваш вопрос администратору"),
        ("/my", "Поделитесь своим номером"),
    ],
)
async def test_a_command_is_read_as_in_the_messengers(house, api, text, says):
    answer = await api.send(text=text)

    assert says in "\n".join(reply["text"] for reply in answer["replies"])
    assert not house.vendors.gemini.requests


@pytest.mark.parametrize("text", ["/unknown", "что такое /start"])
async def test_what_is_no_command_is_words(house, api, text):
    await api.send(text=text)

    assert house.vendors.gemini.requests


async def test_the_credential_is_one_companys_and_only_its_right_proves_phones(house):
    added = await add_api(house.core, house.company_id)
    body = {"message_id": "1", "client_id": "c", "text": "hi"}
    async with ClientSession() as session:
        for token, more, status in (
            (None, {}, 401),
            ("wrong", {}, 401),
            (added["bearer_token"], {"proved_phone": "+79160000077"}, 403),
            (added["bearer_token"], {"company": "elita"}, 200),
        ):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with session.post(f"{house.url}/process", json={**body, **more}, headers=headers) as response:
                assert response.status == status


async def test_the_admins_token_speaks_for_any_company_that_it_names(house, api):
    settings = house.core.settings.model_copy(update={"admin_token": SecretStr("admin")})
    gateway = build_gateway(replace(house.core, settings=settings))
    url = await gateway.start()
    body = {"message_id": "admins", "client_id": "c9", "text": "/help", "company": "elita"}
    async with ClientSession(headers={"Authorization": "Bearer admin"}) as session:
        async with session.post(f"{url}/process", json=body) as response:
            first = await response.json()
            assert response.status == 200, first
        async with session.get(f"{url}/process/admins?company=elita") as response:
            assert await response.json() == first
    await gateway.stop()
    assert "/my" in first["replies"][0]["text"]
