"""Keys of the ring wrapped by a Vault: opened once at the start, refused clearly, its token shown nowhere."""

from __future__ import annotations

import asyncio
import traceback

import pytest
import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.app import open_core
from bot.companies import create_from_file
from bot.keys import open_keys, open_kms
from bot.settings import SettingsError, load_settings
from db.crypto import CRM_SECRETS, KeyRing, new_key, new_master_key, parse_entries
from db.errors import KmsRefused, KmsUnavailable, SecretError
from db.kms import checked_url, open_ring, wrap_entries
from db.records import CompanyId, new_id
from db.vault import VaultTransit
from sandbox.vault import VaultSandbox

TOKEN = "hvs.canary-token-of-the-vault"
COMPANY = CompanyId(new_id())


@pytest.fixture
async def server():
    vault = VaultSandbox(token=TOKEN)
    vault.add_key("ai-admin")
    await vault.start()
    yield vault
    await vault.stop()


class Pauses(list):
    async def __call__(self, seconds):
        self.append(seconds)


@pytest.fixture
def pauses():
    """What was waited between tries; nobody waits here."""
    return Pauses()


@pytest.fixture
async def connect(server, pauses):
    opened = []

    def make(url=None, *, token=TOKEN, key="ai-admin", **more):
        vault = VaultTransit(url or server.url, SecretStr(token), key=key, sleep=pauses, **more)
        opened.append(vault)
        return vault

    yield make
    for vault in opened:
        await vault.aclose()


async def test_a_key_is_wrapped_and_unwrapped_and_rewrapped_under_the_newest_version(server, connect):
    vault, key = connect(), new_key().key
    wrapped = await vault.encrypt(key)
    server.rotate_key("ai-admin")
    rewrapped = await vault.rewrap(wrapped)
    server.keys["ai-admin"].min_decryption_version = 2

    assert wrapped.startswith("vault:v1:")
    assert rewrapped.startswith("vault:v2:")
    assert await vault.decrypt(rewrapped) == key
    with pytest.raises(KmsRefused, match="a version it allows"):
        await vault.decrypt(wrapped)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"token": "hvs.other"}, r"403: the token is not valid, or its policy"),
        ({"key": "nobodys"}, r"400: no key 'nobodys' at 'transit'"),
        ({"mount": "other", "token": "hvs.sandbox-root"}, r"404: there is no transit engine at 'other'"),
    ],
)
async def test_what_vault_refuses_is_said_with_what_to_look_at_and_not_tried_again(connect, server, pauses, more, says):
    with pytest.raises(KmsRefused, match=says):
        await connect(**more).decrypt("vault:v1:AAAA")

    assert (len(server.calls), pauses) == (1, [])


async def test_a_vault_that_is_away_for_a_moment_is_asked_again_and_one_that_stays_away_is_named(
    connect, server, pauses
):
    vault = connect()
    server.fail_next = [500, 503]
    assert (await vault.encrypt(b"k" * 32)).startswith("vault:v1:")
    server.sealed = True
    with pytest.raises(KmsUnavailable, match="503: sealed"):
        await vault.encrypt(b"k" * 32)
    await server.stop()
    with pytest.raises(KmsUnavailable, match="does not answer: ConnectError"):
        await vault.encrypt(b"k" * 32)

    assert pauses == [0.5, 2.0] * 3


async def test_an_answer_that_does_not_come_is_not_waited_for(connect, listen):
    asked, over = asyncio.Event(), asyncio.Event()

    async def silent(_):
        asked.set()
        await over.wait()
        return web.Response()

    url = await listen("/v1/transit/encrypt/ai-admin", silent)
    with pytest.raises(KmsUnavailable, match="does not answer"):
        await connect(url, whole_s=0.1).encrypt(b"k" * 32)
    assert asked.is_set()
    over.set()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.Response(text="hello"), "is not Vault"),
        (web.json_response({"data": None}), "is not Vault"),
        (web.json_response({"data": {"ciphertext": 7}}), "has no ciphertext"),
        (web.Response(body=b" " * 70_000), "too large"),
        (web.Response(status=307, headers={"Location": "http://127.0.0.1:1/v1/transit/encrypt/ai-admin"}), "307"),
    ],
)
async def test_what_is_not_vaults_answer_is_refused_and_nobody_else_is_shown_the_token(connect, listen, answer, error):
    async def odd(_):
        return answer

    with pytest.raises(KmsRefused, match=error):
        await connect(await listen("/v1/transit/encrypt/ai-admin", odd)).encrypt(b"k" * 32)


async def test_neither_token_nor_key_stands_in_an_error_a_log_or_a_repr(connect, server, listen, monkeypatch):
    monkeypatch.setenv("AI_ADMIN_VAULT_URL", server.url)
    monkeypatch.setenv("AI_ADMIN_VAULT_TOKEN", TOKEN)

    async def echo(request):
        return web.json_response({"errors": [str(dict(request.headers)), await request.text()]}, status=418)

    key = new_key()
    url = await listen("/v1/transit/encrypt/ai-admin", echo)
    seen = [repr(connect()), repr(key), repr(load_settings({}, None))]
    assert server.url in seen[-1]
    server.sealed = True
    with structlog.testing.capture_logs() as logs:
        for vault in (connect(), connect(url), connect("http://127.0.0.1:1")):
            with pytest.raises(SecretError) as failed:
                await vault.encrypt(key.key)
            seen.append("".join(traceback.format_exception(failed.value)))
    with pytest.raises(SecretError) as failed:
        connect(token=f"{TOKEN}\nX: y")
    seen.append("".join(traceback.format_exception(failed.value)))

    assert not [one for one in (*seen, str(logs)) if "canary" in one]
    assert not [one for one in seen if str(key.key) in one]


@pytest.mark.parametrize(
    "url",
    [
        "http://vault.example:8200",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "vault.example",
        "https://",
        "https://user:canary@vault.example",
        "https://vault.example?token=canary",
        "http://127.0.0.1.example",
        "https://vault.example:notaport",
    ],
)
def test_an_address_that_the_token_would_cross_the_network_to_in_the_clear_is_refused(monkeypatch, url):
    monkeypatch.setenv("AI_ADMIN_VAULT_URL", url)
    monkeypatch.setenv("AI_ADMIN_VAULT_TOKEN", TOKEN)

    with pytest.raises(SettingsError, match="AI_ADMIN_VAULT_URL: ") as refused:
        load_settings({}, None)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://vault.example:8200/", "http://127.0.0.1:8200", "http://[::1]:8200"])
def test_https_and_this_very_machine_are_taken(url):
    assert checked_url(url) == url.rstrip("/")


def test_a_vault_without_a_token_is_said_at_once(monkeypatch):
    monkeypatch.setenv("AI_ADMIN_VAULT_URL", "https://vault.example")

    with pytest.raises(SettingsError, match="AI_ADMIN_VAULT_TOKEN is not set"):
        load_settings({}, None)


async def test_a_ring_may_hold_wrapped_keys_and_plain_ones_and_each_opens_what_it_sealed(connect):
    vault, plain = connect(), new_master_key()
    wrapped = await wrap_entries([new_key()], vault)
    sealed = KeyRing.parse(plain).seal(SecretStr("x"), company_id=COMPANY, column=CRM_SECRETS)

    ring = await open_ring(f"{wrapped},{plain}", vault)
    moved = await open_ring(await wrap_entries(parse_entries(f"{wrapped},{plain}"), vault), vault)

    assert ring.current == wrapped.split(":")[0]
    assert moved.ids == ring.ids
    for one in (ring, moved):
        assert one.open(sealed, company_id=COMPANY, column=CRM_SECRETS).get_secret_value() == "x"
    with pytest.raises(SecretError, match="is wrapped, and AI_ADMIN_VAULT_URL is not set"):
        await open_ring(wrapped, None)
    with pytest.raises(SecretError, match="is wrapped"):
        KeyRing.parse(wrapped)


async def test_a_wrapped_key_of_the_wrong_length_is_refused(connect):
    vault = connect()

    with pytest.raises(SecretError, match="has 5 bytes, must have 32"):
        await open_ring(f"k1:{await vault.encrypt(b'short')}", vault)


async def test_a_process_asks_vault_once_at_its_start_and_works_on_without_it(settings, server, clock):
    settings = settings.model_copy(update={"vault_url": server.url, "vault_token": SecretStr(TOKEN)})
    async with open_kms(settings) as kms:
        wrapped = await wrap_entries([new_key()], kms)
    settings = settings.model_copy(update={"master_keys": SecretStr(wrapped)})
    server.calls.clear()

    async with open_core(settings, clock=clock, redis_prefix=f"test:{new_id().hex}:") as core:
        await server.stop()
        company = await create_from_file(core.companies, name="Салон", slug="salon", file=None)
        for value in ("one", "two"):
            await core.companies.set_crm(company.id, "yclients", options={}, secrets={"user_token": SecretStr(value)})
            crm = (await core.directory.get_snapshot(company.id)).crm
            core.directory.forget(company.id)
            assert core.companies.crm_secrets(company.id, crm)["user_token"].get_secret_value() == value
    assert server.calls == ["POST /v1/transit/decrypt/ai-admin"]


async def test_a_process_does_not_start_without_its_keys(settings, server):
    wrapped = SecretStr("k1:vault:v1:AAAA")

    with pytest.raises(SecretError, match="AI_ADMIN_VAULT_URL is not set"):
        await open_keys(settings.model_copy(update={"master_keys": wrapped}))
    with pytest.raises(KmsRefused):
        await open_keys(
            settings.model_copy(
                update={"master_keys": wrapped, "vault_url": server.url, "vault_token": SecretStr(TOKEN)}
            )
        )
