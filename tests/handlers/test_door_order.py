"""The order at every door: size, token, proof, rate. Junk is refused as early as it can be, and uses up nobody's rate.

The doors of telephone calls are held to the same in tests/e2e/test_door_of_calls.py, over a running installation.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, ClientTimeout
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.app import build_gateway
from db.booking_models import crm_hooks
from db.intake import IntakeBudgets
from db.limits import Budget
from db.models import accepted_updates
from db.records import AgentSettings, Branch, BranchId, ChannelType, Company, CompanyId, new_id
from handlers import crm_events

ONE = Budget(rate=1, per=timedelta(hours=1), burst=1)
MEGABYTE = 1024 * 1024
UNKNOWN = "x" * 43
PORTALS, BASES = "token-of-the-portal", "secret-of-the-base-0123456789"


@dataclass
class Door:
    """How one door is knocked at: `url` holds `{token}`, `proof` makes the headers that open it."""

    name: str
    token: str
    body: bytes
    proof: dict[str, str]
    path: str
    wrong: int
    unknown: int = 404
    most: int = MEGABYTE
    forged: bytes | None = None
    own_proof: bool = True
    seen: list[int] = field(default_factory=list)

    def headers(self, token, *, proved):
        if self.path == "/process":
            return {"Authorization": f"Bearer {token}"}
        return self.proof if proved else {}


def signed(secret, body):
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


def whatsapp_body(clock, *, hours_old=0):
    sent = int((clock() - timedelta(hours=hours_old)).timestamp())
    message = {"from": "79160000001", "id": "wamid.1", "timestamp": str(sent), "type": "text", "text": {"body": "hi"}}
    value = {"metadata": {"phone_number_id": "111"}, "messages": [message]}
    return json.dumps({"entry": [{"id": "w", "changes": [{"field": "messages", "value": value}]}]}).encode()


@pytest.fixture
async def company(core):
    made = Company(id=CompanyId(new_id()), slug="elita", name="Элита")
    place = Branch(id=BranchId(new_id()), key="main", name="Элита", time_zone="UTC")
    await core.companies.create_company(made, AgentSettings(), [place])
    return made.id, place.id


async def open_telegram(core, company, clock):
    _, token = await core.companies.add_channel(
        company[0],
        ChannelType.TELEGRAM,
        external_id="1",
        name="@bot",
        options={},
        secrets={"token": SecretStr("t"), "secret_token": SecretStr("s3cret")},
    )
    chat = {"id": 5, "type": "private"}
    body = json.dumps({"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": chat, "text": "hi"}}).encode()
    proof = {"X-Telegram-Bot-Api-Secret-Token": "s3cret"}
    return Door("telegram", token, body, proof, "/api/v1/telegram/webhook/{token}", 401)


async def open_whatsapp(core, company, clock):
    secrets = {"token": SecretStr("t"), "app_secret": SecretStr("app"), "verify_token": SecretStr("v")}
    _, token = await core.companies.add_channel(
        company[0], ChannelType.WHATSAPP, external_id="111", name="+7", options={}, secrets=secrets
    )
    body = whatsapp_body(clock)
    return Door("whatsapp", token, body, signed("app", body), "/api/v1/whatsapp/webhook/{token}", 401)


async def open_bitrix24(core, company, clock):
    await core.companies.set_crm(company[0], "bitrix24", options={}, secrets={"application_token": SecretStr(PORTALS)})
    token = await core.companies.make_crm_hook(*company)
    event = {"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": "7", "auth[application_token]": PORTALS}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return Door(
        "bitrix24",
        token,
        urlencode(event).encode(),
        form,
        "/api/v1/crm/webhook/{token}",
        401,
        most=64 * 1024,
        forged=urlencode(event | {"auth[application_token]": "guessed"}).encode(),
    )


async def open_one_c(core, company, clock):
    await core.companies.set_crm(company[0], "1c", options={}, secrets={"hook_secret": SecretStr(BASES)})
    token = await core.companies.make_crm_hook(*company)
    body = json.dumps({"appointment_ids": ["7"]}).encode()
    return Door("1c", token, body, {"X-AI-Admin-Secret": BASES}, "/api/v1/crm/webhook/{token}", 401, most=64 * 1024)


async def open_yclients(core, company, clock):
    """Signs nothing: its token is all that opens it."""
    await core.companies.set_crm(company[0], "yclients", options={"company_id": "1"}, secrets={})
    token = await core.companies.make_crm_hook(*company)
    path = "/api/v1/crm/webhook/{token}"
    return Door("yclients", token, b"{}", {}, path, 404, most=64 * 1024, own_proof=False)


async def open_process(core, company, clock):
    _, token = await core.companies.add_channel(
        company[0], ChannelType.API, external_id="api", name="api", options={}, secrets={}
    )
    body = json.dumps({"message_id": "m1", "client_id": "c1", "text": "hi"}).encode()
    return Door("process", token, body, {}, "/process", 401, unknown=401, own_proof=False)


DOORS = [open_telegram, open_whatsapp, open_bitrix24, open_one_c, open_yclients, open_process]


@pytest.fixture(params=DOORS, ids=lambda one: one.__name__.removeprefix("open_"))
async def door(request, core, company, clock, vendors, monkeypatch):
    """A gateway whose company may bring in one thing an hour."""
    core.intake._budgets = IntakeBudgets(company=ONE, address=Budget(rate=1000, per=timedelta(seconds=1), burst=1000))
    monkeypatch.setattr(crm_events, "PER_BRANCH", ONE)
    found = await request.param(core, company, clock)
    gateway = build_gateway(core)
    url = await gateway.start()
    async with ClientSession() as session:

        async def knock(*, token=None, proved=True, body=None, headers=None, within=5.0):
            token = token or found.token
            where = url + found.path.format(token=token)
            sent = headers if headers is not None else found.headers(token, proved=proved)
            try:
                async with session.post(
                    where, data=body or found.body, headers=sent, timeout=_within(within)
                ) as answer:
                    return answer.status
            except TimeoutError:
                return None  # stored, and waiting for an answer that no worker makes

        found.knock = knock
        yield found
    await gateway.stop()


def _within(seconds):
    return ClientTimeout(total=seconds)


async def stored(core, company):
    async with core.database.company(company[0]) as tx:
        updates = await tx.connection.scalar(select(func.count()).select_from(accepted_updates))
        hints = await tx.connection.scalar(select(func.count()).select_from(crm_hooks))
    return updates + hints


async def test_size_comes_before_the_token_and_the_token_before_the_proof(door, core, company):
    large = BytesIO(b"x" * (door.most + 1))

    assert await door.knock(token=UNKNOWN, proved=False, body=large) == 413
    assert await door.knock(token=UNKNOWN, proved=False) == door.unknown
    assert await door.knock(token=UNKNOWN, proved=True) == door.unknown
    assert await stored(core, company) == 0


async def test_a_body_without_a_length_is_bounded_as_well(door, core, company):
    async def chunks():
        for _ in range(door.most // 8192 + 2):
            yield b"x" * 8192

    assert await door.knock(body=chunks()) == 413
    assert await stored(core, company) == 0


async def test_junk_uses_up_nobodys_rate(door, core, company):
    """However much of it comes: what is genuine is let in after it, and only then is the rate used up."""
    if door.own_proof:
        for _ in range(5):
            assert await _forge(door) == door.wrong
    else:
        for count in range(5):
            assert await door.knock(token=UNKNOWN + str(count)) == door.unknown
    assert await stored(core, company) == 0

    assert await door.knock(within=1.0 if door.name == "process" else 5.0) in (200, None)
    assert await stored(core, company) == 1
    assert await door.knock() == 429


async def _forge(door):
    if door.forged is not None:
        return await door.knock(body=door.forged)
    return await door.knock(headers=dict.fromkeys(door.proof, "guessed"))


async def test_what_is_no_text_in_a_header_breaks_nothing(door):
    name = next(iter(door.proof), "Authorization")
    value = b"Bearer \xff\xfe\xc0".decode("utf-8", "surrogateescape")

    assert await door.knock(headers={name: value}) in (200, 401, 403)


# ---- what is said again


@pytest.fixture
def unlimited(core):
    plenty = Budget(rate=1000, per=timedelta(seconds=1), burst=1000)
    core.intake._budgets = IntakeBudgets(company=plenty, address=plenty)


@pytest.mark.parametrize("door", [open_telegram, open_whatsapp], indirect=True, ids=["telegram", "whatsapp"])
async def test_a_body_that_is_sent_again_with_its_proof_is_taken_once(door, core, company, unlimited):
    assert [await door.knock() for _ in range(3)] == [200, 200, 200]
    assert await stored(core, company) == 1


@pytest.mark.parametrize("door", [open_whatsapp], indirect=True, ids=["whatsapp"])
async def test_a_signature_does_not_outlive_our_memory_of_what_it_was_for(door, core, company, clock, unlimited):
    """Meta's signature has no time: a body from before the oldest remembered key is not taken again."""
    just_in_time, too_old = whatsapp_body(clock, hours_old=7 * 24), whatsapp_body(clock, hours_old=8 * 24)

    assert await door.knock(body=too_old, headers=signed("app", too_old)) == 200
    assert await stored(core, company) == 0
    assert await door.knock(body=just_in_time, headers=signed("app", just_in_time)) == 200
    assert await stored(core, company) == 1
