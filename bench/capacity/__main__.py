"""`python -m bench.capacity`: what 100, 10,000 and 1,000,000 companies need, and where the walls are.

`--json` prints the same for machines, `--write` puts it into docs/capacity.md. `--measure` measures what a turn costs
the stores, `--check` holds the simulation against a measured run. Every assumption is an option; `--figure NAME=VALUE`
stands in for a measured figure.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict, fields
from math import inf

from bench.capacity import page
from bench.capacity.inputs import RESULTS, Assumptions, FigureMissing, Figures
from bench.capacity.plan import SIZES, plan, walls
from bot.cli.session import run_async
from bot.logs import set_up_logs
from bot.settings import LogFormat


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/capacity.md")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--figure", action="append", default=[], metavar="NAME=VALUE")
    for one in fields(Assumptions):
        what = str(one.metadata["what"]).replace("%", "%%")
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=float, help=what)
    asked = parser.parse_args(arguments)
    given = Assumptions(
        **{one.name: getattr(asked, one.name) for one in fields(Assumptions) if getattr(asked, one.name) is not None}
    )
    stood_in = {name: float(value) for name, _, value in (pair.partition("=") for pair in asked.figure)}
    set_up_logs(LogFormat.CONSOLE, level=logging.ERROR)
    try:
        if asked.measure:
            _measure()
        elif asked.check:
            _check(Figures.read(given=stood_in), given)
        else:
            _show(Figures.read(given=stood_in), given, as_json=asked.json, write=asked.write)
    except FigureMissing as error:
        sys.exit(str(error))


def _measure() -> None:
    from bench.capacity import probe

    figures = run_async(probe.measure())
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(before | figures, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _check(figures: Figures, given: Assumptions) -> None:
    from bench.capacity import check

    # First the prediction: nothing of the run may get into it.
    predicted = check.predict(figures, given)
    measured = run_async(check.measure())
    for name, said, seen in check.compare(predicted, measured):
        print(f"{name:<16} predicted {said:8.3f}  measured {seen:8.3f}  error {said / seen - 1:+.1%}")


def _show(figures: Figures, given: Assumptions, *, as_json: bool, write: bool) -> None:
    planned = [plan(size, figures, given) for size in SIZES]
    plans, found = [asdict(one) for one in planned], walls(figures, given)
    if write:
        page.write(planned, found)
    if as_json:
        ends = [{**asdict(one), "companies": None if one.companies == inf else one.companies} for one in found]
        print(json.dumps({"assumptions": asdict(given), "plans": plans, "walls": ends}, indent=2))
        return
    for name in plans[0]:
        print(f"{name:<26}" + "".join(f"{one[name]:>18,.6g}" for one in plans))
    for wall in found:
        ends_at = "never" if wall.companies == inf else f"{wall.companies:,.0f} companies"
        print(f"{wall.name}: {ends_at} ({wall.counted}). Moved by: {wall.moved_by}.")


if __name__ == "__main__":
    main(sys.argv[1:])
