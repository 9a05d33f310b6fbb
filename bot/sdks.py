"""Loading the messenger's and the model's SDKs, which costs seconds of CPU, without standing in anybody's way.

aiogram declares that its models are to be built when they are used (pydantic's `defer_build`), and then builds all of
them while it is imported, to make the names in their annotations known: a third of what a process spends until it
works, and 80 MB. Here the names are made known where the models look for them, and each is built at its first use.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

_THEIRS = "aiogram.types."


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
        with _built_at_first_use():
            from aiogram.types import Update
        # Every worker's first need: built here, not on the event loop.
        Update.model_rebuild()
        import bot.channels
        import bot.development
        import bot.worker_app  # noqa: F401
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _built_at_first_use() -> Iterator[None]:
    """Leave the building of aiogram's models for later while the block imports them; anybody else's are not touched."""
    build: Any = BaseModel.__dict__["model_rebuild"]

    def rebuild(cls: type[BaseModel], /, **options: Any) -> bool | None:
        names = options.get("_types_namespace")
        if names is None or not cls.__module__.startswith(_THEIRS):
            # The caller's frame is one further away than pydantic thinks.
            depth = options.pop("_parent_namespace_depth", 2) + 1
            built: bool | None = build.__func__(cls, _parent_namespace_depth=depth, **options)
            return built
        known = vars(sys.modules[cls.__module__])
        for name, value in names.items():
            known.setdefault(name, value)
        return None

    BaseModel.model_rebuild = classmethod(rebuild)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        BaseModel.model_rebuild = build  # type: ignore[method-assign]
