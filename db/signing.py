"""A company's Ed25519 keys: made when first needed, the secret half encrypted as every secret is."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr
from sqlalchemy import RowMapping, select
from sqlalchemy.dialects.postgresql import insert

from db.crypto import SIGNING_SECRETS, KeyRing
from db.engine import Transaction
from db.privacy_models import signing_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """`key_id` is the beginning of the public key's own digest."""

    key_id: str
    public_key: bytes
    value: bytes


class SigningKeys:
    """Every method works within the caller's transaction, for its company. Raises SecretError."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    async def sign(self, tx: Transaction, data: bytes) -> Signature:
        """Sign with the company's key."""
        key_id, key = await self._current(tx)
        return Signature(key_id=key_id, public_key=_public(key), value=key.sign(data))

    async def identify(self, tx: Transaction, subject: str) -> str:
        """Return the name of a person by which they are found again, and by nobody who has not the company's key."""
        _, key = await self._current(tx)
        secret = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"ai-admin subject").derive(
            key.private_bytes_raw()
        )
        return hmac.new(secret, subject.encode(), sha256).hexdigest()[:32]

    async def find_public(self, tx: Transaction, key_id: str) -> bytes | None:
        """Return one of the company's public keys; None where it has none of this id."""
        row = await self._row(tx, key_id)
        return bytes(row["public_key"]) if row is not None else None

    async def _current(self, tx: Transaction) -> tuple[str, Ed25519PrivateKey]:
        row = await self._row(tx) or await self._make(tx)
        plain = self._keys.open(row["secret"], company_id=tx.company, column=SIGNING_SECRETS).get_secret_value()
        return row["id"], Ed25519PrivateKey.from_private_bytes(base64.b64decode(plain))

    async def _row(self, tx: Transaction, key_id: str | None = None) -> RowMapping | None:
        statement = select(signing_keys).where(signing_keys.c.company_id == tx.company)
        if key_id is not None:
            statement = statement.where(signing_keys.c.id == key_id)
        rows = await tx.connection.execute(statement.order_by(signing_keys.c.created_at.desc()).limit(1))
        return rows.mappings().one_or_none()

    async def _make(self, tx: Transaction) -> RowMapping:
        key = Ed25519PrivateKey.generate()
        public = _public(key)
        secret = SecretStr(base64.b64encode(key.private_bytes_raw()).decode())
        values = {
            "company_id": tx.company,
            "id": key_id_of(public),
            "public_key": public,
            "secret": self._keys.seal(secret, company_id=tx.company, column=SIGNING_SECRETS),
        }
        made = await tx.connection.execute(insert(signing_keys).values(values).returning(*signing_keys.c))
        return made.mappings().one()


def key_id_of(public_key: bytes) -> str:
    return sha256(public_key).hexdigest()[:16]


def is_signed(data: bytes, signature: bytes, public_key: bytes) -> bool:
    """Say whether whoever holds the key's secret half signed exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
