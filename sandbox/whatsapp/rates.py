"""How many messages Meta takes: 80 a second from a number, and to one person one in six seconds, with a burst of 45
that is borrowed from what comes (Meta's pages on throughput and pair rate limits).

Not verified with Meta: whether what was borrowed only counts against the next burst (the default here), or whether
nothing at all goes to that person until it is paid back: its page says that after a burst of 20 one waits two minutes.
`pair_rests` is that reading. Meta counts incoming messages in the throughput too; here only outgoing ones are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sandbox.whatsapp.errors import Refused
from sandbox.whatsapp.state import Number, Person

_PAIR_EVERY_S = 6.0


@dataclass(slots=True)
class _Pair:
    """One number's messages to one person. `paid_at`: when nothing is borrowed any more."""

    burst_at: float
    paid_at: float


class Rates:
    """Off for tests of other things: a `pair_burst` and a `number_per_s` that nobody reaches."""

    def __init__(self, *, pair_burst: int, number_per_s: float, pair_rests: bool) -> None:
        self._pair_burst = pair_burst
        self._per_s = number_per_s
        self._rests = pair_rests
        self._pairs: dict[tuple[str, str], _Pair] = {}
        self._numbers: dict[str, float] = {}

    def take(self, number: Number, person: Person) -> None:
        """Count one message. Raises Refused, which counts nothing, with the code of the limit that it breaks."""
        now = time.monotonic()
        due = max(self._numbers.get(number.id, 0.0), now - 1.0) + 1.0 / self._per_s
        if due > now:
            raise Refused(130429, "Cloud API message throughput has been reached")
        key = (number.id, person.user_id or person.wa_id or "")
        pair = self._pairs.get(key)
        if pair is None or pair.paid_at <= now:
            pair = _Pair(burst_at=now, paid_at=now)
        is_burst_over = now - pair.burst_at >= _PAIR_EVERY_S
        borrowed = (pair.paid_at - now) / _PAIR_EVERY_S
        if borrowed + 1 > self._pair_burst or (self._rests and is_burst_over and borrowed > 0):
            raise Refused(131056, "Too many messages sent to this person in a short time")
        pair.paid_at += _PAIR_EVERY_S
        self._numbers[number.id], self._pairs[key] = due, pair
