"""`python -m bench [--quick] [PART ...]`: measure, write bench/results/latest.json, and print it as a table.

Without a part's name all are measured, one after another; what a part measured before stands until it is measured anew.
A quick look at all of them takes them side by side, each in a process of its own: it says nothing of speed anyway.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import companies, dialogues, intake, memory, prompt, scale, startup, turns, voice
from bench.bars import Figures, table, verdicts
from bench.machine import Context, observe
from bot.cli.session import run_async
from bot.logs import set_up_logs
from bot.settings import LogFormat
from db.records import WorkKind

RESULTS = Path(__file__).parent / "results" / "latest.json"
DOCS = Path(__file__).parent.parent / "docs"
_SIDE_BY_SIDE = 3
_LONGEST_LOOK_S = 300
MACHINE = "machine"
"""In the file: by part, on what it was measured."""

PARTS: Mapping[str, tuple[Callable[[], Awaitable[Figures]], Callable[[], Awaitable[Figures]]]] = {
    "intake": (intake.measure, lambda: intake.measure(companies=50, rounds=1, seconds=0.5)),
    "turns": (turns.measure, lambda: turns.measure(companies=2, seconds=1.0, rounds=1)),
    "companies": (
        companies.measure,
        lambda: companies.measure(many=20, rounds=1, seconds=0.5, turn_seconds=1.0, cold=10, drawn=10),
    ),
    "memory": (
        memory.measure,
        lambda: memory.measure(companies=20, idle=10, waiting=10, kinds=(WorkKind.CRM,)),
    ),
    "scale": (scale.measure, lambda: scale.measure(rounds=1, seconds=4.0, companies=10, model_s=0.1, crm_s=0.1)),
    "dialogues": (dialogues.measure, lambda: dialogues.measure(dialogues=500, companies=5, rounds=1, claims=20)),
    "prompt": (prompt.measure, lambda: prompt.measure(others=False)),
    "startup": (startup.measure, lambda: startup.measure(rounds=1)),
    "voice": (voice.measure, lambda: voice.measure(calls=3, seconds=2.0, warm_up_s=2.0)),
}
"""What is measured, and how for a look whether it works: those figures say nothing of speed."""


async def _of(part: Callable[[], Awaitable[Figures]]) -> Figures:
    return await part()


def main(arguments: list[str]) -> None:
    quick = "--quick" in arguments
    chosen = [name for name in arguments if not name.startswith("-")] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if quick and len(chosen) > 1:
        sys.exit(_look_at(chosen))
    set_up_logs(LogFormat.CONSOLE, level=logging.ERROR)
    figures: dict[str, float | str] = {}
    machine: dict[str, Context] = {}
    for name in chosen:
        told, began = observe(), time.monotonic()
        figures |= run_async(_of(PARTS[name][quick]))
        machine[name] = told()
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
    if not quick:
        _keep(RESULTS, figures, machine)
    sys.stdout.write(table(figures))
    for name, context in machine.items():
        sys.stdout.write(f"{name}: {', '.join(f'{what} {value}' for what, value in context.items())}\n")
    if quick:
        sys.stdout.write("QUICK: these figures say that it works, and nothing of speed\n")


def _look_at(parts: Sequence[str]) -> int:
    """Try the parts out side by side and show what each prints; return the exit code: 0 where all of them work."""

    def look(part: str) -> int:
        command = [sys.executable, "-m", "bench", "--quick", part]
        tried = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_LOOK_S)  # noqa: S603
        sys.stdout.write(f"---- {part}\n{tried.stdout}{tried.stderr if tried.returncode else ''}")
        return tried.returncode

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        return max(pool.map(look, parts))


def _keep(path: Path, figures: Figures, machine: Mapping[str, Context]) -> None:
    """Write the figures over those of before, and draw all of them."""
    from bench.plots import draw

    path.parent.mkdir(exist_ok=True)
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    context = {**kept.pop(MACHINE, {}), **machine}
    kept |= figures
    kept |= {f"{name}_holds": holds.value for name, holds in verdicts(kept).items()}
    path.write_text(json.dumps({**kept, MACHINE: context}, indent=2) + "\n", encoding="utf-8")
    draw(kept, DOCS)


if __name__ == "__main__":
    main(sys.argv[1:])
