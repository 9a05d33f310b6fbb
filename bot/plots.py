"""The days of `ai-admin stats` as a picture: small panels over one axis of days.

matplotlib is the extra `plots`, loaded here alone: nothing that serves clients needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.figures import Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT = "#2b2b2b", "#d9d9d9"
_BLUE, _GREEN, _AMBER, _RED, _VIOLET, _GREY = "#3b6fb6", "#4c9f70", "#e0a030", "#c8553d", "#8064a2", "#9a9a9a"
_BAR = 0.8
Days = Sequence[float]
"""As numbers: matplotlib's own types leave out dates."""
_MICROUSD = 1_000_000
_NAMES, _FEWEST = 8, 5
"""How many days have room for their names, and how many a panel is made for at least."""
_MANY = 31
"""Beyond so many days a mark for each is only noise."""


class PlotsMissing(Exception):
    """matplotlib is not installed; the message says how to get it."""


def draw(daily: Mapping[date, Figures], *, title: str, path: Path) -> None:
    """Write a PNG of the days, of which there is one at least. Raises PlotsMissing, and OSError where that fails."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotsMissing("--plot needs matplotlib, the extra `plots`: pip install 'matplotlib>=3.10,<4'") from error
    days = sorted(daily)
    figures = [daily[day] for day in days]
    # Not by pyplot: that keeps every figure it makes, and looks for a screen.
    sheet = Figure(figsize=(12, 9), dpi=120, layout="constrained")
    panels = sheet.subplots(len(_PANELS) // 2, 2, sharex=True).flat
    numbers = [float(day.toordinal()) for day in days]
    for axes, (name, unit, panel) in zip(panels, _PANELS, strict=True):
        panel(axes, numbers, figures)
        _dress(axes, name, unit)
        _date(axes, numbers, days)
    sheet.get_layout_engine().set(w_pad=0.15, h_pad=0.12)  # type: ignore[union-attr, call-arg]
    sheet.suptitle(_heading(title, days), fontsize=14, color=_INK, x=0.01, ha="left")
    sheet.savefig(path, format="png")


def _messages(axes: Axes, days: Days, figures: Sequence[Figures]) -> None:
    axes.bar(days, [one.messages for one in figures], width=_BAR, color=_BLUE, label="messages")
    axes.plot(days, [one.dialogues for one in figures], color=_AMBER, **_marks(days), label="dialogues")


def _bookings(axes: Axes, days: Days, figures: Sequence[Figures]) -> None:
    made, moved = [one.booked for one in figures], [one.moved for one in figures]
    both = [one + other for one, other in zip(made, moved, strict=True)]
    axes.bar(days, made, width=_BAR, color=_GREEN, label="booked")
    axes.bar(days, moved, width=_BAR, bottom=made, color=_BLUE, label="moved")
    axes.bar(days, [one.cancelled for one in figures], width=_BAR, bottom=both, color=_GREY, label="cancelled")


def _answers(axes: Axes, days: Days, figures: Sequence[Figures]) -> None:
    for share, color, name in ((0.95, _RED, "p95"), (0.5, _BLUE, "p50")):
        times = [one.answered_within(share) for one in figures]
        seconds = [float("nan") if time is None else time.total_seconds() for time in times]
        axes.plot(days, seconds, color=color, **_marks(days), label=name)


def _handed(axes: Axes, days: Days, figures: Sequence[Figures]) -> None:
    axes.bar(days, [_percent(one.handed_share) for one in figures], width=_BAR, color=_AMBER)


def _success(axes: Axes, days: Days, figures: Sequence[Figures]) -> None:
    shares: Sequence[tuple[str, str, Callable[[Figures], float | None]]] = (
        (_VIOLET, "tool calls", lambda one: one.tool_success),
        (_GREEN, "writes to the CRM", lambda one: one.write_success),
    )
    for color, name, share in shares:
        axes.plot(days, [_percent(share(one)) for one in figures], color=color, **_marks(days), label=name)


def _cost(axes: Axes, days: Days, figures: Sequence[Figures]) -> None:
    axes.bar(days, [one.cost_microusd / _MICROUSD for one in figures], width=_BAR, color=_VIOLET)


_PANELS: Sequence[tuple[str, str, Callable[[Axes, Days, Sequence[Figures]], None]]] = (
    ("Messages of clients and dialogues", "a day", _messages),
    ("Bookings by the agent", "a day", _bookings),
    ("Answer time", "seconds", _answers),
    ("Dialogues handed to people", "% of the day's", _handed),
    ("Success", "% of the day's", _success),
    ("Cost of the model", "US dollars a day (UTC)", _cost),
)
_IN_PERCENT = ("Dialogues handed to people", "Success")


def _dress(axes: Axes, name: str, unit: str) -> None:
    """Give a panel its title, its unit and its quiet lines."""
    axes.set_title(name, loc="left", fontsize=11, color=_INK)
    axes.set_ylabel(unit, fontsize=9, color=_INK)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=_FAINT, linewidth=0.8)
    axes.tick_params(labelsize=9, colors=_INK, length=0)
    axes.spines[:].set_visible(False)
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(_FAINT)
    if name in _IN_PERCENT:
        axes.set_ylim(0, 105)
        axes.set_yticks([0, 25, 50, 75, 100])
    else:
        top = axes.get_ylim()[1]
        axes.set_ylim(0, top * 1.05 if axes.dataLim.y1 > 0 else 1)
        if unit == "a day":
            axes.yaxis.get_major_locator().set_params(integer=True)  # type: ignore[call-arg]
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)


def _date(axes: Axes, numbers: Days, days: Sequence[date]) -> None:
    """Name as many days as there is room for, the last one always."""
    step = -(-len(days) // _NAMES)
    named = range(len(days) - 1, -1, -step)
    axes.set_xticks([numbers[place] for place in named], [f"{days[place].day} {days[place]:%b}" for place in named])
    axes.tick_params(axis="x", labelbottom=True)
    # A day alone is a bar among others that are not there, not a wall.
    spare = max(0.6, (_FEWEST - len(days)) / 2)
    axes.set_xlim(numbers[0] - spare, numbers[-1] + spare)


def _heading(title: str, days: Sequence[date]) -> str:
    first, last = (f"{day.day} {day:%B %Y}" for day in (days[0], days[-1]))
    return f"{title}: what the agent did, {first if first == last else f'{first} – {last}'}"


def _marks(days: Days) -> dict[str, Any]:
    return {"marker": "o", "markersize": 4} if len(days) <= _MANY else {}


def _percent(share: float | None) -> float:
    return float("nan") if share is None else share * 100
