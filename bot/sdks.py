"""Loading the messenger's and the model's SDKs, which costs seconds of CPU, without standing in anybody's way."""

from __future__ import annotations

import asyncio
import gc


async def load_sdks() -> None:
    """Import all that a worker runs on, in a thread.

    On the event loop it would stop everything else for as long: connections that are being opened run into their time
    limits. In a thread it goes on while the embedded servers start.
    """
    await asyncio.to_thread(_import_them)


def _import_them() -> None:
    # What is imported stays to the end: the collector need not look at it, neither now nor later, nor at the exit.
    gc.disable()
    try:
        import bot.channels.care
        import bot.development
        import bot.worker_app  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()
