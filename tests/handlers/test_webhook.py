"""The gateway's doors: who is let in, what is stored, what is answered."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from bot.app import build_gateway
from db.intake import IntakeBudgets
from db.limits import Budget
from db.records import dialogue_id_of

MESSAGE = {
    "message_id": 1,
    "date": 1_795_000_000,
    "chat": {"id": 5, "type": "private", "first_name": "A"},
    "from": {"id": 5, "is_bot": False, "first_name": "A"},
    "text": "hi",
}


@pytest.fixture
async def door(core, vendors):
    """A gateway without a worker, and one channel's door."""
    from pydantic import SecretStr

    from db.records import AgentSettings, Branch, BranchId, ChannelType, Company, CompanyId, new_id

    company = Company(id=CompanyId(new_id()), slug="elita", name="Элита")
    place = Branch(id=BranchId(new_id()), key="main", name="Элита", time_zone="UTC")
    await core.companies.create_company(company, AgentSettings(), [place])
    channel, token = await core.companies.add_channel(
        company.id,
        ChannelType.TELEGRAM,
        external_id="1",
        name="@bot",
        options={},
        secrets={"token": SecretStr("t"), "secret_token": SecretStr("s3cret")},
    )
    _, api_token = await core.companies.add_channel(
        company.id, ChannelType.API, external_id="api", name="api", options={}, secrets={}
    )
    gateway = build_gateway(core)
    url = await gateway.start()
    async with ClientSession() as session:
        yield Door(core, session, url, channel, token, api_token)
    await gateway.stop()


class Door:
    def __init__(self, core, session, url, channel, token, api_token):
        self.core, self.session, self.url = core, session, url
        self.channel, self.token, self.api_token = channel, token, api_token

    async def knock(self, body, *, token=None, secret="s3cret", prefix="/api", channel="telegram"):
        data = body if isinstance(body, bytes | io.BytesIO) else json.dumps(body).encode()
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        path = f"{self.url}{prefix}/v1/{channel}/webhook/{token or self.token}"
        async with self.session.post(path, data=data, headers=headers) as response:
            kept = {name: value for name, value in response.headers.items() if name != "Date"}
            return response.status, kept, await response.read()

    async def stored(self, dialogue):
        async with self.core.database.company(self.channel.company_id) as tx:
            found = await self.core.inbox.list_waiting(tx, dialogue_id_of(self.channel.id, dialogue), limit=10)
        return [update.update_key for update in found]


@pytest.mark.parametrize("prefix", ["/api", ""])
async def test_an_update_is_stored_before_it_is_answered(door, prefix):
    status, _, _ = await door.knock({"update_id": 7, "message": MESSAGE}, prefix=prefix)

    assert status == 200
    assert await door.stored("5:5:") == ["7"]


async def test_an_unknown_token_gets_the_same_404_whatever_the_cause(door):
    unknown = await door.knock({"update_id": 7}, token="x" * 43)
    other_channel = await door.knock({"update_id": 7}, token=door.api_token)
    await door.core.companies.set_disabled(door.channel.company_id, disabled=True)
    door.core.directory.forget(door.channel.company_id)
    disabled = await door.knock({"update_id": 7, "message": MESSAGE})

    assert unknown[0] == 404
    assert unknown == other_channel == disabled
    assert json.loads(unknown[2]) == {"error": {"code": "not_found", "message": "Not Found"}}


@pytest.mark.parametrize("secret", ["wrong", "", None, "секрет"])
async def test_a_wrong_secret_is_refused_and_nothing_is_stored(door, secret):
    encoded = secret.encode().decode("latin-1") if secret else secret
    status, _, _ = await door.knock({"update_id": 7, "message": MESSAGE}, secret=encoded)

    assert status == 401
    assert await door.stored("5:5:") == []


async def test_a_body_over_a_megabyte_is_refused(door):
    status, _, body = await door.knock(io.BytesIO(b"x" * (1024 * 1024 + 1)))

    assert status == 413
    assert json.loads(body)["error"]["code"] == "too_large"


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b'"x"', b'{"update_id": "x"}', b"\xff\xfe", b"[" * 100_000])
async def test_what_cannot_be_read_is_taken_and_kept_aside(door, body):
    status, _, _ = await door.knock(body)

    assert status == 200
    assert len(await door.stored("aside")) == 1


async def test_an_update_of_no_chat_is_taken(door):
    status, _, _ = await door.knock({"update_id": 9, "poll": {"id": "1"}})

    assert status == 200
    assert await door.stored("aside") == ["9"]


async def test_other_methods_and_routes_are_answered_in_json(door):
    async with door.session.get(f"{door.url}/api/v1/telegram/webhook/{door.token}") as response:
        assert response.status == 405
        assert (await response.json())["error"]["code"] == "method_not_allowed"
        assert response.headers["Allow"] == "POST"
    async with door.session.get(f"{door.url}/nowhere") as response:
        assert response.status == 404
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_operators_see_that_it_lives_and_can_serve(door):
    async with door.session.get(f"{door.url}/health") as response:
        assert await response.json() == {"status": "alive"}
    async with door.session.get(f"{door.url}/ready") as response:
        assert (response.status, await response.json()) == (
            200,
            {"status": "ready", "database": "ok", "redis": "ok"},
        )


async def test_figures_are_for_this_machine_or_the_bearer_of_the_token(door, core):
    async with door.session.get(f"{door.url}/metrics") as response:
        assert response.status == 200
        assert "ai_admin_updates_total" in await response.text()
    async with door.session.get(f"{door.url}/metrics", headers={"X-Forwarded-For": "1.2.3.4"}) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("admin", "metrics", "opens", "refused"),
    [
        ("admin", None, ["admin"], ["", "no", "metrics", "админ"]),
        ("admin", "metrics", ["admin", "metrics"], ["", "no"]),
        (None, "metrics", ["metrics"], ["", "admin"]),
    ],
)
async def test_figures_with_a_token_set_want_one_of_the_tokens(core, admin, metrics, opens, refused):
    url, gateway = await _with_tokens(core, admin, metrics)
    async with ClientSession() as session:
        for token, status in [*((one, 200) for one in opens), *((one, 401) for one in refused)]:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with session.get(f"{url}/metrics", headers=headers) as response:
                assert response.status == status, token
    await gateway.stop()


async def test_the_token_of_figures_opens_figures_only(core, door):
    url, gateway = await _with_tokens(core, "admin", "metrics")
    body = {"message_id": "1", "client_id": "c", "text": "hi", "company": "elita"}
    async with ClientSession() as session:
        for token, company, status in (
            ("metrics", "elita", 401),
            ("admin", None, 400),
            ("admin", "nobody", 404),
            ("admin", "el%00ita", 400),
        ):
            sent = {name: value for name, value in (body | {"company": company}).items() if value is not None}
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(f"{url}/process", json=sent, headers=headers) as response:
                assert response.status == status, (token, company)
        async with session.get(f"{url}/process/1?company=elita", headers=headers) as response:
            assert response.status == 404
    await gateway.stop()


async def _with_tokens(core, admin, metrics):
    from dataclasses import replace

    from pydantic import SecretStr

    tokens = {"admin_token": admin and SecretStr(admin), "metrics_token": metrics and SecretStr(metrics)}
    gateway = build_gateway(replace(core, settings=core.settings.model_copy(update=tokens)))
    return await gateway.start(), gateway


async def test_a_company_over_its_rate_is_asked_to_come_again_and_nothing_is_stored(core, vendors, door):
    one = Budget(rate=1, per=timedelta(hours=1), burst=1)
    door.core.intake._budgets = IntakeBudgets(company=one, address=one)
    await door.knock({"update_id": 7, "message": MESSAGE})

    status, headers, body = await door.knock({"update_id": 8, "message": MESSAGE})

    assert status == 429
    assert 3500 < int(headers["Retry-After"]) <= 3600
    assert json.loads(body)["error"]["code"] == "too_many_requests"
    assert await door.stored("5:5:") == ["7"]


async def test_without_the_database_the_messenger_is_asked_to_come_again(door):
    await door.core.directory.find_channel(door.token)
    await door.core.directory.list_channels(door.channel.company_id)
    from db.engine import Database

    closed = Database("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    door.core.intake._database = closed

    status, headers, body = await door.knock({"update_id": 7, "message": MESSAGE})

    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert json.loads(body)["error"]["code"] == "unavailable"
    await closed.close()
