"""Statements that stand on every turn's way: SQLAlchemy builds them once, asyncpg runs them.

SQLAlchemy takes four times as long to run a statement as the driver alone, built or not: greenlets, contexts, results.
What such a statement fails with is told in SQLAlchemy's words all the same: nobody has to know which way it went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError

from db.traced import statement_span

Row = Mapping[str, Any]
Value = Callable[[Any], Any]

_DIALECT = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
# By SQLSTATE's class: broken constraints, what the statement itself is not allowed, and the server's own troubles.
_KINDS = {"23": IntegrityError, "42": ProgrammingError, "08": OperationalError, "53": OperationalError}


class Statement:
    """A statement with named parameters. `columns`: those that an INSERT fills, where it does not say so itself.

    A list of values is `= any_(...)` of an ARRAY: an IN has as many texts as lengths, and cannot be built once.
    """

    __slots__ = ("_order", "text")

    def __init__(self, built: ClauseElement, *, columns: Sequence[str] = ()) -> None:
        compiled: Any = built.compile(dialect=_DIALECT, column_keys=list(columns) or None)
        self.text = str(compiled)
        self._order: list[tuple[str, bool, Any, Value | None]] = []
        for name in compiled.positiontup or ():
            bound = compiled.binds[name]
            made = bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            self._order.append((name, bound.required, compiled.params.get(name), made))

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the text's places, as the driver takes them.

        Raises KeyError where one is missing.
        """
        values = []
        for name, required, built_with, made in self._order:
            value = given[name] if required else built_with
            values.append(value if made is None else made(value))
        return values


async def fetch(driver: asyncpg.Connection, statement: Statement, given: Mapping[str, Any]) -> Sequence[Row]:
    """Run a statement and return its rows. Raises DBAPIError, or what says that the connection is gone."""
    with statement_span(statement.text):
        try:
            rows: Sequence[Row] = await driver.fetch(statement.text, *statement.arguments(given))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise in_sqlalchemys_words(error, statement.text) from error
    return rows


async def run(driver: asyncpg.Connection, statement: Statement, given: Mapping[str, Any]) -> int:
    """Run a statement and return how many rows it changed. Raises what `fetch` does."""
    with statement_span(statement.text):
        try:
            said: str = await driver.execute(statement.text, *statement.arguments(given))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise in_sqlalchemys_words(error, statement.text) from error
    return int(said.rpartition(" ")[2])


async def run_each(driver: asyncpg.Connection, statement: Statement, given: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement with each of these, all in one round trip. Raises what `fetch` does."""
    with statement_span(statement.text):
        try:
            await driver.executemany(statement.text, [statement.arguments(one) for one in given])
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise in_sqlalchemys_words(error, statement.text) from error


def in_sqlalchemys_words(error: Exception, statement: str) -> DBAPIError:
    """Return a driver's error as SQLAlchemy would raise it; what was to be written is not quoted."""
    kind: type[DBAPIError] = InterfaceError
    if isinstance(error, asyncpg.PostgresError):
        kind = _KINDS.get((error.sqlstate or "")[:2], DBAPIError)
    elif isinstance(error, ValueError):
        # What cannot be sent: the caller's own mistake, and no sign that the connection is gone.
        kind = DBAPIError
    return kind(statement, None, error, hide_parameters=True)
