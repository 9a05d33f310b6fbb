"""`ai-admin doctor`: everything the installation depends on, a row each, and what to do about it.

It changes nothing, but that in development the schema is brought up as every command does. Nothing stops it: what
cannot be looked at is a row that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.app import open_core, start_servers, utc_now
from bot.doctor.companies import examine_companies
from bot.doctor.machine import look_at_disks, look_at_settings
from bot.doctor.models import look_at_clock, look_at_model
from bot.doctor.rows import OUTSIDE, Check, Row, Status, failed, run_checks, warn
from bot.doctor.stores import look_at_database, look_at_redis, look_at_schema
from bot.keys import open_keys
from bot.logs import set_up_logs
from bot.settings import LogFormat, Settings, SettingsError, load_settings
from db.crypto import KeyRing
from db.embedded import EmbeddedServersError
from db.errors import DBError, SecretError
from db.redis_client import open_redis
from orchestration.ports import Clock

_SEE_INSTALL = "put it right in the environment or in .env; docs/install.md lists every setting"


async def examine() -> list[dict[str, Any]]:
    """Return a row for each thing examined: what, status (ok, warning, failed), detail, advice."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return [failed("settings", str(error), _SEE_INSTALL).as_record()]
    set_up_logs(LogFormat.CONSOLE, level=50)
    return [row.as_record() for row in await examine_installation(settings)]


async def examine_installation(settings: Settings, *, clock: Clock = utc_now, machine: Clock = utc_now) -> list[Row]:
    """Examine what these settings name. `clock`: by which the business goes; `machine`: the one that is examined."""
    rows = list(look_at_settings(settings))
    try:
        async with start_servers(settings) as (database_url, redis_url, notices):
            rows += [warn("embedded servers", notice, "see docs/install.md, Embedded servers") for notice in notices]
            rows += await _look_at_stores(settings, database_url, redis_url, machine)
            rows += await _look_at_companies(settings, database_url, redis_url, clock, rows)
    except EmbeddedServersError as error:
        rows.append(failed("embedded servers", str(error), "or set AI_ADMIN_DATABASE_URL and AI_ADMIN_REDIS_URL"))
        rows += await run_checks([*_of_machine(settings, None), *_of_model(settings, machine)])
    return rows


async def _look_at_stores(settings: Settings, database_url: str, redis_url: str, machine: Clock) -> list[Row]:
    """Look at what needs no key and no schema."""

    async def redis() -> Sequence[Row]:
        async with open_redis(redis_url) as opened:
            return await look_at_redis(opened)

    stores = [
        Check(
            what="database",
            look=lambda: look_at_database(database_url, machine),
            advice="see that it runs and that AI_ADMIN_DATABASE_URL is right",
        ),
        Check(
            what="schema",
            look=lambda: look_at_schema(database_url, settings.mode),
            advice="the database first; then `ai-admin db check`",
        ),
        Check(
            what="redis",
            look=redis,
            advice="see that it runs and that AI_ADMIN_REDIS_URL is right",
        ),
        *_of_machine(settings, database_url),
        *_of_model(settings, machine),
    ]
    return await run_checks(stores)


async def _look_at_companies(
    settings: Settings, database_url: str, redis_url: str, clock: Clock, seen: Sequence[Row]
) -> list[Row]:
    """Look at what needs keys, the schema and the database."""
    try:
        ring = await open_keys(settings)
    except SecretError as error:
        advice = "set AI_ADMIN_MASTER_KEYS as it was, or make its Vault answer; see docs/commands.md"
        return [failed("keys", str(error), advice), _not_examined("keys")]
    rows = [_of_keys(ring)]
    broken = [row.what for row in seen if row.status is Status.FAILED and row.what in ("database", "schema")]
    if broken:
        return [*rows, _not_examined(broken[0])]
    there = settings.model_copy(update={"database_url": database_url, "redis_url": redis_url})
    try:
        async with open_core(there, clock=clock) as core:
            return [*rows, *await examine_companies(core)]
    except DBError as error:
        return [*rows, failed("companies", f"could not be gone through: {error}", "see the rows above")]


def _of_machine(settings: Settings, database_url: str | None) -> list[Check]:
    async def disks() -> Sequence[Row]:
        return look_at_disks(settings, database_url)

    return [Check(what="disk", look=disks, advice="see that AI_ADMIN_DATA_DIR can be read")]


def _of_model(settings: Settings, machine: Clock) -> list[Check]:
    advice = "see that this machine reaches the model's service"
    return [
        Check(
            what=settings.model_provider.value, look=lambda: look_at_model(settings), advice=advice, limit=OUTSIDE * 2
        ),
        Check(what="clock", look=lambda: look_at_clock(settings, machine), advice=advice, limit=OUTSIDE * 2),
    ]


def _of_keys(ring: KeyRing) -> Row:
    number = len(ring.ids)
    return Row(what="keys", status=Status.OK, detail=f"{number} in the ring, {ring.current} encrypts")


def _not_examined(because: str) -> Row:
    return warn("companies", f"not examined: {because} first", "put the failed rows right, then run this again")
