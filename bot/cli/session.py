"""What a command runs in: settings read, logs set up, the core opened and closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from bot.admins import admin_of
from bot.app import Core, open_core
from bot.logs import set_up_logs
from bot.settings import Settings, load_settings
from db.records import CompanyId

T = TypeVar("T")


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop where it is there."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(coroutine)
    return uvloop.run(coroutine)


def with_core(action: Callable[[Core], Awaitable[T]], *, level: int = logging.WARNING) -> T:
    """Run an action of an admin's command on the installation's stores; only warnings are logged."""
    settings = settings_with_logs(level=level)

    async def session() -> T:
        async with open_core(settings, actor=admin_of(settings)) as core:
            return await action(core)

    return run_async(session())


def settings_with_logs(*, level: int = logging.INFO) -> Settings:
    """Read the settings and set up the logs by them. Raises SettingsError."""
    settings = load_settings()
    set_up_logs(settings.effective_log_format, level=level)
    return settings


async def company_id_of(core: Core, slug_or_id: str) -> CompanyId:
    """Return the company's id. Raises NotFound with a message for the person."""
    return await core.companies.get_company_id(slug_or_id)
