"""How many messages Meta takes: 80 a second from a number, and to one person one in six seconds, with a burst of 45
that is borrowed from what comes (Meta's pages on throughput and pair rate limits)."""

from __future__ import annotations

import time

from sandbox.whatsapp.errors import Refused
from sandbox.whatsapp.state import Chat, Number

_PAIR_EVERY_S = 6.0


class Rates:
    def __init__(self, *, pair_burst: int, number_per_s: float) -> None:
        self._pair_burst = pair_burst
        self._per_s = number_per_s
        self._pairs: dict[tuple[str, str], float] = {}
        self._numbers: dict[str, float] = {}

    def take(self, number: Number, chat: Chat) -> None:
        """Count one message. Raises Refused with the code of the limit that it breaks."""
        now = time.monotonic()
        due = max(self._numbers.get(number.id, 0.0), now - 1.0) + 1.0 / self._per_s
        if due > now:
            raise Refused(130429, "Cloud API message throughput has been reached")
        pair = (number.id, chat.person.user_id)
        borrowed = max(self._pairs.get(pair, 0.0), now) + _PAIR_EVERY_S
        if borrowed - now > self._pair_burst * _PAIR_EVERY_S:
            raise Refused(131056, "Too many messages sent to this person in a short time")
        self._numbers[number.id], self._pairs[pair] = due, borrowed
