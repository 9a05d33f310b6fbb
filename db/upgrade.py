"""Bringing the schema up and down, in code: no alembic.ini, safe when several processes do it at once.

Two versions run side by side during a roll-out, so migrations only add. One that takes something away (the contract
phase, after no version uses it any more) says in `readable_by` which version is the oldest that can live with it; the
schema carries that as a comment, where a program that has never heard of the migration can read it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from db.address import read_database_address
from db.audit import PLATFORM, Action, AuditTrail
from db.engine import enter, unprepared
from db.errors import DatabaseUnavailable, SchemaAhead, SchemaBehind, UpgradeFailed

LOGIN = "ai_admin_login"
_LOCK = 7_233_418_055_101
"""The advisory lock that upgrades take turns with; any number that nobody else uses."""


READABLE_BY_FIRST = "0010"
"""The oldest version that a roll-out beside the first schema with this promise was tried with."""
_MARK = "readable by "
_READ_MARK = text("SELECT obj_description(to_regclass('public.alembic_version'), 'pg_class')")
_HAS_AUDIT = text("SELECT to_regclass('public.audit_entries') IS NOT NULL")


def runtime_url(owner_url: str) -> str:
    """Return the address that the processes use for an embedded cluster: its login role, which owns nothing.

    An address with a password, or a server of the user's own, is used as it is: who logs in there is theirs to decide.
    """
    url = read_database_address(owner_url).url
    embedded = url.password is None and url.host is None and url.query.get("host") is not None
    return url.set(username=LOGIN).render_as_string(hide_password=False) if embedded else owner_url


async def upgrade(url: str, revision: str = "head", *, audit: AuditTrail | None = None) -> None:
    """Bring the schema up. Raises UpgradeFailed or DatabaseUnavailable; a failure changes nothing.

    `audit` writes it down in the same transaction, once the schema has a place for it.
    """
    revisions: list[str | None] = []

    def migrate(connection: Connection) -> None:
        _lock(connection)
        revisions.append(_revision(connection))
        command.upgrade(_config(connection), revision)
        revisions.append(_revision(connection))
        _mark(connection)

    async def tell(connection: AsyncConnection) -> None:
        before, after = revisions
        if audit is None or before == after or not await connection.scalar(_HAS_AUDIT):
            return
        tx = await enter(connection, "ai_admin_app", PLATFORM)
        await audit.record(
            tx, Action.SCHEMA_UPGRADE, subject="schema", before={"at": before or "nothing"}, after={"at": after}
        )

    await _connect(url, migrate, tell)


async def downgrade(url: str, revision: str = "base") -> None:
    """Bring the schema down; `base` leaves nothing of ours."""

    def migrate(connection: Connection) -> None:
        _lock(connection)
        command.downgrade(_config(connection), revision)
        _mark(connection)

    await _connect(url, migrate)


async def current(url: str) -> str | None:
    """Return the schema's revision; None where there is no schema yet."""
    found: list[str | None] = []

    def read(connection: Connection) -> None:
        found.append(_revision(connection))

    await _connect(url, read)
    return found[0]


async def require_schema(url: str) -> None:
    """Raise SchemaBehind where the schema is older than this program wants.

    A newer one serves it too, unless it says that it has lost what this program uses: SchemaAhead.
    """
    read: list[str | None] = []

    def look(connection: Connection) -> None:
        read.extend((_revision(connection), connection.scalar(_READ_MARK)))

    await _connect(url, look)
    found, mark = read
    wanted = head()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is None or (found in known and found != wanted):
        at = found or "nothing"
        raise SchemaBehind(f"the schema is at {at}, this program wants {wanted}: run `ai-admin db upgrade`")
    oldest = (mark or "").removeprefix(_MARK)
    if found not in known and wanted is not None and oldest > wanted:
        raise SchemaAhead(
            f"the schema is at {found} and serves programs from {oldest} on; this one knows {wanted}: roll out a newer "
            "version, or restore the backup from before the upgrade (docs/upgrades.md)"
        )


def head() -> str | None:
    """Return the revision that this program wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def readable_by(revision: str) -> str:
    """Return the oldest version, by the revision that it wants, that may run beside the schema at this revision."""
    scripts = ScriptDirectory.from_config(_config()).iterate_revisions(revision, "base")
    return max(getattr(script.module, "readable_by", READABLE_BY_FIRST) for script in scripts)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _lock(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    # A table that others hold long must fail the upgrade, not stop the salon.
    connection.execute(text("SET LOCAL lock_timeout = '3s'"))


def _mark(connection: Connection) -> None:
    """Let the schema say which programs it serves."""
    revision = _revision(connection)
    if revision is None:
        return
    mark = f"{_MARK}{readable_by(revision)}"
    if connection.scalar(_READ_MARK) != mark:
        connection.exec_driver_sql(f"COMMENT ON TABLE public.alembic_version IS '{mark}'")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def _connect(
    url: str,
    action: Callable[[Connection], None],
    then: Callable[[AsyncConnection], Awaitable[None]] | None = None,
) -> None:
    # The processes look at the schema through their pooler, where there is one.
    address = read_database_address(url)
    arguments = {**address.arguments, "timeout": 10, **unprepared()}
    engine = create_async_engine(address.url, poolclass=NullPool, connect_args=arguments)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(action)
            if then is not None:
                await then(connection)
    except DBAPIError as error:
        raise UpgradeFailed(f"the schema could not be changed: {error.orig}") from error
    except CommandError as error:
        # Alembic's own refusals: a revision that this program does not have, or one that branched.
        raise UpgradeFailed(f"the schema could not be changed: {error}") from error
    except (OSError, TimeoutError) as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer: {error}") from error
    finally:
        await engine.dispose()
