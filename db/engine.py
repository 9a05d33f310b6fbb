"""The one way to the database: a transaction under a role, with one company set or none.

What begins a transaction also sets role and company for that transaction only, so that a pooled connection (ours or
PgBouncer's in transaction mode) never carries them on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from socket import gaierror
from ssl import SSLError
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from db.address import read_database_address
from db.errors import DatabaseUnavailable
from db.records import CompanyId
from db.seats import Seats
from db.statements import Row, Statement, fetch, run, run_each

log = structlog.get_logger()
ERRORS = Counter("ai_admin_database_errors", "Transactions that PostgreSQL's absence, or a full pool, broke.")

_STATEMENT_LIMIT_S = 15
_CONNECT_LIMIT_S = 5
_REPLICA_POOL = 5
# Class 08: connection exceptions; 53: insufficient resources; 57P: shutdown, crash, starting up.
_UNAVAILABLE = ("08", "53", "57P")

_CONFLICT = "40001"


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction. `company_id` is whose rows it sees; None: no tenant's.

    `connection` runs whatever SQLAlchemy can build; what stands on every turn's way is a Statement, for the methods.
    """

    connection: AsyncConnection
    driver: asyncpg.Connection
    company_id: CompanyId | None

    @property
    def company(self) -> CompanyId:
        """Return the company of the scope; a scope without one has no tenant's rows to name."""
        if self.company_id is None:
            raise ValueError("this transaction has no company")
        return self.company_id

    async def rows(self, statement: Statement, **arguments: object) -> Sequence[Row]:
        """Run a statement and return its rows."""
        return await fetch(self.driver, statement, arguments)

    async def row(self, statement: Statement, **arguments: object) -> Row | None:
        """Run a statement and return its first row; None where it has none."""
        rows = await fetch(self.driver, statement, arguments)
        return rows[0] if rows else None

    async def run(self, statement: Statement, **arguments: object) -> int:
        """Run a statement and return how many rows it changed."""
        return await run(self.driver, statement, arguments)

    async def run_each(self, statement: Statement, arguments: Sequence[Mapping[str, object]]) -> None:
        """Run a statement with each of these."""
        if len(arguments) == 1:
            await run(self.driver, statement, arguments[0])
        else:
            await run_each(self.driver, statement, arguments)


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
        self._seats = _seats(url, pooler, pool_size)
        self._replica = None if replica_url is None else _seats(replica_url, pooler, _REPLICA_POOL)

    def company(self, company_id: CompanyId) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that sees and writes one company's rows, and commit it at the end."""
        return self._transaction("ai_admin_app", company_id)

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

    def platform(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that sees the global tables only: companies and webhook tokens."""
        return self._transaction("ai_admin_app", None)

    def intake(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that may store updates through one function, and read nothing."""
        return self._transaction("ai_admin_intake", None)

    def worker(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that sees the work of all companies, and nothing else of theirs."""
        return self._transaction("ai_admin_worker", None)

    @property
    def connections_in_use(self) -> int:
        """Count the connections that a transaction has now; 0 where a pooler pools."""
        return self._seats.in_use

    @property
    def connections_free(self) -> int:
        """Count those that could still be given out at once, open or not; 0 where a pooler pools."""
        return self._seats.free

    async def ping(self) -> None:
        """Raise DatabaseUnavailable where PostgreSQL does not answer."""
        async with self.platform() as tx:
            await tx.connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self._seats.close()
        if self._replica is not None:
            await self._replica.close()

    @asynccontextmanager
    async def _transaction(
        self, role: str, company_id: CompanyId | None, seats: Seats | None = None, *, reading: bool = False
    ) -> AsyncIterator[Transaction]:
        begin = "BEGIN READ ONLY" if reading else "BEGIN"
        # Citus wants each statement by itself.
        script = begin if self._distributed else f"{begin}; {'; '.join(_entering(role, company_id))}"
        try:
            async with (seats or self._seats).transaction(script) as seat:
                if self._distributed:
                    for statement in _entering(role, company_id):
                        await seat.say(statement)
                yield Transaction(seat.connection, seat.driver, company_id)
        except DBAPIError as error:
            if _is_unavailable(error) or (reading and _sqlstate(error) == _CONFLICT):
                ERRORS.inc()
                raise DatabaseUnavailable(type(error.orig).__name__) from error
            raise
        except (ConnectionError, TimeoutError, FileNotFoundError, gaierror, SSLError) as error:
            # Its socket is gone, its name leads nowhere, or it does not prove to be who it should be: unavailable, too.
            ERRORS.inc()
            raise DatabaseUnavailable(type(error).__name__) from error


def _entering(role: str, company_id: CompanyId | None) -> tuple[str, str]:
    """Return what takes a role and a company until the transaction ends.

    Both are ours, a name and a UUID: SET takes no parameters. `set_config` would not be carried to Citus's workers.
    """
    company = "" if company_id is None else str(UUID(int=company_id.int))
    return f"SET LOCAL app.company_id = '{company}'", f"SET LOCAL ROLE {role}"


async def enter(connection: AsyncConnection, role: str, company_id: CompanyId | None) -> Transaction:
    """Take a role and a company until the end of a transaction that SQLAlchemy has begun."""
    for statement in _entering(role, company_id):
        await connection.exec_driver_sql(statement)
    raw = await connection.get_raw_connection()
    return Transaction(connection, raw.driver_connection, company_id)


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


def _seats(url: str, pooler: str, pool_size: int) -> Seats:
    address = read_database_address(url)
    arguments: dict[str, Any] = {
        **address.arguments,
        "timeout": _CONNECT_LIMIT_S,
        "command_timeout": _STATEMENT_LIMIT_S,
    }
    pools = pooler == "transaction"
    engine = create_async_engine(
        address.url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args=arguments | (unprepared() if pools else {}),
        # Errors must not quote what was to be written: a client's words would stand in the log.
        hide_parameters=True,
    )
    return Seats(engine, most=None if pools else pool_size)


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
