"""Where embedded servers live and under which user: DATA_DIR where it can be, an owner-only folder elsewhere if not."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from db.errors import DBError

# sockaddr_un.sun_path has 108 bytes, its ending zero included.
LONGEST_SOCKET_PATH = 107
_LONGEST_SOCKET_NAME = len("/run/.s.PGSQL.5432")
_UNPRIVILEGED = "nobody"
_PROBE_LIMIT_S = 10


class EmbeddedServersError(DBError):
    """An embedded server cannot be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folder of the servers and the user they run as (None: whoever we are).

    `binaries` maps a package's folder of programs to where the servers' user can reach it.
    """

    folder: Path
    uid: int | None
    gid: int | None
    notices: tuple[str, ...]

    @property
    def sockets(self) -> Path:
        return self.folder / "run"

    @property
    def owner(self) -> dict[str, object]:
        """Return the arguments with which subprocess changes to the servers' user."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def make_folder(self, path: Path) -> Path:
        """Make a folder that only the servers' user may enter."""
        path.mkdir(parents=True, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)
        return path

    def reachable(self, programs: Path) -> Path:
        """Return `programs`, or a copy of the whole tree that the servers' user can run."""
        probe = next(path for path in sorted(programs.iterdir()) if path.is_file())
        if self.uid is None or _can(self.uid, self.gid, "-x", probe):
            return programs
        tree = programs.parent
        copy = self.folder / "programs" / hashlib.sha256(str(tree).encode()).hexdigest()[:12]
        if not copy.exists():
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(tree, draft, symlinks=True)
            for path in (draft, *draft.rglob("*")):
                if not path.is_symlink():
                    os.chown(path, self.uid, self.gid if self.gid is not None else -1)
            draft.rename(copy)
        return copy / programs.name


def find_place(data_dir: Path) -> Place:
    """Choose the folder. Raises EmbeddedServersError where none can be had."""
    data_dir = data_dir.absolute()
    data_dir.mkdir(parents=True, exist_ok=True)
    uid, gid = _servers_user()
    folder = data_dir / "servers"
    reason = None
    if len(os.fsencode(folder)) + _LONGEST_SOCKET_NAME > LONGEST_SOCKET_PATH:
        reason = "its path is too long for a socket"
    elif uid is not None and not _can(uid, gid, "-x", data_dir):
        reason = f"the user {_UNPRIVILEGED!r} cannot enter it, and PostgreSQL refuses to run as root"
    notices: tuple[str, ...] = ()
    if reason is not None:
        folder = _elsewhere(data_dir)
        notices = (f"embedded servers keep their data in {folder}, not in {data_dir}: {reason}",)
    place = Place(folder=folder, uid=uid, gid=gid, notices=notices)
    _refuse_foreign(folder, os.getuid() if uid is None else uid)
    place.make_folder(folder)
    place.make_folder(place.sockets)
    return place


def _servers_user() -> tuple[int | None, int | None]:
    """Return the user for the servers where we are root, which PostgreSQL refuses to run as."""
    if os.getuid() != 0:
        return None, None
    try:
        user = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError as error:
        raise EmbeddedServersError(f"there is no user {_UNPRIVILEGED!r} for the embedded servers") from error
    return user.pw_uid, user.pw_gid


def _elsewhere(data_dir: Path) -> Path:
    """Name an owner-only folder after DATA_DIR: in /var/tmp, which outlives a restart, else the temporary folder."""
    base = Path("/var/tmp")  # noqa: S108 (the folder is checked for its owner below)
    if not os.access(base, os.W_OK):
        base = Path(tempfile.gettempdir())
    return base / f"ai-admin-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]}"


def _refuse_foreign(folder: Path, uid: int) -> None:
    """Refuse a folder that somebody else has put there first: its name can be guessed."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.getuid()):
        raise EmbeddedServersError(f"{folder} belongs to somebody else; remove it or set another AI_ADMIN_DATA_DIR")


def _can(uid: int, gid: int | None, test: str, path: Path) -> bool:
    """Ask as that user, since only the kernel knows every rule."""
    found = subprocess.run(  # noqa: S603
        ["/usr/bin/test", test, str(path)],
        user=uid,
        group=gid,
        extra_groups=[],
        cwd="/",
        timeout=_PROBE_LIMIT_S,
        check=False,
    )
    return found.returncode == 0
