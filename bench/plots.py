"""The plots of docs/performance.md, drawn by `make bench` from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from bench.bars import BARS, Figures, Holds, verdicts

RATIOS, STAGES = "performance-ratios.svg", "performance-turn.svg"
STAGE = "turn_stage_"
"""What names begin with that say where a turn's time went; they end with _ms."""
_INK, _FAINT = "#2b2b2b", "#d9d9d9"
_COLORS = {Holds.YES: "#4c9f70", Holds.NO: "#c8553d", Holds.NOT_DECIDABLE: "#9a9a9a"}
_BLUE = "#3b6fb6"


def draw(figures: Figures, folder: Path) -> Sequence[Path]:
    """Write the plots for which there are figures into the folder; return them. The same figures make the same files"""
    drawn = [draw_one(figures, folder) for draw_one in (_ratios, _stages)]
    return [path for path in drawn if path is not None]


def _ratios(figures: Figures, folder: Path) -> Path | None:
    """Draw each ratio in terms of its bar: right of the line is better than asked for."""
    found = verdicts(figures)
    rows = [
        (name, BARS[name], float(figures[name]), found[name]) for name in BARS if name in found and BARS[name].ratio
    ]
    if not rows:
        return None
    sheet = Figure(figsize=(9, 1.2 + 0.36 * len(rows)), layout="constrained")
    axes = sheet.subplots()
    places = range(len(rows) - 1, -1, -1)
    shares = [min(max(bar.share(value), 0.01), 100.0) for _, bar, value, _ in rows]
    axes.axvline(1, color=_INK, linewidth=1)
    for place, share, (_, bar, value, holds) in zip(places, shares, rows, strict=True):
        axes.plot([1, share], [place, place], color=_COLORS[holds], linewidth=2)
        axes.plot([share], [place], marker="o", color=_COLORS[holds])
        words = f"{value:g} ({bar.words}): {holds}"
        side = "right" if share < 1 else "left"
        axes.annotate(
            words, (share, place), xytext=(-8 if share < 1 else 8, 0), textcoords="offset points", va="center", ha=side,
            fontsize=8, color=_INK,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(min(shares) / 20, max(*shares, 1.0) * 20)
    axes.set_xticks([])
    axes.minorticks_off()
    axes.set_yticks(list(places), [name for name, *_ in rows], fontsize=9, color=_INK)
    axes.set_title("Figure against bar: right of the line is better than it has to be", loc="left", fontsize=11)
    _quiet(axes.spines)
    return _written(sheet, folder / RATIOS)


def _stages(figures: Figures, folder: Path) -> Path | None:
    """Draw where a turn's time goes, by stage."""
    stages = [
        (name.removeprefix(STAGE).removesuffix("_ms"), float(value))
        for name, value in figures.items()
        if name.startswith(STAGE)
    ]
    if not stages:
        return None
    stages.sort(key=lambda one: one[1])
    sheet = Figure(figsize=(9, 1 + 0.36 * len(stages)), layout="constrained")
    axes = sheet.subplots()
    bars = axes.barh([name for name, _ in stages], [took for _, took in stages], color=_BLUE)
    axes.bar_label(bars, fmt="%.1f ms", padding=4, fontsize=8)
    axes.set_xticks([])
    axes.set_title("Where a turn's time goes at half load, mean, vendors' time included", loc="left", fontsize=11)
    _quiet(axes.spines)
    return _written(sheet, folder / STAGES)


def _quiet(spines: matplotlib.spines.Spines) -> None:
    spines[:].set_visible(False)
    spines["left"].set_visible(True)
    spines["left"].set_color(_FAINT)


def _written(sheet: Figure, path: Path) -> Path:
    with matplotlib.rc_context({"svg.hashsalt": path.name}):
        sheet.savefig(path, format="svg", metadata={"Date": None})
    return path
