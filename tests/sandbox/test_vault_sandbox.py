"""The local Vault answers and refuses as Vault's documents say."""

from __future__ import annotations

import base64

import httpx
import pytest

from sandbox.vault import VaultSandbox

PLAIN = base64.b64encode(b"thirty-two bytes of a master key").decode()


@pytest.fixture
async def vault():
    server = VaultSandbox()
    server.add_key("ai-admin")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def ask(vault):
    async with httpx.AsyncClient(base_url=f"{vault.url}/v1", trust_env=False) as client:

        async def send(path, body=None, *, method="POST", token=vault.token):
            headers = {"X-Vault-Token": token} if token else {}
            answer = await client.request(method, path, json=body, headers=headers)
            return answer.status_code, answer.json()

        yield send


async def encrypted(ask):
    return (await ask("/transit/encrypt/ai-admin", {"plaintext": PLAIN}))[1]["data"]["ciphertext"]


async def test_what_is_encrypted_names_its_version_and_opens_again(ask):
    sealed = await encrypted(ask)
    status, answer = await ask("/transit/decrypt/ai-admin", {"ciphertext": sealed})

    assert sealed.startswith("vault:v1:")
    assert (status, answer["data"]) == (200, {"plaintext": PLAIN})
    assert {"request_id", "lease_id", "renewable", "lease_duration", "wrap_info", "warnings", "auth"} < answer.keys()


async def test_after_a_rotation_old_ciphertexts_open_until_they_are_too_old_and_rewrap_makes_new_ones(vault, ask):
    old = await encrypted(ask)
    await ask("/transit/keys/ai-admin/rotate", token=vault.root)
    _, rewrapped = await ask("/transit/rewrap/ai-admin", {"ciphertext": old})
    assert (await ask("/transit/decrypt/ai-admin", {"ciphertext": old}))[0] == 200
    await ask("/transit/keys/ai-admin/config", {"min_decryption_version": 2}, token=vault.root)

    assert rewrapped["data"]["ciphertext"].startswith("vault:v2:")
    assert (await ask("/transit/decrypt/ai-admin", rewrapped["data"]))[1]["data"] == {"plaintext": PLAIN}
    assert await ask("/transit/decrypt/ai-admin", {"ciphertext": old}) == (
        400,
        {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]},
    )
    _, described = await ask("/transit/keys/ai-admin", method="GET")
    assert (described["data"]["latest_version"], described["data"]["min_decryption_version"]) == (2, 2)


@pytest.mark.parametrize(
    ("path", "body", "more", "status", "error"),
    [
        ("/transit/encrypt/ai-admin", {"plaintext": PLAIN}, {"token": "hvs.other"}, 403, "permission denied"),
        ("/transit/encrypt/ai-admin", {"plaintext": PLAIN}, {"token": None}, 403, "permission denied"),
        ("/transit/encrypt/nobodys", {"plaintext": PLAIN}, {}, 403, "permission denied"),
        ("/transit/encrypt/ai-admin", {"plaintext": "#"}, {}, 400, "failed to base64-decode plaintext"),
        ("/transit/encrypt/ai-admin", {}, {}, 400, "missing plaintext to encrypt"),
        ("/transit/decrypt/ai-admin", {}, {}, 400, "missing ciphertext to decrypt"),
        ("/transit/decrypt/nobodys", {"ciphertext": "vault:v1:AAAA"}, {}, 400, "encryption key not found"),
        ("/transit/rewrap/nobodys", {"ciphertext": "vault:v1:AAAA"}, {}, 400, "encryption key not found"),
        ("/transit/decrypt/ai-admin", {"ciphertext": "AAAA"}, {}, 400, "invalid ciphertext: no prefix"),
        (
            "/transit/decrypt/ai-admin",
            {"ciphertext": "vault:v1"},
            {},
            400,
            "invalid ciphertext: wrong number of fields",
        ),
        (
            "/transit/decrypt/ai-admin",
            {"ciphertext": "vault:vx:AAAA"},
            {},
            400,
            "invalid ciphertext: version number could not be decoded",
        ),
        (
            "/transit/decrypt/ai-admin",
            {"ciphertext": "vault:v9:AAAA"},
            {},
            400,
            "invalid ciphertext: version is too new",
        ),
        (
            "/transit/decrypt/ai-admin",
            {"ciphertext": "vault:v1:#"},
            {},
            400,
            "invalid ciphertext: could not decode base64",
        ),
        (
            "/transit/decrypt/ai-admin",
            {"ciphertext": "vault:v1:" + "A" * 80},
            {},
            400,
            "cipher: message authentication failed",
        ),
        ("/transit/decrypt/ai-admin", None, {"method": "GET"}, 405, "unsupported operation"),
        ("/transit/keys/ai-admin/rotate", None, {}, 403, "permission denied"),
        ("/other/encrypt/ai-admin", {"plaintext": PLAIN}, {}, 403, "permission denied"),
        ("/other/encrypt/ai-admin", {"plaintext": PLAIN}, {"token": "hvs.sandbox-root"}, 404, "no handler for route"),
    ],
)
async def test_it_refuses_what_vault_refuses(ask, path, body, more, status, error):
    found, answer = await ask(path, body, **more)

    assert found == status
    assert answer["errors"][0].startswith(error)


async def test_an_unknown_key_is_made_only_for_who_may_create_it_and_is_not_there_to_read(vault, ask):
    assert (await ask("/transit/keys/nobodys", method="GET")) == (404, {"errors": []})

    status, _ = await ask("/transit/encrypt/nobodys", {"plaintext": PLAIN}, token=vault.root)

    assert (status, "nobodys" in vault.keys) == (200, True)


async def test_while_it_is_sealed_it_answers_nothing_else(vault, ask):
    vault.sealed = True

    assert await ask("/transit/encrypt/ai-admin", {"plaintext": PLAIN}) == (503, {"errors": ["Vault is sealed"]})
