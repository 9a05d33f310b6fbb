"""A real PgBouncer in transaction mode in front of a test's PostgreSQL: Debian's, which deploy/pgbouncer.sh brings."""

from __future__ import annotations

import configparser
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
_SHIPPED = Path(__file__).parent.parent / "deploy" / "pgbouncer" / "pgbouncer.ini"
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
def pgbouncer(
    folder: Path, *, sockets: Path, login: str, server_connections: int, certificate: tuple[Path, Path] | None = None
) -> Iterator[int]:
    """Run it on loopback with the file that is shipped; yield its port.

    `sockets`: PostgreSQL's folder of sockets; `login`: who may come; `certificate`: file and key, of a PgBouncer that
    takes nobody without TLS. As root it refuses to run, and takes the servers' user then.
    """
    program = find_pgbouncer()
    assert program is not None, "deploy/pgbouncer.sh brings it"  # noqa: S101
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (folder / "users.txt").write_text(f'"{login}" ""\n')
    config = configparser.RawConfigParser()
    config.read(_SHIPPED, encoding="utf-8")
    config["databases"] = {"*": f"host={sockets}"}
    shipped = config["pgbouncer"]
    ours = {
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "trust",
        "auth_file": str(folder / "users.txt"),
        "default_pool_size": str(server_connections),
        "server_tls_sslmode": "disable",
    }
    if certificate is not None:
        names = ("client_tls_cert_file", "client_tls_key_file")
        ours |= {"client_tls_sslmode": "require", **dict(zip(names, map(str, certificate), strict=True))}
    shipped.update(ours)
    del shipped["server_tls_ca_file"]
    file = folder / "pgbouncer.ini"
    with file.open("w") as written:
        config.write(written)
    libraries = ":".join(str(path.parent) for path in sorted(_BROUGHT.glob("usr/lib/*/libevent*.so.*")))
    as_user = ["-u", "nobody"] if os.getuid() == 0 else []
    if as_user:
        owner = pwd.getpwnam("nobody")
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [str(program), *as_user, str(file)],
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
