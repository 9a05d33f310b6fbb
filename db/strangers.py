"""Who asks for what is not there: so many tries an address, counted in this process before the database is asked.

In memory, so that junk costs neither a query nor a round trip: each process allows its own tries, which bounds what an
address may make all of them do. Bounded itself: of the addresses that came last so many are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from db.limits import Budget

TRIES = Budget(rate=1, per=timedelta(seconds=1), burst=100)
"""A messenger's own address asks for many channels at once after a start, all of them known; whoever guesses is told to
wait after a hundred."""
MOST_ADDRESSES = 10_000


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class Strangers:
    """A budget of tries for each address (of IPv6, for each /64, which one person has whole)."""

    def __init__(self, clock: _Clock, *, tries: Budget = TRIES, most: int = MOST_ADDRESSES) -> None:
        self._clock = clock
        self._interval = tries.per / tries.rate
        self._tolerance = self._interval * (tries.burst - 1)
        self._most = most
        self._arrivals: OrderedDict[str, datetime] = OrderedDict()

    def try_once(self, address: str | None) -> timedelta | None:
        """Take one try. None: allowed; else how long to wait. Who has no address is not counted."""
        if address is None:
            return None
        key, now = _key(address), self._clock()
        arrival = max(self._arrivals.get(key, now), now)
        wait = arrival - self._tolerance - now
        if wait > timedelta(0):
            self._arrivals.move_to_end(key)
            return wait
        self._arrivals[key] = arrival + self._interval
        self._arrivals.move_to_end(key)
        if len(self._arrivals) > self._most:
            self._arrivals.popitem(last=False)
        return None

    def give_back(self, address: str | None) -> None:
        """Return the try of one who asked for what is there."""
        key = _key(address) if address is not None else ""
        if key in self._arrivals:
            self._arrivals[key] -= self._interval

    def __len__(self) -> int:
        return len(self._arrivals)


def _key(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(IPv6Address(int(found) >> 64 << 64))
    return address
