"""Embedded servers that leave nothing behind, wherever their data had to lie."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from db.embedded import Embedded, start_embedded
from db.embedded_place import find_place


@asynccontextmanager
async def open_servers(
    folder: Path, *, postgres: bool = True, redis: bool = True, durable: bool = True
) -> AsyncIterator[Embedded]:
    """Start servers of this folder's own; stop them at the end, however they fared, and remove their data."""
    place = await asyncio.to_thread(find_place, folder)
    embedded = await start_embedded(folder, postgres=postgres, redis=redis, durable=durable)
    try:
        yield embedded
    finally:
        try:
            await embedded.stop()
        finally:
            await asyncio.to_thread(shutil.rmtree, place.folder, ignore_errors=True)
