"""A key management service, as far as this program needs one: it wraps the keys of the ring.

The ring's keys encrypt the secrets; the service encrypts the ring's keys and is asked once, when a process starts.
Nobody's turn waits for it, and a process that runs goes on while it is away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from db.crypto import KeyRing, RingEntry, checked_key, parse_entries
from db.errors import SecretError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Kms(Protocol):
    """One key of a service. Every method raises KmsUnavailable or KmsRefused."""

    async def encrypt(self, key: bytes) -> str:
        """Wrap under the newest version."""
        ...

    async def decrypt(self, wrapped: str) -> bytes:
        """Unwrap, whichever version wrapped it."""
        ...

    async def rewrap(self, wrapped: str) -> str:
        """Return it wrapped under the newest version; the key itself does not leave the service."""
        ...

    async def aclose(self) -> None: ...


async def open_ring(text: str, kms: Kms | None) -> KeyRing:
    """Read AI_ADMIN_MASTER_KEYS, wrapped keys and plain ones. Raises SecretError."""
    keys: dict[str, bytes] = {}
    for entry in parse_entries(text):
        if entry.key is not None:
            keys[entry.key_id] = entry.key
        elif kms is None:
            raise SecretError(f"master key {entry.key_id}: is wrapped, and AI_ADMIN_VAULT_URL is not set")
        else:
            keys[entry.key_id] = checked_key(entry.key_id, await kms.decrypt(entry.wrapped or ""))
    return KeyRing(keys)


async def wrap_entries(entries: Sequence[RingEntry], kms: Kms) -> str:
    """Return the ring's text with every key wrapped under the service's newest version. Raises SecretError."""
    written = []
    for entry in entries:
        wrapped = await kms.encrypt(entry.key) if entry.key is not None else await kms.rewrap(entry.wrapped or "")
        written.append(f"{entry.key_id}:{wrapped}")
    return ",".join(written)


def checked_url(url: str) -> str:
    """Return the address without its trailing slash. Raises SecretError unless it is https, or this very machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise SecretError("is not an address") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SecretError("must hold no credentials, query or fragment")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        raise SecretError("must begin with https:// (http:// only for this very machine)")
    return url.rstrip("/")
