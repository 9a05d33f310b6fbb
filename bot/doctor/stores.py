"""PostgreSQL and Redis: version, schema, clock, and what Redis would lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.doctor.rows import Row, failed, ok, warn
from bot.settings import Mode
from db.address import read_database_address
from db.errors import DatabaseUnavailable
from db.upgrade import current, head
from orchestration.ports import Clock

OLDEST_POSTGRES = 15
"""The oldest that its project keeps up (https://www.postgresql.org/support/versioning/, November 2026). The tests run
on the embedded one alone, which is 18: on 15 to 17 this was not tried."""
CLOCK_WARNS, CLOCK_FAILS = timedelta(seconds=2), timedelta(seconds=30)

LOST = "nothing that has to last stands in Redis: rate limits, answers of CRMs and pauses begin anew, and it is slower"
CLOCK_ADVICE = (
    "let the machine's clock be set by NTP (chrony, systemd-timesyncd): leases and the times of bookings need it"
)
_NO_CONNECTION = "see that it runs and that AI_ADMIN_DATABASE_URL is right; `ai-admin db check` shows the error"


async def look_at_database(url: str, now: Clock) -> Sequence[Row]:
    """Return rows on whether it answers, its version and its clock. `now`: this machine's."""
    address = read_database_address(url)
    engine = create_async_engine(
        address.url, poolclass=NullPool, connect_args={**address.arguments, "timeout": 5}, hide_parameters=True
    )
    try:
        async with engine.connect() as connection:
            version, shown = (
                await connection.execute(
                    text("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
                )
            ).one()
            before = now()
            theirs = await connection.scalar(text("SELECT clock_timestamp()"))
            between = before + (now() - before) / 2
    except (DBAPIError, OSError, TimeoutError) as error:
        reason = DatabaseUnavailable(type(getattr(error, "orig", None) or error).__name__)
        return [failed("database", f"does not answer: {reason}", _NO_CONNECTION)]
    finally:
        await engine.dispose()
    return [judge_version(version, shown), judge_clock("clock, against the database's", between - theirs)]


def judge_version(number: int, shown: str) -> Row:
    """Judge `server_version_num` (150004 is 15.4)."""
    if number < OLDEST_POSTGRES * 10_000:
        return failed(
            "database", f"PostgreSQL {shown}", f"bring it up to PostgreSQL {OLDEST_POSTGRES} at least: pg_upgrade"
        )
    return ok("database", f"PostgreSQL {shown} answers")


def judge_clock(what: str, ahead: timedelta) -> Row:
    """Judge how far this machine's clock is ahead of another (behind, where it is negative)."""
    detail = f"{abs(ahead).total_seconds():.1f} s {'ahead' if ahead > timedelta(0) else 'behind'}"
    if abs(ahead) > CLOCK_FAILS:
        return failed(what, detail, CLOCK_ADVICE)
    if abs(ahead) > CLOCK_WARNS:
        return warn(what, detail, CLOCK_ADVICE)
    return ok(what, detail)


async def look_at_schema(url: str, mode: Mode) -> Sequence[Row]:
    """Say whether the schema is the one that this program wants. Raises DatabaseUnavailable."""
    found, wanted = await current(url), head()
    if found == wanted:
        return [ok("schema", f"at {found}")]
    detail = f"at {found or 'nothing'}, this program wants {wanted}"
    if mode is Mode.DEVELOPMENT:
        return [warn("schema", detail, "nothing: in development the next process brings it up")]
    if (found or "") > (wanted or ""):
        return [warn("schema", detail, "a newer version has been here: bring this one up too, or finish the roll-out")]
    return [failed("schema", detail, "run `ai-admin db upgrade` with the owner's address, then start the processes")]


async def look_at_redis(redis: Redis) -> Sequence[Row]:
    """Say whether Redis answers, and whether it would lose what it holds. Of a Cluster one node's settings are told."""
    try:
        pong: Any = redis.ping()
        await pong
    except (RedisError, OSError) as error:
        advice = f"see that it runs and that AI_ADMIN_REDIS_URL is right; until then {LOST}"
        return [warn("redis", f"does not answer: {type(error).__name__}", advice)]
    try:
        found = await _settings_of(redis)
    except (RedisError, OSError) as error:
        advice = "allow this user INFO, so that eviction and persistence can be looked at"
        return [ok("redis", "answers"), warn("redis persistence", f"not known: {type(error).__name__}", advice)]
    return [ok("redis", "answers"), judge_eviction(found), judge_persistence(found)]


async def _settings_of(redis: Redis) -> Mapping[str, str]:
    """Return what Redis is set to; what neither CONFIG nor INFO tells is not there.

    Managed Redis refuses CONFIG. INFO tells no times of snapshots (https://redis.io/docs/latest/commands/info/).
    """
    try:
        found: dict[str, str] = {}
        for name in ("appendonly", "save", "maxmemory-policy", "maxmemory"):
            found |= await redis.config_get(name)
        return found
    except ResponseError:
        memory, persistence = await redis.info("memory"), await redis.info("persistence")
    told = {"maxmemory-policy": memory.get("maxmemory_policy"), "maxmemory": memory.get("maxmemory")}
    if "aof_enabled" in persistence:
        told["appendonly"] = "yes" if persistence["aof_enabled"] else "no"
    return {name: str(value) for name, value in told.items() if value is not None}


def judge_eviction(found: Mapping[str, str]) -> Row:
    """Judge what Redis throws away when its memory is full."""
    policy = found.get("maxmemory-policy")
    if policy is None:
        return warn("redis eviction", "not known", "ask its provider: the policy should be noeviction")
    if policy == "noeviction":
        return ok("redis eviction", policy)
    later = "; it acts as soon as a maxmemory is set" if found.get("maxmemory") == "0" else ""
    advice = f"set maxmemory-policy to noeviction, and room enough. What is thrown away: {LOST}"
    return warn("redis eviction", f"{policy}: Redis may throw away what is in use{later}", advice)


def judge_persistence(found: Mapping[str, str]) -> Row:
    """Judge what is left of Redis when it starts again."""
    if found.get("appendonly") == "yes":
        return ok("redis persistence", "append-only file")
    if found.get("save"):
        return ok("redis persistence", f"snapshots ({found['save']})")
    if "save" not in found:
        advice = f"ask its provider whether it takes snapshots. Without any, after a restart: {LOST}"
        return warn("redis persistence", "no append-only file; snapshots are not known: CONFIG is refused", advice)
    advice = f"set appendonly yes, or live with it: after a restart {LOST}"
    return warn("redis persistence", "none: neither append-only file nor snapshots", advice)


def moment_of(header: str) -> datetime | None:
    """Read an HTTP Date (RFC 9110, 5.6.7); None where it is none."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
