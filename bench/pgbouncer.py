"""A real PgBouncer in transaction mode in front of a test's PostgreSQL: Debian's, which deploy/pgbouncer.sh brings."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BROUGHT = Path(__file__).parent.parent / ".tools" / "pgbouncer"
_LIMIT_S = 30.0
_TICK_S = 0.05


def find_pgbouncer() -> Path | None:
    """Return the program, None where there is none."""
    brought = _BROUGHT / "usr" / "sbin" / "pgbouncer"
    if brought.exists():
        return brought
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return Path(found) if found else None


@contextmanager
def pgbouncer(folder: Path, *, sockets: Path, login: str, server_connections: int) -> Iterator[int]:
    """Run it on loopback; yield its port. `sockets`: PostgreSQL's folder of sockets; `login`: who may come.

    It refuses to run as root, and takes the servers' user then.
    """
    program = find_pgbouncer()
    assert program is not None, "deploy/pgbouncer.sh brings it"  # noqa: S101
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (folder / "users.txt").write_text(f'"{login}" ""\n')
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={sockets}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {folder / 'users.txt'}\n"
        "pool_mode = transaction\n"
        f"default_pool_size = {server_connections}\nmax_client_conn = 200\n"
    )
    libraries = ":".join(str(path.parent) for path in sorted(_BROUGHT.glob("usr/lib/*/libevent*.so.*")))
    as_user = ["-u", "nobody"] if os.getuid() == 0 else []
    if as_user:
        owner = pwd.getpwnam("nobody")
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [str(program), *as_user, str(config)],
            stdout=log,
            stderr=log,
            env={"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": libraries},
        )
    try:
        deadline = time.monotonic() + _LIMIT_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PgBouncer did not start: {(folder / 'log').read_text(errors='replace')[-800:]}")
            time.sleep(_TICK_S)
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as line:
        line.settimeout(1)
        return line.connect_ex(("127.0.0.1", port)) == 0
