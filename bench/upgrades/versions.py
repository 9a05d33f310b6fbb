"""The version before this one, taken from git: the last state of the tree that knew fewer migrations."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

from bench.upgrades.processes import HERE

MIGRATIONS = "db/migrations/versions"
TRUSTED = ("-c", "safe.directory=*")
"""A checkout that another user made is read all the same: nothing of it is run by git."""
_LIMIT_S = 120


class NoHistory(Exception):
    """There is no version before this one to be had; the message says what to do."""


def known_migrations(tree: Path = HERE) -> frozenset[str]:
    """Return the names of the migrations that lie in a tree now, committed or not."""
    return frozenset(path.name for path in (tree / MIGRATIONS).glob("*.py"))


def previous_version(tree: Path = HERE) -> str:
    """Return the newest commit whose migrations are fewer than those of now, and all among them. Raises NoHistory."""
    git = partial(_git, tree)
    shallow = git("rev-parse", "--is-shallow-repository").strip() == "true"
    now = known_migrations(tree)
    # Only commits that touched the folder can end such a time; the state before each of them is a parent's.
    for commit in ("HEAD", *git("log", "--format=%P", "--", MIGRATIONS).split()):
        files = git("ls-tree", "--name-only", commit, f"{MIGRATIONS}/", missing="").split()
        known = {Path(file).name for file in files if file.endswith(".py")}
        if known and known < now:
            return git("rev-parse", commit).strip()
    raise NoHistory(
        "git knows no version with fewer migrations: "
        + ("this is a shallow clone, `git fetch --unshallow` brings the rest" if shallow else "there was none")
    )


def lay_out(commit: str, folder: Path) -> Path:
    """Write a version's tree into a folder, and return it. The repository itself is left as it is."""
    folder.mkdir(parents=True)
    packed = subprocess.run(  # noqa: S603
        ["git", *TRUSTED, "archive", "--format=tar", commit],  # noqa: S607
        cwd=HERE,
        capture_output=True,
        check=True,
        timeout=_LIMIT_S,
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True, timeout=_LIMIT_S)  # noqa: S603, S607
    return folder


def _git(tree: Path, *arguments: str, missing: str | None = None) -> str:
    """Run git here. `missing`: what is returned where git refuses, instead of raising NoHistory."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *TRUSTED, *arguments],  # noqa: S607
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except FileNotFoundError:
        raise NoHistory("git is not installed") from None
    if done.returncode == 0:
        return done.stdout
    if missing is not None:
        return missing
    raise NoHistory(f"git {arguments[0]}: {done.stderr.strip()}")
