"""Ask for known vulnerabilities of what the lock files pin, and say honestly what was not asked.

pip-audit ends with success also where its source knows none of the packages (an index behind a mirror, say), so what it
reports is counted here. Ends with 1 for a known vulnerability, with 0 where nothing could be asked: a line that is down
must not stop a release, and must not look like a clean bill either.
usage: python deploy/audit.py LOCK_FILE...
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AUDIT = (Path(sys.executable).parent / "pip-audit").as_posix()
WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Found:
    """What was reported of one lock file. `vulnerable`: a line for each vulnerability."""

    asked: int
    skipped: int
    vulnerable: tuple[str, ...]


def audit(lock: str, *, command: str = AUDIT) -> Found | None:
    """Return what is known of a lock file's packages; None where nobody could be asked."""
    arguments = ["--requirement", lock, "--require-hashes", "--disable-pip", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603 (our own arguments)
            [command, *arguments, "--timeout", "15", "--format", "json"],
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        report = json.loads(done.stdout)
        return _read(report["dependencies"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None


def _read(dependencies: list[dict[str, Any]]) -> Found:
    skipped = [one for one in dependencies if "skip_reason" in one]
    vulnerable = [
        f"{one['name']} {one['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'no version'}"
        for one in dependencies
        if "skip_reason" not in one
        for known in one["vulns"]
    ]
    return Found(len(dependencies) - len(skipped), len(skipped), tuple(vulnerable))


def main(locks: list[str], *, command: str = AUDIT) -> int:
    """Print what was found; return the exit code."""
    code = 0
    for lock in locks:
        found = audit(lock, command=command)
        if found is None or found.asked == 0:
            print(f"{lock}: not audited, the source of known vulnerabilities was not reachable")
            continue
        unasked = f", {found.skipped} unknown there and not audited" if found.skipped else ""
        print(f"{lock}: {found.asked} packages audited{unasked}, {len(found.vulnerable)} known vulnerabilities")
        for line in found.vulnerable:
            print(f"  {line}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
