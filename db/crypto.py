"""Secrets at rest: AES-GCM under a ring of keys, bound to company and column; webhook tokens as digests.

A ciphertext reads `v1.<key id>.<nonce>.<ciphertext>`, base64url. Its associated data is the company, the column and the
key id, so that one that is moved to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from db.errors import DecryptionFailed, SecretError, UnknownKey
from db.records import CompanyId

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyRing:
    """Keys by id; the first encrypts, all decrypt."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise SecretError("the key ring is empty")
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read `id:base64key[,id:base64key]`. Raises SecretError, which never quotes a key."""
        keys: dict[str, bytes] = {}
        for number, entry in enumerate(text.split(","), start=1):
            key_id, sign, encoded = entry.strip().partition(":")
            if not sign or not key_id or "." in key_id:
                raise SecretError(f"master key {number}: must be written as id:base64key")
            if key_id in keys:
                raise SecretError(f"master key {number}: the id {key_id!r} is there twice")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error as error:
                raise SecretError(f"master key {number} ({key_id}): is not base64") from error
            if len(key) != _KEY_BYTES:
                raise SecretError(f"master key {number} ({key_id}): has {len(key)} bytes, must have {_KEY_BYTES}")
            keys[key_id] = key
        return cls(keys)

    def seal(self, plaintext: SecretStr, *, company_id: CompanyId, column: str) -> str:
        """Encrypt for one column (`table.column`) of one company's row."""
        nonce = os.urandom(_NONCE_BYTES)
        data = _associated(company_id, column, self._current)
        sealed = self._keys[self._current].encrypt(nonce, plaintext.get_secret_value().encode(), data)
        return ".".join((_VERSION, self._current, _encode(nonce), _encode(sealed)))

    def open(self, ciphertext: str, *, company_id: CompanyId, column: str) -> SecretStr:
        """Decrypt. Raises UnknownKey or DecryptionFailed, loudly, never a wrong value."""
        parts = ciphertext.split(".")
        if len(parts) != 4 or parts[0] != _VERSION:
            raise DecryptionFailed(f"{column}: not a ciphertext of ours")
        _, key_id, nonce, sealed = parts
        if key_id not in self._keys:
            raise UnknownKey(f"{column}: encrypted with the key {key_id!r}, which AI_ADMIN_MASTER_KEYS does not hold")
        try:
            data = _associated(company_id, column, key_id)
            plaintext = self._keys[key_id].decrypt(_decode(nonce), _decode(sealed), data)
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed(f"{column}: altered, or not this company's") from error
        return SecretStr(plaintext.decode())

    def seal_secrets(self, fields: Mapping[str, SecretStr], *, company_id: CompanyId, column: str) -> str:
        """Encrypt named secrets as one ciphertext."""
        plain = json.dumps({name: value.get_secret_value() for name, value in fields.items()})
        return self.seal(SecretStr(plain), company_id=company_id, column=column)

    def open_secrets(self, ciphertext: str, *, company_id: CompanyId, column: str) -> dict[str, SecretStr]:
        """Decrypt what `seal_secrets` made."""
        plain = self.open(ciphertext, company_id=company_id, column=column).get_secret_value()
        return {name: SecretStr(value) for name, value in json.loads(plain).items()}


def new_master_key() -> str:
    """Make an entry for AI_ADMIN_MASTER_KEYS."""
    return f"k{secrets.token_hex(4)}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode()}"


def load_or_make_key_file(path: Path) -> KeyRing:
    """Read the development key, made once with mode 0600; two processes that start at once get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(new_master_key())
        try:
            # A link to a name that is there already fails: whoever comes first wins, whole.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return KeyRing.parse(path.read_text().strip())


def new_webhook_token() -> str:
    """Make an unguessable token for a webhook's address."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """Return what is stored of a webhook token. Its entropy is high: a slow hash would protect nothing more."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _associated(company_id: CompanyId, column: str, key_id: str) -> bytes:
    return f"{company_id}|{column}|{key_id}".encode()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
