"""A local Vault: as much of HashiCorp Vault's HTTP API as its transit engine needs, from its API documents (api-docs:
index, secret/transit) and the engine's published source.

It refuses what Vault refuses: a bad token 403, an unknown key 400, a ciphertext of a version that is disallowed 400, a
path without an engine 404, a wrong method 405, everything 503 while it is sealed. Key versions encrypt by AES-256-GCM;
a ciphertext reads `vault:v<version>:<base64 of nonce and sealed>`. Left out: contexts, batches, every other engine.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Json = dict[str, Any]

_NONCE = 12
_CIPHERTEXT = re.compile(r"vault:v([^:]*):(.*)", re.DOTALL)


class _Refused(Exception):
    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(*errors)
        self.status, self.errors = status, errors


@dataclass
class TransitKey:
    """A named key: its versions from 1 on, and the oldest that may still decrypt."""

    name: str
    versions: list[bytes] = field(default_factory=lambda: [os.urandom(32)], repr=False)
    min_decryption_version: int = 1

    @property
    def latest_version(self) -> int:
        return len(self.versions)

    def encrypt(self, plaintext: bytes) -> str:
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(self.versions[-1]).encrypt(nonce, plaintext, None)
        return f"vault:v{self.latest_version}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str) -> bytes:
        if not ciphertext.startswith("vault:v"):
            raise _Refused(400, "invalid ciphertext: no prefix")
        matched = _CIPHERTEXT.fullmatch(ciphertext)
        if matched is None:
            raise _Refused(400, "invalid ciphertext: wrong number of fields")
        if not matched[1].isdecimal():
            raise _Refused(400, "invalid ciphertext: version number could not be decoded")
        version = int(matched[1])
        if version > self.latest_version:
            raise _Refused(400, "invalid ciphertext: version is too new")
        if version < self.min_decryption_version:
            raise _Refused(400, "ciphertext or signature version is disallowed by policy (too old)")
        try:
            sealed = base64.b64decode(matched[2], validate=True)
        except binascii.Error:
            raise _Refused(400, "invalid ciphertext: could not decode base64") from None
        if len(sealed) < _NONCE:
            raise _Refused(400, "invalid ciphertext length")
        try:
            return AESGCM(self.versions[version - 1]).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except InvalidTag:
            raise _Refused(400, "cipher: message authentication failed") from None


class VaultSandbox:
    """The server. A token of `tokens` may `update` (encrypt, decrypt, rewrap) and `read` keys; only `root` may more."""

    def __init__(self, *, token: str = "hvs.sandbox-token", root: str = "hvs.sandbox-root") -> None:  # noqa: S107
        self.tokens = {token}
        self.root = root
        self.token = token
        self.keys: dict[str, TransitKey] = {}
        self.sealed = False
        self.calls: list[str] = []
        self.fail_next: list[int] = []
        """Statuses of the next answers, whatever is asked."""
        self.url = ""
        self._runner: web.AppRunner | None = None

    def add_key(self, name: str) -> TransitKey:
        """What an operator does by `vault write -f transit/keys/<name>`."""
        return self.keys.setdefault(name, TransitKey(name))

    def rotate_key(self, name: str) -> None:
        """What an operator does by `vault write -f transit/keys/<name>/rotate`."""
        self.keys[name].versions.append(os.urandom(32))

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return the address below which `/v1` lies."""
        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.calls.append(f"{request.method} {request.path}")
        if self.fail_next:
            return _errors(self.fail_next.pop(0), "internal error")
        try:
            data = await self._route(request)
        except _Refused as refused:
            return _errors(refused.status, *refused.errors)
        return web.json_response(
            {
                "request_id": str(uuid4()),
                "lease_id": "",
                "renewable": False,
                "lease_duration": 0,
                "data": data,
                "wrap_info": None,
                "warnings": None,
                "auth": None,
            }
        )

    async def _route(self, request: web.Request) -> Json:
        if not request.path.startswith("/v1/"):
            raise _Refused(404, "404 page not found")
        if self.sealed:
            raise _Refused(503, "Vault is sealed")
        token = request.headers.get("X-Vault-Token") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens and token != self.root:
            raise _Refused(403, "permission denied")
        path = request.path.removeprefix("/v1/")
        matched = re.fullmatch(r"transit/(encrypt|decrypt|rewrap|keys)/([A-Za-z0-9_.-]+)(/rotate|/config)?", path)
        if matched is None:
            # Which paths there are is not told to who may not use them.
            if token != self.root:
                raise _Refused(403, "permission denied")
            raise _Refused(404, f'no handler for route "{path}". route entry not found.')
        what, name, more = matched.groups()
        if what == "keys":
            return await self._keys(request, name, more, may_write=token == self.root)
        if more is not None:
            raise _Refused(404, "unsupported path")
        if request.method not in ("POST", "PUT"):
            raise _Refused(405, "unsupported operation")
        body = await _body(request)
        return self._crypt(what, name, body, may_create=token == self.root)

    def _crypt(self, what: str, name: str, body: Json, *, may_create: bool) -> Json:
        key = self.keys.get(name)
        if what == "encrypt":
            if key is None:
                # An unknown key is made on the way, which wants the `create` capability.
                if not may_create:
                    raise _Refused(403, "permission denied")
                key = self.add_key(name)
            plaintext = _text(body, "plaintext", "missing plaintext to encrypt")
            try:
                opened = base64.b64decode(plaintext, validate=True)
            except binascii.Error:
                raise _Refused(400, "failed to base64-decode plaintext") from None
            return {"ciphertext": key.encrypt(opened), "key_version": key.latest_version}
        ciphertext = _text(body, "ciphertext", "missing ciphertext to decrypt")
        if key is None:
            raise _Refused(400, "encryption key not found")
        opened = key.decrypt(ciphertext)
        if what == "rewrap":
            return {"ciphertext": key.encrypt(opened), "key_version": key.latest_version}
        return {"plaintext": base64.b64encode(opened).decode()}

    async def _keys(self, request: web.Request, name: str, more: str | None, *, may_write: bool) -> Json:
        if more is None and request.method == "GET":
            if name not in self.keys:
                raise _Refused(404)
            return _described(self.keys[name])
        if request.method not in ("POST", "PUT"):
            raise _Refused(405, "unsupported operation")
        if not may_write:
            raise _Refused(403, "permission denied")
        if more is None:
            return _described(self.add_key(name))
        if name not in self.keys:
            raise _Refused(400, f"no existing key named {name} could be found")
        if more == "/rotate":
            self.rotate_key(name)
        else:
            self.keys[name].min_decryption_version = int((await _body(request))["min_decryption_version"])
        return _described(self.keys[name])


def _described(key: TransitKey) -> Json:
    return {
        "name": key.name,
        "type": "aes256-gcm96",
        "latest_version": key.latest_version,
        "min_available_version": 0,
        "min_decryption_version": key.min_decryption_version,
        "min_encryption_version": 0,
        "deletion_allowed": False,
        "derived": False,
        "exportable": False,
        "supports_encryption": True,
        "supports_decryption": True,
        "supports_derivation": True,
        "supports_signing": False,
        "keys": {str(version + 1): 1_790_000_000 + version for version in range(key.latest_version)},
    }


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise _Refused(400, "failed to parse JSON input: invalid character") from None
    if not isinstance(body, dict):
        raise _Refused(400, "failed to parse JSON input: cannot unmarshal")
    return body


def _text(body: Json, name: str, missing: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise _Refused(400, missing)
    return value


def _errors(status: int, *errors: str) -> web.Response:
    return web.json_response({"errors": list(errors)}, status=status)
