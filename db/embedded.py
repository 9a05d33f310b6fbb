"""Real PostgreSQL and Redis with nothing to install: the binaries of two wheels, launched directly, shared by the
processes of one DATA_DIR, and stopped by the last of them."""

from __future__ import annotations

import asyncio
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from db.embedded_place import EmbeddedServersError, find_place
from db.embedded_servers import EmbeddedPostgres, EmbeddedRedis

__all__ = ["Embedded", "EmbeddedServers", "EmbeddedServersError", "start_embedded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServers:
    """Addresses; empty for a server that was not asked for. `notices` are for the person at the terminal."""

    database_url: str
    redis_url: str
    notices: tuple[str, ...]


class Embedded:
    """Servers in use by this process.

    Two locks keep processes out of each other's way. `changing` is held while servers are started or stopped. `using`
    is held shared by every process that uses them: the kernel lets go of it when a process dies, however it dies, so
    whoever gets it alone is the last.
    """

    def __init__(
        self, folder: Path, postgres: EmbeddedPostgres | None, redis: EmbeddedRedis | None, notices: tuple[str, ...]
    ) -> None:
        self._folder = folder
        self._postgres = postgres
        self._redis = redis
        self._notices = notices
        self._using: IO[bytes] | None = None

    @property
    def servers(self) -> EmbeddedServers:
        return EmbeddedServers(
            database_url=self._postgres.url if self._postgres else "",
            redis_url=self._redis.url if self._redis else "",
            notices=self._notices,
        )

    @property
    def postgres_pid(self) -> int | None:
        """Return the postmaster's pid, None where it does not run."""
        return self._postgres.pid() if self._postgres else None

    @property
    def redis_pid(self) -> int | None:
        """Return redis-server's pid, None where it does not run."""
        return self._redis.pid() if self._redis else None

    async def start(self) -> None:
        """Start what does not run yet; adopt what does. Raises EmbeddedServersError."""
        await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """Leave; the last process to leave stops the servers."""
        await asyncio.to_thread(self._stop)

    async def restart_postgres(self) -> None:
        """Start PostgreSQL again after it died or was killed."""
        if self._postgres is not None:
            await asyncio.to_thread(self._locked, self._postgres.start)

    async def restart_redis(self) -> None:
        """Start Redis again after it died or was killed."""
        if self._redis is not None:
            await asyncio.to_thread(self._locked, self._redis.start)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _start(self) -> None:
        with _lock(self._folder / "changing.lock"):
            for server in (self._postgres, self._redis):
                if server is not None:
                    server.start()
            using = (self._folder / "using.lock").open("wb")
            fcntl.flock(using, fcntl.LOCK_SH)
            self._using = using

    def _stop(self) -> None:
        if self._using is None:
            return
        with _lock(self._folder / "changing.lock"):
            try:
                fcntl.flock(self._using, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # Others use them still.
            else:
                for server in (self._redis, self._postgres):
                    if server is not None:
                        server.stop()
            self._using.close()
            self._using = None

    def _locked(self, action: object) -> None:
        assert callable(action)  # noqa: S101
        with _lock(self._folder / "changing.lock"):
            action()


class _lock:
    """Hold a file's lock; the kernel frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("wb")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


async def start_embedded(
    data_dir: Path, *, postgres: bool = True, redis: bool = True, durable: bool = True
) -> Embedded:
    """Start, or join, the servers of a data folder. Raises EmbeddedServersError.

    `durable` False gives up crash safety for speed (PostgreSQL without fsync): for tests.
    """
    place = await asyncio.to_thread(find_place, data_dir)
    if os.name != "posix":
        raise EmbeddedServersError("embedded servers need a POSIX system; set AI_ADMIN_DATABASE_URL and _REDIS_URL")
    embedded = Embedded(
        place.folder,
        EmbeddedPostgres(place, durable=durable) if postgres else None,
        EmbeddedRedis(place, durable=durable) if redis else None,
        place.notices,
    )
    await embedded.start()
    return embedded
