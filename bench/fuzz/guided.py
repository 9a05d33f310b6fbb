"""Coverage-guided fuzzing of one reader by atheris: `python -m bench.fuzz.guided READER --runs N --seed S`.

A process of its own: libFuzzer ends it. The first broken promise ends the run, with the input written down.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import re
import sys
import tempfile
import time
from pathlib import Path

from bench.fuzz.tally import Tally

LONGEST = 4096
LIMIT_S = 600
_DONE = re.compile(rb"Done (\d+) (?:runs )?in|#(\d+)\s+DONE")
_INSTRUMENTED = ["handlers", "bot.company_file", "bot.company_yaml", "bot.company_schema", "bot.company_hours", "crm"]


def is_here() -> bool:
    """Say whether atheris is installed: its wheels are not for every machine."""
    return importlib.util.find_spec("atheris") is not None


async def fuzz_guided(name: str, *, inputs: int, seed: int) -> Tally:
    """Let atheris try a reader with so many inputs, in a process of its own."""
    tally, began = Tally(target=f"guided: {name}"), time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, name, "--runs", str(inputs), "--seed", str(seed),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            told, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        told = b"out of time"
    counts = [int(one or other) for one, other in _DONE.findall(told)]
    tally.inputs = max(counts, default=0)
    if process.returncode != 0 or not counts:
        tally.server_error("atheris ended early", of=told[-1500:].decode(errors="replace"))
    tally.seconds = time.monotonic() - began
    return tally


def main() -> None:
    """Run atheris; it does not return."""
    import atheris

    parser = argparse.ArgumentParser(prog="python -m bench.fuzz.guided")
    parser.add_argument("reader")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with atheris.instrument_imports(include=_INSTRUMENTED):
        from bench.fuzz.readers import CHECKS, seeds
    check = CHECKS[asked.reader]
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, one in enumerate(seeds(asked.reader)):
            (corpus / str(number)).write_bytes(one[:LONGEST])
        options = [f"-runs={asked.runs}", f"-seed={asked.seed}", f"-max_len={LONGEST}", f"-artifact_prefix={folder}/"]
        atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", str(corpus)], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
