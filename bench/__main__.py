"""`python -m bench`: measure, write bench/results/latest.json, and print it as a table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.voice import measure
from bot.cli.session import run_async

RESULTS = Path(__file__).parent / "results" / "latest.json"


def main(arguments: list[str]) -> None:
    quick = "--quick" in arguments
    figures = run_async(measure(calls=10, seconds=10) if quick else measure())
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    width = max(map(len, figures))
    sys.stdout.write("".join(f"{name:<{width}}  {value}\n" for name, value in figures.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
