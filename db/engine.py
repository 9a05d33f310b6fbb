"""The one way to the database: a transaction under a role, with one company set or none.

The first statement of every transaction sets role and company for that transaction only, so that a pooled connection
(ours or PgBouncer's in transaction mode) never carries them on.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from socket import gaierror
from ssl import SSLError
from typing import Any
from uuid import uuid4

import asyncpg
import structlog
from prometheus_client import Counter
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, QueuePool

from db.address import read_database_address
from db.errors import DatabaseUnavailable
from db.records import CompanyId

log = structlog.get_logger()
ERRORS = Counter("ai_admin_database_errors", "Transactions that PostgreSQL's absence, or a full pool, broke.")

_STATEMENT_LIMIT_S = 15
_CONNECT_LIMIT_S = 5
_POOL_WAIT_S = 10
_REPLICA_POOL = 5
_KNOWN_ALIVE_S = 1.0
"""A connection used so lately is not asked whether it lives: that would cost every transaction three more round trips.
One that died in between fails its transaction, which is tried again like any other that the database's end breaks."""
# Class 08: connection exceptions; 53: insufficient resources; 57P: shutdown, crash, starting up.
_UNAVAILABLE = ("08", "53", "57P")

_CONFLICT = "40001"

_READ_ONLY = text("SET TRANSACTION READ ONLY")
_ENTER = text("SELECT set_config('role', :role, true), set_config('app.company_id', :company, true)")


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction. `company_id` is whose rows it sees; None: no tenant's."""

    connection: AsyncConnection
    company_id: CompanyId | None

    @property
    def company(self) -> CompanyId:
        """Return the company of the scope; a scope without one has no tenant's rows to name."""
        if self.company_id is None:
            raise ValueError("this transaction has no company")
        return self.company_id


class Database:
    """A bounded pool. `pooler` is `transaction` where PgBouncer pools by transaction in front of PostgreSQL.

    `replica_url`: a copy that may lag, for what people look at; nothing that decides is read there. `distributed`: the
    tables are Citus's (db/distribution.py), which carries SET LOCAL to its workers and set_config not.
    """

    def __init__(
        self,
        url: str,
        *,
        pooler: str = "none",
        pool_size: int = 10,
        replica_url: str | None = None,
        distributed: bool = False,
    ) -> None:
        self._distributed = distributed
        self._engine = _engine(url, pooler, pool_size)
        self._replica = None if replica_url is None else _engine(replica_url, pooler, _REPLICA_POOL)

    @asynccontextmanager
    async def company(self, company_id: CompanyId) -> AsyncIterator[Transaction]:
        """Open a transaction that sees and writes one company's rows, and commit it at the end."""
        async with self._transaction("ai_admin_app", company_id) as transaction:
            yield transaction

    @asynccontextmanager
    async def reading(self, company_id: CompanyId) -> AsyncIterator[Transaction]:
        """Open a transaction that reads one company's rows for a person to look at: on the replica, where there is one.

        What it shows may be seconds old. Nothing can be written, on the primary neither, which is asked where there is
        no replica or it does not answer. Raises DatabaseUnavailable also where the replica gave a long reading up in
        favour of what it had to copy; the next try may be luckier.
        (https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT)
        """
        async with AsyncExitStack() as stack:
            transaction = None
            if self._replica is not None:
                replica = self._transaction("ai_admin_app", company_id, self._replica, reading=True)
                try:
                    transaction = await stack.enter_async_context(replica)
                except DatabaseUnavailable as error:
                    log.warning("replica_not_read", error=str(error))
            if transaction is None:
                primary = self._transaction("ai_admin_app", company_id, reading=True)
                transaction = await stack.enter_async_context(primary)
            yield transaction

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Transaction]:
        """Open a transaction that sees the global tables only: companies and webhook tokens."""
        async with self._transaction("ai_admin_app", None) as transaction:
            yield transaction

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[asyncpg.Connection]:
        """Open a transaction that may store updates through one function, and read nothing.

        It is the driver's own: every webhook comes by here, and what SQLAlchemy does around a statement cost more than
        the statement. Errors of the statement itself are the driver's (asyncpg.PostgresError, asyncpg.DataError).
        Raises DatabaseUnavailable.
        """
        with _absence_told():
            async with self._engine.connect() as connection:
                driver: Any = (await connection.get_raw_connection()).driver_connection
                try:
                    await driver.execute("BEGIN; SET LOCAL ROLE ai_admin_intake")
                    yield driver
                    await driver.execute("COMMIT")
                except (asyncpg.PostgresError, asyncpg.DataError):
                    if not driver.is_closed():
                        await driver.execute("ROLLBACK")
                    raise
                except BaseException:
                    # Given up half-way: nobody knows how far it came, and the pool takes a fresh connection instead.
                    await connection.invalidate()
                    raise

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Transaction]:
        """Open a transaction that sees the work of all companies, and nothing else of theirs."""
        async with self._transaction("ai_admin_worker", None) as transaction:
            yield transaction

    @property
    def connections_in_use(self) -> int:
        """Count the pool's connections that a transaction has now; 0 where a pooler pools."""
        pool = self._engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @property
    def connections_free(self) -> int:
        """Count those that the pool could still give out at once, open or not."""
        pool = self._engine.pool
        return pool.size() - pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def ping(self) -> None:
        """Raise DatabaseUnavailable where PostgreSQL does not answer."""
        async with self.platform() as tx:
            await tx.connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._engine.dispose()
        if self._replica is not None:
            await self._replica.dispose()

    @asynccontextmanager
    async def _transaction(
        self, role: str, company_id: CompanyId | None, engine: AsyncEngine | None = None, *, reading: bool = False
    ) -> AsyncIterator[Transaction]:
        with _absence_told(reading=reading):
            async with (engine or self._engine).connect() as connection, connection.begin():
                if reading:
                    await connection.execute(_READ_ONLY)
                yield await enter(connection, role, company_id, distributed=self._distributed)


@contextmanager
def _absence_told(*, reading: bool = False) -> Iterator[None]:
    """Raise DatabaseUnavailable, and count it, where PostgreSQL or a connection to it is what fails."""
    try:
        yield
    except DBAPIError as error:
        if not _is_unavailable(error) and not (reading and _sqlstate(error) == _CONFLICT):
            raise
        ERRORS.inc()
        raise DatabaseUnavailable(type(error.orig).__name__) from error
    except asyncpg.DataError:
        # An InterfaceError by its class, and the fault of a value.
        raise
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if isinstance(error, asyncpg.PostgresError) and not (error.sqlstate or "").startswith(_UNAVAILABLE):
            raise
        ERRORS.inc()
        raise DatabaseUnavailable(type(error).__name__) from error
    except (PoolTimeout, ConnectionError, TimeoutError, FileNotFoundError, gaierror, SSLError) as error:
        # Its socket is gone, its name leads nowhere, or it does not prove to be who it should be: unavailable, too.
        ERRORS.inc()
        raise DatabaseUnavailable(type(error).__name__) from error


async def enter(
    connection: AsyncConnection, role: str, company_id: CompanyId | None, *, distributed: bool = False
) -> Transaction:
    """Take a role and a company until the connection's transaction ends."""
    company = str(company_id) if company_id else ""
    if distributed:
        # Role and company are ours, a name and a UUID: SET takes no parameters.
        await connection.exec_driver_sql(f"SET LOCAL app.company_id = '{company}'")
        await connection.exec_driver_sql(f"SET LOCAL ROLE {role}")
    else:
        await connection.execute(_ENTER, {"role": role, "company": company})
    return Transaction(connection, company_id)


def unprepared() -> dict[str, Any]:
    """Return the arguments of a connection that keeps no prepared statement and names none twice.

    They live in one server connection; behind a pooler the next transaction has another, where somebody else's may have
    the same name. (https://docs.sqlalchemy.org/en/20/dialects/postgresql.html#prepared-statement-name-with-pgbouncer)
    """
    return {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
    }


def _engine(url: str, pooler: str, pool_size: int) -> AsyncEngine:
    # Errors must not quote what was to be written: a client's words would stand in the log.
    address = read_database_address(url)
    arguments: dict[str, Any] = {
        **address.arguments,
        "timeout": _CONNECT_LIMIT_S,
        "command_timeout": _STATEMENT_LIMIT_S,
    }
    if pooler == "transaction":
        arguments |= unprepared()
        return create_async_engine(address.url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)
    engine = create_async_engine(
        address.url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_S,
        connect_args=arguments,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", _ask_whether_alive)
    return engine


def _note_use(_: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _ask_whether_alive(connection: Any, record: Any, _: Any) -> None:
    """Ping what has rested for a while. Raises DisconnectionError, with which the pool takes a fresh connection."""
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < _KNOWN_ALIVE_S:
        return
    try:
        connection.ping()
    except (connection.dbapi.Error, OSError) as error:
        raise DisconnectionError from error


def _is_unavailable(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    state = _sqlstate(error)
    if state is None:
        return isinstance(error, OperationalError)
    return state.startswith(_UNAVAILABLE)


def _sqlstate(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    return None if state is None else str(state)
