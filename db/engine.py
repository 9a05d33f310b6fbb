"""The one way to the database: a transaction under a role, with one company set or none.

The first statement of every transaction sets role and company for that transaction only, so that a pooled connection
(ours or PgBouncer's in transaction mode) never carries them on.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from prometheus_client import Counter
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, QueuePool

from db.errors import DatabaseUnavailable
from db.records import CompanyId

ERRORS = Counter("ai_admin_database_errors", "Transactions that PostgreSQL's absence, or a full pool, broke.")

_STATEMENT_LIMIT_S = 15
_CONNECT_LIMIT_S = 5
_POOL_WAIT_S = 10
_KNOWN_ALIVE_S = 1.0
"""A connection used so lately is not asked whether it lives: that would cost every transaction three more round trips.
One that died in between fails its transaction, which is tried again like any other that the database's end breaks."""
# Class 08: connection exceptions; 53: insufficient resources; 57P: shutdown, crash, starting up.
_UNAVAILABLE = ("08", "53", "57P")

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
    """A bounded pool. `pooler` is `transaction` where PgBouncer pools by transaction in front of PostgreSQL."""

    def __init__(self, url: str, *, pooler: str = "none", pool_size: int = 10) -> None:
        self._engine = _engine(url, pooler, pool_size)

    @asynccontextmanager
    async def company(self, company_id: CompanyId) -> AsyncIterator[Transaction]:
        """Open a transaction that sees and writes one company's rows, and commit it at the end."""
        async with self._transaction("ai_admin_app", company_id) as transaction:
            yield transaction

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[Transaction]:
        """Open a transaction that sees the global tables only: companies and webhook tokens."""
        async with self._transaction("ai_admin_app", None) as transaction:
            yield transaction

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[Transaction]:
        """Open a transaction that may store updates through one function, and read nothing."""
        async with self._transaction("ai_admin_intake", None) as transaction:
            yield transaction

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

    @asynccontextmanager
    async def _transaction(self, role: str, company_id: CompanyId | None) -> AsyncIterator[Transaction]:
        try:
            async with self._engine.connect() as connection, connection.begin():
                yield await enter(connection, role, company_id)
        except DBAPIError as error:
            if _is_unavailable(error):
                ERRORS.inc()
                raise DatabaseUnavailable(type(error.orig).__name__) from error
            raise
        except (PoolTimeout, ConnectionError, TimeoutError) as error:
            ERRORS.inc()
            raise DatabaseUnavailable(type(error).__name__) from error


async def enter(connection: AsyncConnection, role: str, company_id: CompanyId | None) -> Transaction:
    """Take a role and a company until the connection's transaction ends."""
    await connection.execute(_ENTER, {"role": role, "company": str(company_id) if company_id else ""})
    return Transaction(connection, company_id)


def _engine(url: str, pooler: str, pool_size: int) -> AsyncEngine:
    # Errors must not quote what was to be written: a client's words would stand in the log.
    arguments: dict[str, Any] = {"timeout": _CONNECT_LIMIT_S, "command_timeout": _STATEMENT_LIMIT_S}
    if pooler == "transaction":
        # Prepared statements live in one server connection; behind such a pooler the next transaction has another.
        arguments |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
        }
        return create_async_engine(url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)
    engine = create_async_engine(
        url,
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
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError)
    return str(state).startswith(_UNAVAILABLE)
