"""`ai-admin doctor`: everything the installation depends on, one line each, and what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from bot.app import open_core
from bot.logs import set_up_logs
from bot.settings import LogFormat, Settings, SettingsError, load_settings
from db.errors import DBError
from db.records import ChannelType
from db.upgrade import current, head


async def examine() -> list[dict[str, Any]]:
    """Return a row for each thing examined: what, status (ok, warning, failed), detail."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return [_row("settings", "failed", str(error))]
    set_up_logs(LogFormat.CONSOLE, level=50)
    rows = [_row("settings", "ok", f"mode {settings.mode.value}")]
    try:
        rows += [row async for row in _examine(settings)]
    except DBError as error:
        rows.append(_row("database", "failed", str(error)))
    return rows


async def _examine(settings: Settings) -> AsyncIterator[dict[str, Any]]:
    async with open_core(settings) as core:
        for notice in core.notices:
            yield _row("embedded servers", "warning", notice)
        yield _row("database", "ok", "answers")
        schema, wanted = await current(core.owner_url), head()
        fits = schema == wanted
        yield _row("schema", "ok" if fits else "failed", f"at {schema}" if fits else "run `ai-admin db upgrade`")
        redis = await core.redis_answers()
        yield _row("redis", "ok" if redis else "warning", "answers" if redis else "down: everything works, slower")
        if settings.gemini_api_key is None:
            yield _row("gemini", "failed", "AI_ADMIN_GEMINI_API_KEY is not set: clients are told that a person answers")
        else:
            yield _row("gemini", "ok", f"a key is set; model {settings.gemini_model}")
        for company in await core.companies.list_companies():
            for channel in await core.companies.list_channels(company.id):
                if channel.type is not ChannelType.TELEGRAM:
                    continue
                what = f"{company.slug} {channel.name}"
                from bot.channels.care import check  # the messenger's SDK takes seconds to import

                try:
                    found = await check(core, channel)
                except DBError as error:
                    yield _row(what, "failed", str(error))
                    continue
                trouble = found["last_error"]
                yield _row(what, "warning" if trouble else "ok", str(trouble or f"pending: {found['pending_updates']}"))


def _row(what: str, status: str, detail: str) -> dict[str, Any]:
    return {"what": what, "status": status, "detail": detail}
