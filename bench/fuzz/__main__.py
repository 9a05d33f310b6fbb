"""`python -m bench.fuzz`: exit code 0 only where nothing answered 5xx, nothing was lost and nothing got stuck."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path

import structlog

from bench.fuzz.guided import is_here
from bench.fuzz.house import Clock
from bench.fuzz.opening import open_house
from bench.fuzz.run import AT_LEAST, doors, guided, readers, run
from bench.fuzz.tally import Tally, lines_of
from bot.app import open_core
from bot.sdks import load_sdks
from bot.settings import PREFIX, Mode, Settings
from db.embedded import start_embedded

_RESULT = Path(__file__).parents[1] / "results" / "fuzz.json"


def main() -> int:
    """Run, print, write the figures and what was found down, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--share", type=float, default=1.0, help="so much of the whole run: 0.1 is ten thousand")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other inputs")
    parser.add_argument("--only", default="", help="targets whose name holds this")
    asked = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    _be_quiet()
    tallies = asyncio.run(_run(asked.share, asked.seed, asked.only))
    if not is_here():
        print("atheris is not installed for this machine: nothing was guided by coverage")
    print("\n".join(lines_of(tallies)))
    _RESULT.parent.mkdir(exist_ok=True)
    _RESULT.write_text(json.dumps([asdict(one) for one in tallies], indent=1) + "\n")
    enough = bool(asked.only) or asked.share < 1 or sum(one.inputs for one in tallies) >= AT_LEAST
    passed = enough and all(one.clean for one in tallies)
    print(f"seed {asked.seed}: {'PASSED' if passed else f'FAILED: see {_RESULT}'}")
    return 0 if passed else 1


def _be_quiet() -> None:
    """Let nobody write a line for each input, trace included."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


async def _run(share: float, seed: int, only: str) -> list[Tally]:
    await load_sdks()
    tallies: list[Tally] = []
    with tempfile.TemporaryDirectory() as folder:
        # What a crash would lose is no question here: nothing is waited for to reach the disk.
        async with await start_embedded(Path(folder), durable=False) as embedded:
            servers, clock = embedded.servers, Clock()
            settings = Settings(
                _env_file=None,
                mode=Mode.DEVELOPMENT,
                data_dir=Path(folder),
                database_url=servers.database_url,
                redis_url=servers.redis_url,
            )
            async with open_core(settings, clock=clock, pool_size=20) as core, open_house(core, clock) as house:
                async for tally in run({**doors(house), **readers(), **guided()}, share=share, seed=seed, only=only):
                    print(lines_of([tally])[1], flush=True)
                    tallies.append(tally)
    return tallies


if __name__ == "__main__":
    raise SystemExit(main())
