"""Whether something grows: a line by least squares, and a rule that a noisy plateau does not meet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import linear_regression, median

Points = Sequence[tuple[float, float]]
"""Moments, in seconds, and what was found then."""
_PARTS = 4
_HOUR_S = 3600


def per_hour(points: Points) -> float:
    """Return the slope of the least squares' line, in units an hour; 0 for less than two moments."""
    moments = [at for at, _ in points]
    if len(set(moments)) < 2:
        return 0.0
    return linear_regression(moments, [found for _, found in points]).slope * _HOUR_S


def grows(points: Points, *, share: float, least: float) -> bool:
    """Say whether it grows steadily: the median of each quarter of the time lies over that of the quarter before, and
    the last over the first by more than `share` of it and by more than `least`. Fewer than eight points never do."""
    if len(points) < 2 * _PARTS:
        return False
    cuts = [len(points) * part // _PARTS for part in range(_PARTS + 1)]
    middles = [median(found for _, found in points[begin:end]) for begin, end in pairwise(cuts)]
    risen = middles[-1] - middles[0]
    return all(later > earlier for earlier, later in pairwise(middles)) and risen > max(share * middles[0], least)
