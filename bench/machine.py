"""On what the figures were taken: no name and no date, but what makes them comparable or not."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

Context = dict[str, float | str]
_STEAL = 8
"""proc(5): the eighth time of the first line of /proc/stat, after the word; those of guests are in the first two."""


def observe() -> Callable[[], Context]:
    """Begin to observe; what is returned tells, when it is called, how the machine was since."""
    cores, before = len(os.sched_getaffinity(0)), _times()

    def told() -> Context:
        spent = [now - then for now, then in zip(_times(), before, strict=True)]
        return {
            "cores": cores,
            "python": platform.python_version(),
            "steal_percent": round(100 * spent[_STEAL - 1] / (sum(spent) or 1), 1),
        }

    return told


def _times() -> list[int]:
    """Return the machine's times by state, in ticks: user, nice, system, idle, iowait, irq, softirq, steal."""
    return [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1 : _STEAL + 1]]
