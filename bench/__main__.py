"""`python -m bench [--quick] [PART ...]`: measure, write bench/results/latest.json, and print it as a table.

Without a part's name all are measured, one after another; what a part measured before stands until it is measured anew.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from bench import companies, intake, memory, scale, startup, turns, voice
from bot.cli.session import run_async
from bot.logs import set_up_logs
from bot.settings import LogFormat
from db.records import WorkKind

Figures = Mapping[str, float | str]
RESULTS = Path(__file__).parent / "results" / "latest.json"

PARTS: Mapping[str, tuple[Callable[[], Awaitable[Figures]], Callable[[], Awaitable[Figures]]]] = {
    "intake": (intake.measure, lambda: intake.measure(companies=50, rounds=1, seconds=1.0)),
    "turns": (turns.measure, lambda: turns.measure(companies=2, seconds=2.0)),
    "companies": (
        companies.measure,
        lambda: companies.measure(many=20, rounds=1, seconds=0.5, turn_seconds=1.0, cold=10, drawn=10),
    ),
    "memory": (
        memory.measure,
        lambda: memory.measure(companies=20, idle=10, waiting=10, kinds=(WorkKind.CRM,)),
    ),
    "scale": (scale.measure, lambda: scale.measure(rounds=1, seconds=1.0, companies=10, model_s=0.1, crm_s=0.1)),
    "startup": (startup.measure, lambda: startup.measure(rounds=1)),
    "voice": (voice.measure, lambda: voice.measure(calls=5, seconds=3.0)),
}
"""What is measured, and how for a look whether it works: those figures say nothing of speed."""


async def _of(part: Callable[[], Awaitable[Figures]]) -> Figures:
    return await part()


def main(arguments: list[str]) -> None:
    quick = "--quick" in arguments
    chosen = [name for name in arguments if not name.startswith("-")] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    set_up_logs(LogFormat.CONSOLE, level=logging.ERROR)
    figures: dict[str, float | str] = {}
    for name in chosen:
        figures |= run_async(_of(PARTS[name][quick]))
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
        RESULTS.write_text(json.dumps(before | figures, indent=2) + "\n", encoding="utf-8")
    width = max(map(len, figures))
    sys.stdout.write("".join(f"{name:<{width}}  {value}\n" for name, value in figures.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
