"""What a demo lends to the other processes of its DATA_DIR: the address of the model's stand-in.

The stand-ins are servers within the demo's process. Its file is locked as long as the process lives: the kernel lets go
of the lock however it dies, so that a file that nobody holds is nobody's.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """`gemini_url` is None where the demo talks to the real Gemini."""

    gemini_url: str | None


@contextmanager
def lend(data_dir: Path, lent: Lent) -> Iterator[None]:
    """Leave the addresses for the others while the block lasts."""
    folder = _folder(data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{os.getpid()}.json"
    # The name appears only when the file is whole and locked.
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"gemini_url": lent.gemini_url}, file)
        file.flush()
        draft.rename(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def find_lent(data_dir: Path) -> Lent | None:
    """Return what the latest living demo of this folder lends; None where none lives."""
    for path in sorted(_folder(data_dir).glob("*.json"), key=_changed_at, reverse=True):
        try:
            with path.open(encoding="utf-8") as file:
                if _is_held(file.fileno()):
                    return Lent(gemini_url=json.load(file)["gemini_url"])
        except FileNotFoundError:
            continue
        path.unlink(missing_ok=True)
    return None


def _folder(data_dir: Path) -> Path:
    return data_dir / "lent"


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
