"""`python -m bench.chaos`: exit code 0 only where every count that must be zero is, and the kills were made."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

from bench.chaos.board import Board
from bench.chaos.fleet import SEATS, end_child
from bench.chaos.marksman import start_marksman
from bench.chaos.nursery import start_nursery
from bench.chaos.options import Options
from bench.chaos.report import Report
from bench.chaos.run import Lines, run
from bench.chaos.steps import STEPS
from bot.logs import set_up_logs
from bot.settings import PREFIX, LogFormat

_RESULT = Path(__file__).parents[1] / "results" / "chaos.json"
_CHILD_ENDS_WITHIN_S = 15.0


def main() -> int:
    """Run, print, write the result down, and return the exit code."""
    options = _options()
    # What is set for another installation is not for this one.
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    set_up_logs(LogFormat.CONSOLE, level=logging.ERROR)
    # The sandbox servers' callers die in the middle of a request all the time.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    print(f"chaos: seed {options.seed}, {options.kills} kills", flush=True)
    board = Board(SEATS, [step.name for step in STEPS])
    nursery, to_nursery = start_nursery(board)
    marksman, to_marksman = start_marksman(board)
    try:
        report = asyncio.run(_until_told(options, board, Lines(nursery=to_nursery, marksman=to_marksman)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("chaos: stopped", file=sys.stderr)
        return 130
    except TimeoutError:
        print(f"chaos: FAILED: not at its end after {options.most_s:g} s", file=sys.stderr)
        return 1
    finally:
        to_nursery.close()
        to_marksman.close()
        for pid in (nursery, marksman):
            end_child(pid, within_s=_CHILD_ENDS_WITHIN_S)
    _tell(report)
    return 0 if report.passed else 1


async def _until_told(options: Options, board: Board, lines: Lines) -> Report:
    """Run, and end as on Ctrl-C where SIGTERM comes."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 (asyncio.run made it)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run(options, board, lines)


def _tell(report: Report) -> None:
    print(report.as_text())
    if report.options.result is not None:
        report.options.result.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
        report.options.result.write_text(text + "\n", encoding="utf-8")
    brief = {name: value for name, value in report.as_json().items() if name != "kills_in_order"}
    print(json.dumps(brief, ensure_ascii=False))


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--dialogues", type=int, default=50)
    parser.add_argument("--messages", type=int, default=400, help="in all dialogues together")
    parser.add_argument("--at-once", type=int, default=50, help="dialogues side by side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lease", type=float, default=12.0, help="seconds; production's by default")
    parser.add_argument("--no-crm-limits", action="store_true", help="lift the CRM's limits on calls")
    parser.add_argument("--pause", type=float, nargs=2, default=(1.0, 4.0), metavar=("FROM", "TO"), help="seconds")
    parser.add_argument("--patience", type=float, default=4.0, help="seconds that a kill waits for its step")
    parser.add_argument("--deadline", type=float, default=20.0, help="seconds that a client waits for an answer")
    parser.add_argument("--settle", type=float, default=150.0, help="seconds that the end may take")
    parser.add_argument("--most", type=float, default=1750.0, help="seconds after which the run has failed")
    parser.add_argument("--result", type=Path, default=_RESULT, help="the JSON file")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and data")
    given = parser.parse_args()
    return Options(
        kills=given.kills,
        dialogues=given.dialogues,
        messages=given.messages,
        at_once=given.at_once,
        seed=given.seed,
        lease_s=given.lease,
        crm_limits=not given.no_crm_limits,
        pause_s=(given.pause[0], given.pause[1]),
        patience_s=given.patience,
        deadline_s=given.deadline,
        settle_s=given.settle,
        most_s=given.most,
        result=given.result,
        keep=given.keep,
    )


if __name__ == "__main__":
    sys.exit(main())
