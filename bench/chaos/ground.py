"""What a run stands on: a folder of its own, durable servers, the settings of an installation in production."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from bench.chaos.fleet import Fleet
from bench.chaos.salon import Vendors
from db.embedded import Embedded, start_embedded


def production_settings(fleet: Fleet, vendors: Vendors) -> dict[str, Any]:
    """Return the settings of a production installation with all addresses given."""
    return {
        "mode": "production",
        # The sandbox's CRM stands on this machine.
        "allowed_private_hosts": "127.0.0.1",
        "data_dir": str(fleet.folder),
        "database_url": fleet.embedded.servers.database_url,
        "redis_url": fleet.embedded.servers.redis_url,
        "master_keys": fleet.master_key,
        "public_url": f"http://127.0.0.1:{fleet.gateway_port}",
        "host": "127.0.0.1",
        "port": fleet.gateway_port,
        "telegram_api_url": vendors.telegram.url,
        "gemini_api_url": vendors.gemini.url,
        "gemini_api_key": "sandbox",
        "quiet_seconds": 0.5,
    }


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ai-admin-chaos-"))
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def own_folder(*, keep: bool) -> AsyncIterator[Path]:
    """Make a folder that the servers' user can enter, and remove it at the end."""
    folder = await asyncio.to_thread(_new_folder)
    try:
        yield folder
    finally:
        if not keep:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@asynccontextmanager
async def durable_servers(folder: Path) -> AsyncIterator[Embedded]:
    """Start the durable servers; stop them, and remove their data where it had to lie elsewhere."""
    embedded = await start_embedded(folder, durable=True)
    place = Path(str(make_url(embedded.servers.database_url).query["host"])).parent
    try:
        yield embedded
    finally:
        try:
            await embedded.stop()
        finally:
            if not place.is_relative_to(folder):
                await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
