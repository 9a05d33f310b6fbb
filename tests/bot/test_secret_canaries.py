"""Marked secrets go through a whole installation; whatever its processes wrote is searched for them."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import db.models  # noqa: F401 (every table is in the metadata once it is loaded)
from db.columns import metadata
from sandbox.collector import Collector
from sandbox.telegram.state import User

# Half a dozen processes, one of which lives through a conversation.
pytestmark = pytest.mark.timeout(400)
ELITA = Path(__file__).parents[2] / "examples" / "elita.yaml"
MASTER_KEY = base64.b64encode(b"canary-master-key-of-32-bytes-xx").decode()
SECRETS = {
    "master key": MASTER_KEY,
    "admin token": "canary-admin-token-5b1e",
    "model's key": "canary-gemini-key-77aa",
    "bot token": "700000042:CANARY-telegram-token-000000000042",
    "CRM's partner token": "canary-partner-token-11ff",
    "CRM's user token": "canary-user-token-22ee",
}


@pytest.fixture
def installation(installation_of, vendors):
    """Everything that is set in the environment is a secret or an address."""
    vendors.yclients.partner_token, vendors.yclients.user_token = (
        SECRETS["CRM's partner token"],
        SECRETS["CRM's user token"],
    )
    vendors.telegram.add_bot(SECRETS["bot token"], username="canary_bot", first_name="Элита")
    return installation_of(
        AI_ADMIN_MODE="production",
        AI_ADMIN_MASTER_KEYS=f"k1:{MASTER_KEY}",
        AI_ADMIN_ADMIN_TOKEN=SECRETS["admin token"],
        AI_ADMIN_GEMINI_API_KEY=SECRETS["model's key"],
        # The sandbox's CRM: in production a private address has to be allowed by name.
        AI_ADMIN_ALLOWED_PRIVATE_HOSTS="127.0.0.1",
    )


@pytest.fixture
async def collector():
    async with Collector().serving() as serving:
        yield serving


async def test_no_secret_is_found_in_what_an_installation_writes(installation, vendors, settings, tmp_path, collector):
    one = installation
    one.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    one.environment["OTEL_BSP_SCHEDULE_DELAY"] = "200"
    assert await one.admin("company", "import", str(ELITA)) == 0
    options = ("-o", f"api_url={vendors.yclients.url}", "-o", "company_id=4564")
    tokens = "\n".join((SECRETS["CRM's partner token"], SECRETS["CRM's user token"], ""))
    assert await one.admin("crm", "set", "elita", "yclients", *options, stdin=tokens) == 0
    # Wrong in every way that a person may be: the token where the name should be, and one that the messenger refuses.
    await one.admin("channel", "add", "elita", "telegram", stdin="700000043:CANARY-telegram-token-000000000042\n")
    async with one.serving() as process:
        assert await one.admin("channel", "add", "elita", "telegram", stdin=SECRETS["bot token"] + "\n") == 0
        await trouble(one, vendors)
        for command in (["doctor", "--json"], ["channel", "list", "elita", "--json"], ["company", "export", "elita"]):
            await one.admin(*command)
        await one.admin("audit", "list", "--json")
        # A dump on the way down: faulthandler writes what it can.
        process.send_signal(6)
        await process.wait()

    written = {"processes": b"".join(one.written), **kept_in_files(tmp_path), "traces": b"".join(collector.bodies)}
    written["PostgreSQL"] = (await kept_in_postgres(settings.database_url)).encode()
    written |= await kept_in_redis(settings.redis_url)
    assert b"turn_done" in written["processes"]
    assert b"Fatal Python error" in written["processes"]
    assert {"webhook", "turn", "model", "crm", "reply"} <= {span.name for span in collector.spans}
    found = [
        (place, name) for place, words in written.items() for name, secret in SECRETS.items() if holds(words, secret)
    ]
    assert found == []


async def trouble(one, vendors):
    """Hold a conversation in which every vendor fails once, and knock as strangers do."""
    people, user = vendors.telegram.people, User(id=31, first_name="Елена")

    async def says(words):
        heard = len(people.texts_from_bot(700000042, 31))
        await people.send_text(700000042, user, words)
        await people.wait_for(700000042, 31, lambda _: len(people.texts_from_bot(700000042, 31)) > heard)

    await says("Сколько стоит стрижка?")
    vendors.gemini.fail_next("internal", times=1)
    vendors.yclients.fail_next("", times=2, status=401)
    vendors.telegram.fail_next("sendMessage", times=1, code=502)
    await says("Есть время завтра на женскую стрижку?")
    vendors.yclients.fail_next("", times=2, malformed=True)
    await says("А послезавтра?")
    vendors.yclients.clear_faults()
    bearer = {"Authorization": f"Bearer {SECRETS['admin token']}"}
    async with aiohttp.ClientSession() as session:
        for path in ("/metrics", "/openapi.json", "/process", "/nowhere"):
            async with session.get(f"{one.url}{path}", headers=bearer) as response:
                one.written.append(await response.read())
        hook = f"{one.url}/api/v1/telegram/webhook/{'x' * 43}"
        async with session.post(hook, data=b"{", headers=bearer) as response:
            one.written.append(await response.read())


def holds(words, secret):
    """Say whether a secret stands there, as it is or as bytes are written in text."""
    forms = {secret.encode(), secret.encode().hex().encode(), base64.b64encode(secret.encode()).rstrip(b"=")}
    if secret == MASTER_KEY:
        forms.add(base64.b64decode(secret))
    return any(form in words for form in forms)


def kept_in_files(folder):
    """Return the files that the processes left behind."""
    return {str(one): one.read_bytes() for one in folder.rglob("*") if one.is_file() and os.access(one, os.R_OK)}


async def kept_in_postgres(database_url):
    engine = create_async_engine(database_url, poolclass=NullPool)
    rows = []
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows += [row for (row,) in await connection.execute(text(f'SELECT t::text FROM "{table.name}" t'))]
    await engine.dispose()
    return "\n".join(rows)


async def kept_in_redis(redis_url):
    from redis.asyncio import Redis

    redis = Redis.from_url(redis_url)
    kept = {}
    async for key in redis.scan_iter():
        kept[f"Redis {key!r}"] = key + b" " + (await redis.dump(key) or b"")
    await redis.aclose()
    return kept


def test_a_secret_that_is_written_is_found():
    token = SECRETS["bot token"]

    assert holds(f"https://api.telegram.org/bot{token}/getMe".encode(), token)
    assert holds(token.encode().hex().encode(), token)
    assert not holds(b"nothing of the kind", token)
