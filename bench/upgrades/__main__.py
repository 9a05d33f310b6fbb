"""`python -m bench.upgrades`: the recovery drill. Exit code 0 only where nothing that had to be there was missing."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench.upgrades.drill import Findings, drill
from bot.logs import set_up_logs
from bot.settings import PREFIX, LogFormat

_MOST_S = 600.0


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.upgrades", description=__doc__)
    parser.add_argument("--messages", type=int, default=60, help="written before the backup, and again after it")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs, dump and data")
    given = parser.parse_args()
    # What is set for another installation is not for this one.
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    set_up_logs(LogFormat.CONSOLE, level=logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="ai-admin-drill-"))
    # The user that the servers run as has to get in.
    folder.chmod(0o755)
    try:
        findings = asyncio.run(_bounded(folder, given.messages))
    finally:
        if given.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    _tell(findings)
    return 0 if findings.passed else 1


async def _bounded(folder: Path, messages: int) -> Findings:
    async with asyncio.timeout(_MOST_S):
        return await drill(folder, messages=messages)


def _tell(found: Findings) -> None:
    seconds = found.seconds
    rows = [
        ("acknowledged before the backup began", f"{found.acknowledged}", ""),
        ("of these missing or unanswered in the end", f"{found.missing}", "must be 0"),
        ("not at rest in the end", f"{sum(found.rest.values())}", "must be 0"),
        (
            "acknowledged later, and lost with the server",
            f"{found.after_the_dump}",
            "the server's own archive keeps them",
        ),
        ("answered before the loss, and again", f"{found.done_again}", "the backup does not know that they were"),
        ("backup, under load", f"{seconds.dump:.1f} s", f"{found.dump_bytes} bytes"),
        ("a new server", f"{seconds.new_server:.1f} s", ""),
        ("restore", f"{seconds.restore:.1f} s", ""),
        ("gateway and workers up", f"{seconds.processes:.1f} s", ""),
        ("what had waited answered", f"{seconds.backlog:.1f} s", ""),
        ("from the loss to the last answer", f"{seconds.recovery:.1f} s", ""),
    ]
    for what, value, note in rows:
        print(f"{what:<48}{value:>10}  {note}".rstrip())
    print("PASSED" if found.passed else "FAILED")
    print(json.dumps(found.as_json()))


if __name__ == "__main__":
    sys.exit(main())
