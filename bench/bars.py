"""What each figure of `make bench` is to be, in one place, and whether it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Figures = Mapping[str, float | str]
SPREAD = "_aa_spread"
"""What names end with that say how far a floor was from itself; of the figure of the same name, or of a group's."""


class Holds(StrEnum):
    """Whether a bar is met. NOT_DECIDABLE: the figure is nearer to it than the floor was to itself."""

    YES = "yes"
    NO = "no"
    NOT_DECIDABLE = "not decidable here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bound of a figure. `ratio`: it has no unit. `spread`: the figure of what cannot be told apart."""

    limit: float
    at_most: bool = True
    ratio: bool = False
    spread: str | None = None

    @property
    def words(self) -> str:
        return f"{'at most' if self.at_most else 'at least'} {self.limit:g}"

    def holds(self, value: float, spread: float = 0.0) -> Holds:
        """Say whether a figure meets it; `spread`: as a share of 1."""
        if spread and abs(value - self.limit) <= self.limit * spread:
            return Holds.NOT_DECIDABLE
        return Holds.YES if (value <= self.limit if self.at_most else value >= self.limit) else Holds.NO

    def share(self, value: float) -> float:
        """Return the figure in terms of its bar: 1 is the bar itself, and more is better."""
        return (self.limit / value if value else float("inf")) if self.at_most else value / self.limit


def _at_least(limit: float, spread: str) -> Bar:
    return Bar(limit=limit, at_most=False, ratio=True, spread=spread)


def _ratio(limit: float, spread: str | None = None) -> Bar:
    return Bar(limit=limit, ratio=True, spread=spread)


_INTAKE = f"intake{SPREAD}"
_COMPANIES = "companies_10_vs_10000"
BARS: Mapping[str, Bar] = {
    "intake_vs_ok": _at_least(0.5, _INTAKE),
    "intake_vs_insert": _at_least(2.0, _INTAKE),
    "intake_vs_aiogram": _at_least(1.5, _INTAKE),
    "intake_vs_ptb": _at_least(2.0, _INTAKE),
    "intake_p99_vs_ok": _ratio(3.0, _INTAKE),
    "turn_cpu_ms": Bar(limit=12.0),
    "turn_floor_ratio": _ratio(2.0, f"turn_floor{SPREAD}"),
    **{
        f"{_COMPANIES}_{name}": _ratio(1.2, f"{_COMPANIES}_{name}{SPREAD}")
        for name in ("intake_rate", "intake_p99", "turn_rate", "turn_p99")
    },
    "rss_worker_mb": Bar(limit=400.0),
    "dialogues_1m": _ratio(1.5, f"dialogues{SPREAD}"),
    "scale_workers_1_2": _at_least(1.9, f"scale{SPREAD}"),
    "model_calls_plain_turn": Bar(limit=2.0),
    "model_calls_tool_turn": Bar(limit=4.0),
    "voice_own_p95_ms": Bar(limit=50.0),
}
SIMULATED = frozenset({"prompt_tokens_per_turn", "cached_share", "model_calls_plain_turn", "model_calls_tool_turn"})
"""A script stands in for the model, and its local server counts the tokens."""


def verdicts(figures: Figures) -> dict[str, Holds]:
    """Say of every figure that has a bar whether it holds."""
    found = {}
    for name, bar in BARS.items():
        value, spread = figures.get(name), figures.get(bar.spread or "", 0.0)
        if isinstance(value, float | int) and isinstance(spread, float | int):
            found[name] = bar.holds(value, spread)
    return found


def table(figures: Figures) -> str:
    """Write the figures, each with its bar and whether it holds, as lines."""
    found = verdicts(figures)
    rows = [("figure", "measured", "should be", "holds")]
    for name, value in figures.items():
        if name.endswith("_holds"):
            continue
        bar = BARS.get(name)
        shown = f"{value:,}" if isinstance(value, int) else f"{value}"
        mark = " (simulated)" if name in SIMULATED else ""
        rows.append((name + mark, shown, bar.words if bar else "", found.get(name, "")))
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )
