"""A bounded number of connections that are kept open, each with SQLAlchemy's view of it and the driver's own.

Transactions are begun and ended by the driver: SQLAlchemy's side thinks that it commits by itself (AUTOCOMMIT), so that
it sends nothing of its own round what it is asked to run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.statements import in_sqlalchemys_words

_WAIT_S = 10.0
_ROLLBACK_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Seat:
    """One connection. `connection` is for what SQLAlchemy runs, `driver` for the rest."""

    connection: AsyncConnection
    driver: asyncpg.Connection

    @property
    def is_dead(self) -> bool:
        return self.connection.closed or self.connection.invalidated or self.driver.is_closed()

    async def say(self, words: str) -> None:
        """Send statements without parameters, in one round trip. Raises DBAPIError, OSError."""
        try:
            await self.driver.execute(words)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise in_sqlalchemys_words(error, words) from error


class Seats:
    """At most `most` connections at once. `most` None: a pooler pools, and each transaction has a fresh one."""

    def __init__(self, engine: AsyncEngine, *, most: int | None) -> None:
        self._engine = engine
        self._most = most
        self._places = asyncio.Semaphore(most) if most is not None else None
        self._rested: list[Seat] = []
        self._taken = 0
        self._closed = False

    @property
    def in_use(self) -> int:
        """Count those that a transaction has now; 0 where a pooler pools."""
        return 0 if self._most is None else self._taken

    @property
    def free(self) -> int:
        """Count those that could still be given out at once, open or not; 0 where a pooler pools."""
        return 0 if self._most is None else self._most - self._taken

    @asynccontextmanager
    async def transaction(self, begin: str) -> AsyncIterator[Seat]:
        """Begin a transaction by these statements, sent as one; commit it at the end, or roll it back for an error.

        Raises TimeoutError where no connection is free for 10 seconds, DBAPIError or OSError where none can be had.
        """
        await self._take_place()
        try:
            seat = await self._begun(begin)
            try:
                yield seat
                await seat.say("COMMIT")
            except BaseException as error:
                await self._undo(seat, error)
                raise
            await self._give_back(seat)
        finally:
            self._taken -= 1
            if self._places is not None:
                self._places.release()

    async def close(self) -> None:
        """Close what rests; what is in use is closed when it is given back."""
        self._closed = True
        while self._rested:
            await _drop(self._rested.pop())
        await self._engine.dispose()

    async def _take_place(self) -> None:
        if self._places is not None:
            async with asyncio.timeout(_WAIT_S if self._places.locked() else None):
                await self._places.acquire()
        self._taken += 1

    async def _begun(self, begin: str) -> Seat:
        """Return a connection within a transaction. One that died while it rested is replaced by a fresh one."""
        while self._rested:
            seat = self._rested.pop()
            try:
                await seat.say(begin)
            except BaseException as error:
                await _drop(seat)
                # Nothing was done yet, so nothing is done twice; a live connection's refusal is one.
                if isinstance(error, TimeoutError) or not isinstance(error, OSError | DBAPIError):
                    raise
                if isinstance(error, DBAPIError) and not seat.driver.is_closed():
                    raise
            else:
                return seat
        seat = await self._open()
        try:
            await seat.say(begin)
        except BaseException:
            await _drop(seat)
            raise
        return seat

    async def _open(self) -> Seat:
        connection = await self._engine.connect()
        try:
            raw = await connection.get_raw_connection()
        except BaseException:
            await connection.close()
            raise
        return Seat(connection, raw.driver_connection)

    async def _give_back(self, seat: Seat) -> None:
        if seat.connection.in_transaction():
            # SQLAlchemy's own notion of one, which begins with its first statement and sends nothing.
            await seat.connection.rollback()
        if self._closed or self._most is None or seat.is_dead:
            await _drop(seat)
        else:
            self._rested.append(seat)

    async def _undo(self, seat: Seat, error: BaseException) -> None:
        """Roll back. A connection whose statement was cut short is not used again: its cancelling may come late."""
        try:
            async with asyncio.timeout(_ROLLBACK_LIMIT_S):
                await seat.say("ROLLBACK")
        except BaseException as again:
            seat.driver.terminate()
            await _drop(seat)
            if not isinstance(again, Exception):
                raise
            return
        if isinstance(error, Exception) and not isinstance(error, TimeoutError):
            await self._give_back(seat)
        else:
            await _drop(seat)


async def _drop(seat: Seat) -> None:
    """Close a connection, whatever state it is in."""
    with suppress(Exception):
        if seat.driver.is_closed():
            await seat.connection.invalidate()
        await seat.connection.close()
