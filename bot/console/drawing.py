"""Small pictures of days, drawn as SVG without a library: bars on each other, or lines. Styles are the pages' own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 340, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 6, 8, 22
_INNER_W, _INNER_H = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_BAR = 0.72
_WIDEST_BAR = 26.0
_NAMES = 5
_LINES = 3
_FEWEST_PLACES = 7
"""A day alone is a bar among others that are not there, not a wall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One thing over the days; None: there is nothing to show of that day. `tone` is a class of the style sheet."""

    name: str
    tone: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    top: float
    say: Callable[[float], str]

    def y(self, value: float) -> float:
        return _TOP + _INNER_H * (1 - min(value / self.top, 1))

    def lines(self) -> Markup:
        drawn = []
        for step in range(_LINES + 1):
            value = self.top * step / _LINES
            y = f"{self.y(value):.1f}"
            drawn.append(
                Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"></line>').format(
                    _LEFT, _WIDTH - _RIGHT, y, y
                )
                + Markup(
                    '<text class="axis" x="{}" y="{}" text-anchor="end" dominant-baseline="middle">{}</text>'
                ).format(_LEFT - 5, y, self.say(value))
            )
        return Markup("").join(drawn)


def bars(
    days: Sequence[str], series: Sequence[Series], *, label: str, say: Callable[[float], str] | None = None
) -> Markup:
    """Draw a bar a day, the series on each other. `days`: each day's name; `label`: what the picture shows."""
    totals = [sum(one.values[place] or 0 for one in series) for place in range(len(days))]
    axis = _Axis(top=nice_top(max(totals, default=0)), say=say or _number)
    width = min(_step(days) * _BAR, _WIDEST_BAR)
    drawn = [axis.lines()]
    for place, day in enumerate(days):
        reached = 0.0
        for one in series:
            value = one.values[place] or 0
            if not value:
                continue
            top, bottom = axis.y(reached + value), axis.y(reached)
            drawn.append(
                Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
                    one.tone,
                    f"{_x(days, place) - width / 2:.1f}",
                    f"{top:.1f}",
                    f"{width:.1f}",
                    f"{bottom - top:.1f}",
                    f"{day}, {one.name}: {axis.say(value)}",
                )
            )
            reached += value
    return _picture(label, [*drawn, _dates(days)])


def lines(
    days: Sequence[str],
    series: Sequence[Series],
    *,
    label: str,
    top: float | None = None,
    say: Callable[[float], str] | None = None,
) -> Markup:
    """Draw a line for each series; a day without a value breaks it. `top`: where the axis ends, if that is known."""
    highest = max((value for one in series for value in one.values if value is not None), default=0)
    axis = _Axis(top=top or nice_top(highest), say=say or _number)
    drawn = [axis.lines()]
    for one in series:
        path, pen_down = [], False
        for place, value in enumerate(one.values):
            if value is None:
                pen_down = False
                continue
            x, y = f"{_x(days, place):.1f}", f"{axis.y(value):.1f}"
            path.append(f"{'L' if pen_down else 'M'}{x} {y}")
            pen_down = True
            told = f"{days[place]}, {one.name}: {axis.say(value)}"
            drawn.append(
                Markup('<circle class="{} dot" cx="{}" cy="{}" r="2.4"><title>{}</title></circle>').format(
                    one.tone, x, y, told
                )
            )
        if path:
            drawn.append(Markup('<path class="{} line" d="{}"></path>').format(one.tone, "".join(path)))
    return _picture(label, [*drawn, _dates(days)])


def nice_top(highest: float) -> float:
    """Return a round number that is no lower: three parts of it are round too."""
    if highest <= _LINES:
        return float(_LINES) if highest > 1 or highest == 0 else 1.2
    size = 10.0 ** math.floor(math.log10(highest))
    return next(size * factor for factor in (1.2, 1.5, 1.8, 2.4, 3, 4.5, 6, 9, 12) if size * factor >= highest)


def _picture(label: str, parts: Sequence[Markup]) -> Markup:
    return (
        Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, _HEIGHT, label)
        + Markup("").join(parts)
        + Markup("</svg>")
    )


def _dates(days: Sequence[str]) -> Markup:
    """Name as many days as there is room for, the last one always."""
    step = max(1, -(-len(days) // _NAMES))
    named = range(len(days) - 1, -1, -step)
    return Markup("").join(
        Markup('<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            f"{_x(days, place):.1f}", _HEIGHT - 6, escape(days[place])
        )
        for place in named
    )


def _step(days: Sequence[str]) -> float:
    return _INNER_W / max(len(days), _FEWEST_PLACES)


def _x(days: Sequence[str], place: int) -> float:
    spare = (_FEWEST_PLACES - len(days)) * _step(days) / 2 if len(days) < _FEWEST_PLACES else 0
    return _LEFT + spare + _step(days) * (place + 0.5)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"
