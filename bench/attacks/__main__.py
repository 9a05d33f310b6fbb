"""`python -m bench.attacks`: exit code 0 only where no attack got through, and without the guards some did."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import tempfile
from pathlib import Path

from bench.attacks.attempt import NOW
from bench.attacks.corpus import load_attacks, load_honest, load_phrasings
from bench.attacks.report import figures_of, lines_of
from bench.attacks.run import Suite, run
from bot.app import open_core
from bot.logs import set_up_logs
from bot.sdks import load_sdks
from bot.settings import PREFIX, LogFormat, Mode, Settings

_RESULT = Path(__file__).parents[1] / "results" / "attacks.json"


def main() -> int:
    """Run, print, write the figures down, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make attacks")
    parser.add_argument("--only", default="", help="attacks whose id holds this")
    only = parser.parse_args().only
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    set_up_logs(LogFormat.CONSOLE, level=logging.CRITICAL)
    suite = asyncio.run(_run(only))
    print("\n".join(lines_of(suite)))
    _RESULT.parent.mkdir(exist_ok=True)
    _RESULT.write_text(json.dumps(figures_of(suite), indent=1) + "\n")
    print("PASSED" if suite.passed else "FAILED")
    return 0 if suite.passed else 1


async def _run(only: str) -> Suite:
    await load_sdks()
    attacks = [one for one in load_attacks() if only in one.id]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, mode=Mode.DEVELOPMENT, data_dir=Path(folder), port=0)
        async with open_core(settings, clock=lambda: NOW, pool_size=20) as core:
            return await run(core, attacks, load_phrasings(), load_honest())


if __name__ == "__main__":
    raise SystemExit(main())
