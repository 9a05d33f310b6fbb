"""Small sums are paid without asking: a key that takes little of its budget is allowed by the process itself.

A budget in Redis is shared by all processes and costs a command; most companies never come near theirs. So each process
may grant a fiftieth of any budget by itself, and asks Redis for what goes beyond. What is granted so is not told to
Redis: with ten processes a key may get a fifth more than its budget, and what floods is counted as before.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from db.limits import Ask

SHARE = 50
MOST_KEYS = 20_000


class PettyCash:
    """GCRA by key within one process (see db/limits.py). `now`: seconds of a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._arrivals: OrderedDict[str, float] = OrderedDict()

    def covers(self, ask: Ask) -> bool:
        """Pay all that is asked for, or nothing. A budget that is too small for a share is always asked for."""
        burst = ask.budget.burst // SHARE
        if ask.strict or burst < ask.count:
            return False
        interval = ask.budget.per.total_seconds() / ask.budget.rate * SHARE
        now = self._now()
        arrival = max(self._arrivals.get(ask.key, now), now) + interval * ask.count
        if arrival - now > interval * burst:
            return False
        self._arrivals[ask.key] = arrival
        self._arrivals.move_to_end(ask.key)
        if len(self._arrivals) > MOST_KEYS:
            self._arrivals.popitem(last=False)
        return True
