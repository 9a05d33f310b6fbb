"""A streaming replica of an embedded PostgreSQL, as `pg_basebackup` makes it, for the tests of what is read there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from db.embedded_place import find_place
from db.embedded_servers import DATABASE, OWNER, EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Replica:
    url: str
    server: EmbeddedPostgres


@contextmanager
def replica_of(primary_url: str, folder: Path) -> Iterator[Replica]:
    """Copy the server that this address leads to, and follow it."""
    sockets = str(make_url(primary_url).query["host"])
    server = EmbeddedPostgres(find_place(folder), durable=False)
    target = ("-h", sockets, "-U", OWNER, "-D", str(server._data))
    server._run("pg_basebackup", *target, "-R", "-X", "stream", "-c", "fast", "--no-sync")
    server.start()
    try:
        database = make_url(primary_url).database or DATABASE
        yield Replica(make_url(server.url).set(database=database).render_as_string(hide_password=False), server)
    finally:
        server.stop()
