"""The transit engine of HashiCorp Vault (and of what speaks like it, OpenBao) as a key management service, over HTTP.

Paths, shapes and statuses are those of Vault's API documents (api-docs: index, secret/transit). Tried against the local
server of the tests, which was written from the same documents; not against a Vault.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from db.errors import KmsRefused, KmsUnavailable, SecretError
from db.kms import checked_url

_CONNECT_S, _WHOLE_S = 3.0, 10.0
_PAUSES_S = (0.5, 2.0)
"""Between the tries where Vault does not answer: a node that steps down is away for seconds."""
_LARGEST = 64 * 1024
_AGAIN = frozenset({412, 429, 472, 473, 500, 502, 503, 504})

Sleep = Callable[[float], Awaitable[None]]


class VaultTransit:
    """One named key of a transit engine. The token goes nowhere but into the header of a request to `url`."""

    def __init__(
        self,
        url: str,
        token: SecretStr,
        *,
        key: str,
        mount: str = "transit",
        ca_file: Path | None = None,
        sleep: Sleep = asyncio.sleep,
        whole_s: float = _WHOLE_S,
    ) -> None:
        """`ca_file`: the certificates that Vault's own is held against, where the system's do not know it."""
        self._base = checked_url(url)
        if not (token.get_secret_value().isascii() and token.get_secret_value().isprintable()):
            # What cannot stand in a header would be quoted by the error.
            raise SecretError("AI_ADMIN_VAULT_TOKEN: has characters that no token has")
        self._token = token
        self._mount, self._key = mount.strip("/"), key
        self._sleep, self._whole_s = sleep, whole_s
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(whole_s, connect=_CONNECT_S),
            # Neither a proxy of the environment nor another node that an answer names is shown the token.
            trust_env=False,
            follow_redirects=False,
            verify=_certificates(ca_file) if self._base.startswith("https://") else False,
        )

    async def encrypt(self, key: bytes) -> str:
        """Wrap under the newest version. Raises KmsUnavailable or KmsRefused."""
        return _text(await self._ask("encrypt", {"plaintext": base64.b64encode(key).decode()}), "ciphertext")

    async def decrypt(self, wrapped: str) -> bytes:
        """Unwrap, whichever version wrapped it. Raises KmsUnavailable or KmsRefused."""
        data = await self._ask("decrypt", {"ciphertext": wrapped})
        try:
            return base64.b64decode(_text(data, "plaintext"), validate=True)
        except binascii.Error:
            raise KmsRefused("Vault's answer is not base64") from None

    async def rewrap(self, wrapped: str) -> str:
        """Return it wrapped under the newest version. Raises KmsUnavailable or KmsRefused."""
        return _text(await self._ask("rewrap", {"ciphertext": wrapped}), "ciphertext")

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _ask(self, what: str, body: dict[str, str]) -> dict[str, Any]:
        path = f"{quote(self._mount)}/{what}/{quote(self._key, safe='')}"
        for pause in (*_PAUSES_S, None):
            try:
                async with asyncio.timeout(self._whole_s):
                    status, answer = await self._send(f"{self._base}/v1/{path}", body)
            except (httpx.HTTPError, TimeoutError) as error:
                failure: SecretError = KmsUnavailable(f"Vault at {self._base} does not answer: {type(error).__name__}")
            else:
                if status == 200:
                    return _data(answer)
                if status not in _AGAIN:
                    self._refuse(status, what)
                sealed = " (503: sealed, or down for maintenance)" if status == 503 else ""
                failure = KmsUnavailable(f"Vault at {self._base} answers {status}{sealed}")
            if pause is None:
                # The request, and with it the token, is a local of what the failure came from.
                raise failure from None
            await self._sleep(pause)
        raise AssertionError("unreachable")

    async def _send(self, url: str, body: dict[str, str]) -> tuple[int, bytes]:
        headers = {"X-Vault-Token": self._token.get_secret_value(), "X-Vault-Request": "true"}
        async with self._client.stream("POST", url, json=body, headers=headers) as response:
            read = bytearray()
            async for piece in response.aiter_bytes():
                read += piece
                if len(read) > _LARGEST:
                    raise KmsRefused("Vault's answer is too large")
            return response.status_code, bytes(read)

    def _refuse(self, status: int, what: str) -> NoReturn:
        """Say in our own words what to look at; Vault's are not repeated, as they might repeat what they were sent."""
        place = f"{self._mount}/{what}/{self._key}"
        reasons = {
            400: f"no key {self._key!r} at {self._mount!r}, or this is not a ciphertext of a version it allows",
            403: f"the token is not valid, or its policy does not allow `update` on {place}",
            404: f"there is no transit engine at {self._mount!r}, or no key {self._key!r}",
        }
        raise KmsRefused(f"Vault refuses {place} with {status}: {reasons.get(status, 'see its audit log')}") from None


def _certificates(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise SecretError(f"AI_ADMIN_VAULT_CA_FILE: {type(error).__name__}") from error


def _data(answer: bytes) -> dict[str, Any]:
    try:
        data = json.loads(answer)["data"]
    except (ValueError, KeyError, TypeError):
        raise KmsRefused("what answers at AI_ADMIN_VAULT_URL is not Vault") from None
    if not isinstance(data, dict):
        raise KmsRefused("what answers at AI_ADMIN_VAULT_URL is not Vault")
    return data


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise KmsRefused(f"Vault's answer has no {name}")
    return value
