"""The ring of keys of a process, from its settings: in the environment, wrapped by Vault, or the development key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.settings import Settings
from db.crypto import KeyRing, load_or_make_key_file
from db.errors import SecretError
from db.kms import Kms, open_ring


async def open_keys(settings: Settings) -> KeyRing:
    """Return the ring; a key management service is asked here, once, and not again. Raises SecretError."""
    if settings.master_keys is None:
        return load_or_make_key_file(settings.data_dir / "master.keys")
    if settings.vault_url is None:
        return await open_ring(settings.master_keys.get_secret_value(), None)
    async with open_kms(settings) as kms:
        return await open_ring(settings.master_keys.get_secret_value(), kms)


@asynccontextmanager
async def open_kms(settings: Settings) -> AsyncIterator[Kms]:
    """Yield the key management service. Raises SecretError where none is set."""
    if settings.vault_url is None or settings.vault_token is None:
        raise SecretError("AI_ADMIN_VAULT_URL and AI_ADMIN_VAULT_TOKEN are not set")
    # httpx and its certificates are loaded only where there is a Vault to ask.
    from db.vault import VaultTransit

    vault = VaultTransit(
        settings.vault_url,
        settings.vault_token,
        key=settings.vault_key,
        mount=settings.vault_mount,
        ca_file=settings.vault_ca_file,
    )
    try:
        yield vault
    finally:
        await vault.aclose()
