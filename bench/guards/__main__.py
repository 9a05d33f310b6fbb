"""`python -m bench.guards`: switch each guard off in a copy of the code, run its test there, and expect it to fail.

A test that passes without its guard guards nothing. Every test is run with its guard first, so that one that fails for
another reason is not taken for proof. Exit code 1 where a guard could be switched off unnoticed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from bench.guards.guards import GUARDS, Guard

ROOT = Path(__file__).parent.parent.parent
_SIDE_BY_SIDE = 2
_LONGEST_S = 300
_FAILED = 1
"""Of pytest's exit codes: tests were run, and some failed."""


def main() -> int:
    with TemporaryDirectory(prefix="ai-admin-guards-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(_SIDE_BY_SIDE):
            copies.put(_copy(Path(folder) / str(number)))
        sys.stdout.write("Every test with its guard first ...\n")
        standing = _run(copies, sorted({guard.test for guard in GUARDS}))
        if standing.returncode != 0:
            sys.stdout.write(standing.stdout[-4000:])
            return 1
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            unnoticed = sum(pool.map(lambda guard: _report(guard, _switch_off(copies, guard)), GUARDS))
    sys.stdout.write(f"{len(GUARDS)} guards switched off, {len(GUARDS) - unnoticed} noticed, {unnoticed} unnoticed\n")
    return 1 if unnoticed else 0


def _copy(to: Path) -> Path:
    """Copy what git would have of the tree as it stands, with what is not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


def _switch_off(copies: SimpleQueue[Path], guard: Guard) -> str:
    """Return what came of it: "noticed", or why not."""
    copy = copies.get()
    file = copy / guard.file
    standing = file.read_text(encoding="utf-8")
    try:
        if standing.count(guard.on) != 1:
            return f"{guard.file} holds it {standing.count(guard.on)} times"
        file.write_text(standing.replace(guard.on, guard.off), encoding="utf-8")
        done = _pytest(copy, [guard.test])
    except subprocess.TimeoutExpired:
        return f"no end within {_LONGEST_S} s"
    finally:
        file.write_text(standing, encoding="utf-8")
        copies.put(copy)
    summary = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    return "noticed" if done.returncode == _FAILED and " failed" in f" {summary}" else summary or "nothing was run"


def _run(copies: SimpleQueue[Path], tests: list[str]) -> subprocess.CompletedProcess[str]:
    copy = copies.get()
    try:
        return _pytest(copy, tests)
    finally:
        copies.put(copy)


def _pytest(copy: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    # The copy's own packages come first, as `python -m` puts the folder it is called in before all others.
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "--no-header", *tests],
        cwd=copy, capture_output=True, text=True, timeout=_LONGEST_S * max(1, len(tests) // 4),
    )  # fmt: skip


def _report(guard: Guard, outcome: str) -> bool:
    """Print a guard's line; say whether it could be switched off unnoticed."""
    sys.stdout.write(f"{'ok  ' if outcome == 'noticed' else 'FAIL'} {guard.holds}  [{guard.test}]")
    sys.stdout.write("\n" if outcome == "noticed" else f"\n     {outcome}\n")
    sys.stdout.flush()
    return outcome != "noticed"


if __name__ == "__main__":
    sys.exit(main())
