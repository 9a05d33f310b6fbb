"""Vendors' limits on calls, kept by all processes together; where they are used up, companies take turns.

A queue for each outgoing address and vendor. Each call gets a turn: one more than the company's last, and none below
the turn that is being served (start-time fair queueing, Goyal, Vin and Cheng 1996). So a company that asks for much
stands in a long line of its own, and one that asks now and then is served after one call of every other company that
waits. Whoever waits comes back when its turn is due; whoever does not come back (its process died) is passed over a
second later.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any, Protocol
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

log = structlog.get_logger()

LONGEST_WAIT = timedelta(seconds=10)
_PATIENCE_S = 0.5
_GRACE = timedelta(seconds=1)
"""So long after its moment whoever waits is taken for gone."""

# KEYS: queue (who waits, by turn), alive (who waits, by when they must be back), turns (each company's next), served
# (the turn reached), then a budget for each limit (GCRA: when the next call is due, as in ITU-T I.371).
# ARGV: now in microseconds or '' for the server's time, who asks, company, turns ahead, patience, grace, then interval
# and tolerance of each limit. Answers {1, 0} go, {0, wait} come back then, {-1, wait} it would be too long: not queued.
_ASK = """
local now = tonumber(ARGV[1])
if not now then
    local clock = redis.call('TIME')
    now = clock[1] * 1000000 + clock[2]
end
local queue, alive, turns, served, who = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[2]
local ahead = tonumber(ARGV[4])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', string.format('(%.0f', now))) do
    redis.call('ZREM', queue, gone)
    redis.call('ZREM', alive, gone)
end
local reached = tonumber(redis.call('GET', served) or 0)
local turn = tonumber(redis.call('ZSCORE', queue, who) or '')
if not turn then
    redis.call('ZREMRANGEBYSCORE', turns, '-inf', reached)
    local next_turn = math.max(reached, tonumber(redis.call('ZSCORE', turns, ARGV[3]) or 0))
    redis.call('ZADD', turns, next_turn + 1, ARGV[3])
    turn = next_turn - ahead
    redis.call('ZADD', queue, turn, who)
end
local place = redis.call('ZRANK', queue, who)
local wait = 0
local due = {}
for i = 5, #KEYS do
    local interval, tolerance = tonumber(ARGV[2 * i - 3]), tonumber(ARGV[2 * i - 2])
    due[i] = math.max(now, tonumber(redis.call('GET', KEYS[i]) or 0))
    wait = math.max(wait, due[i] + place * interval - tolerance - now)
end
local verdict = 0
if wait <= 0 then
    verdict = 1
    for i = 5, #KEYS do
        local after = due[i] + tonumber(ARGV[2 * i - 3])
        redis.call('SET', KEYS[i], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1000)
    end
    redis.call('SET', served, math.max(reached, turn))
elseif wait > tonumber(ARGV[5]) then
    verdict = -1
    redis.call('ZINCRBY', turns, -1, ARGV[3])
end
if verdict == 0 then
    redis.call('ZADD', alive, string.format('%.0f', now + wait + tonumber(ARGV[6])), who)
else
    redis.call('ZREM', queue, who)
    redis.call('ZREM', alive, who)
end
if redis.call('EXISTS', queue) == 0 then
    redis.call('DEL', turns, served)
else
    for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], 60000) end
end
return {verdict, math.ceil(wait)}
"""

_ASK_SHA = sha1(_ASK.encode(), usedforsecurity=False).hexdigest()


class VendorLimit(Protocol):
    """See crm.ports.Limit."""

    @property
    def name(self) -> str: ...

    @property
    def rate(self) -> int: ...

    @property
    def per(self) -> timedelta: ...

    @property
    def burst(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One call that wants to be made. `who` names it in the queue; of equal turns the lower name goes first."""

    who: str
    line: str
    company: str
    ahead: int
    limits: Sequence[VendorLimit]


@dataclass(frozen=True, slots=True)
class Turn:
    """`go`: the call is to be made now, and is counted. Else `wait`; not `queued`: it would be longer than allowed."""

    go: bool
    wait: timedelta = timedelta(0)
    queued: bool = True


class CrmPace:
    """See crm.ports.Pace. While Redis is away limits are open. `clock` None: Redis' own, the same for all hosts."""

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        *,
        longest_wait: timedelta = LONGEST_WAIT,
        clock: Callable[[], datetime] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._longest_wait = longest_wait
        self._clock = clock
        self._sleep = sleep
        self._process = uuid4().hex
        self._numbers = itertools.count()

    async def wait(self, limits: Sequence[VendorLimit], *, line: str, company: str, ahead: int) -> None:
        """Return in the company's turn. Raises TimeoutError past the longest wait, at once where that can be told."""
        ticket = self.ticket(limits, line=line, company=company, ahead=ahead)
        left, waiting = self._longest_wait, False
        try:
            while True:
                turn = await self.ask(ticket, patience=left)
                waiting = not turn.go and turn.queued
                if turn.go:
                    return
                if not turn.queued:
                    raise TimeoutError
                await self._sleep(turn.wait.total_seconds())
                left -= turn.wait
        finally:
            if waiting:
                await self._leave(ticket)

    def ticket(self, limits: Sequence[VendorLimit], *, line: str, company: str, ahead: int) -> Ticket:
        who = f"{next(self._numbers):012d}:{self._process}"
        return Ticket(who=who, line=line, company=company, ahead=ahead, limits=limits)

    async def ask(self, ticket: Ticket, *, patience: timedelta) -> Turn:
        """Ask for the ticket's turn, in one script; the first time puts it into the queue."""
        arguments: list[str | int] = [
            "" if self._clock is None else round(self._clock().timestamp() * 1_000_000),
            ticket.who,
            # Bookings have turns of their own: they must not stand behind the readings of their own company.
            f"{ticket.company}:{ticket.ahead}",
            ticket.ahead,
            _us(patience),
            _us(_GRACE),
        ]
        for limit in ticket.limits:
            interval = _us(limit.per / limit.rate)
            arguments += [interval, interval * (limit.burst - 1)]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                verdict, wait = await self._run(self._keys(ticket), arguments)
        except (RedisError, TimeoutError) as error:
            log.warning("limit_open", error=type(error).__name__)
            return Turn(True)
        return Turn(int(verdict) == 1, timedelta(microseconds=int(wait)), queued=int(verdict) >= 0)

    async def _run(self, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        try:
            answer: Any = self._redis.evalsha(_ASK_SHA, len(keys), *keys, *map(str, arguments))
            return await answer
        except NoScriptError:
            # Redis was restarted, or has not seen the script yet.
            answer = self._redis.eval(_ASK, len(keys), *keys, *map(str, arguments))
            return await answer

    async def _leave(self, ticket: Ticket) -> None:
        queue, alive, *_ = self._keys(ticket)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._redis.zrem(queue, ticket.who)
                await self._redis.zrem(alive, ticket.who)
        except (RedisError, TimeoutError) as error:
            log.warning("queue_not_left", error=type(error).__name__)

    def _keys(self, ticket: Ticket) -> list[str]:
        # The braces keep all keys of a script in one slot of a cluster.
        base = f"{self._prefix}pace:{{{ticket.line}}}:"
        queue = base + "+".join(limit.name for limit in ticket.limits)
        budgets = [f"{base}budget:{limit.name}" for limit in ticket.limits]
        return [f"{queue}:{part}" for part in ("queue", "alive", "turns", "served")] + budgets


def _us(time: timedelta) -> int:
    return time // timedelta(microseconds=1)
