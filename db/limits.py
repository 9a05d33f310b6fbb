"""Rates: GCRA in one Lua script over one Redis key, with the server's own time. While Redis is away limits are open,
but those that guard a secret."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha1
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

log = structlog.get_logger()

# The key holds the theoretical arrival time of the next call; a call is allowed while that lies within the burst's
# tolerance from now (GCRA, as in ITU-T I.371). Asked for several at once it grants as many as fit. Answers how many,
# and the microseconds until one more would be. The second key is the end of the queue: those who were refused and come
# back are told a moment each, one interval apart, or they would all come back at the same one.
_GCRA = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval = tonumber(ARGV[1])
local tolerance = interval * (tonumber(ARGV[2]) - 1)
local asked = tonumber(ARGV[3])
local arrival = tonumber(redis.call('GET', KEYS[1]) or now)
if arrival < now then arrival = now end
local granted = math.floor((now + tolerance - arrival) / interval) + 1
if granted < 0 then granted = 0 end
if granted > asked then granted = asked end
if granted > 0 then
    arrival = arrival + interval * granted
    redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
end
local wait = arrival - tolerance - now
if wait < 0 then wait = 0 end
if granted == 0 and ARGV[4] == '1' then
    local turn = math.max(now + wait, tonumber(redis.call('GET', KEYS[2]) or 0) + interval)
    wait = turn - now
    redis.call('SET', KEYS[2], string.format('%.0f', turn), 'PX', math.ceil(wait / 1000) + 1000)
end
return {granted, wait}
"""

# Puts the next allowed call off by a time, and what follows it to the steady rate: there is no burst after a pause.
_HOLD = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = now + tonumber(ARGV[3]) + tonumber(ARGV[1]) * (tonumber(ARGV[2]) - 1)
local arrival = math.max(held, tonumber(redis.call('GET', KEYS[1]) or 0))
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000) + 1000)
return 1
"""

_GCRA_SHA = sha1(_GCRA.encode(), usedforsecurity=False).hexdigest()
_PATIENCE_S = 0.5
"""A Redis that hangs opens the limits as one that is gone does."""


@dataclass(frozen=True, slots=True)
class Budget:
    """So many per time, and so many at once."""

    rate: int
    per: timedelta
    burst: int


@dataclass(frozen=True, slots=True)
class Ask:
    """So many of this key's budget. `queue`: whoever is refused comes back, so each is told a moment of their own.

    `strict`: nothing is allowed while Redis is away.
    """

    key: str
    count: int
    budget: Budget
    queue: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """How many were allowed of those asked for, and how long until one more would be."""

    granted: int
    wait: timedelta


class RateLimits:
    """Budgets by key, shared by all processes."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    async def take(self, asks: Sequence[Ask]) -> Sequence[Grant]:
        """Take from several budgets at once, as many as each allows, in one round trip."""
        calls = [
            (self._key(ask.key), _interval_us(ask.budget), ask.budget.burst, ask.count, int(ask.queue)) for ask in asks
        ]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answers = await self._run(calls)
        except (RedisError, TimeoutError) as error:
            log.warning("limit_open", error=type(error).__name__)
            return [Grant(0, ask.budget.per) if ask.strict else Grant(ask.count, timedelta(0)) for ask in asks]
        return [Grant(int(granted), timedelta(microseconds=int(wait))) for granted, wait in answers]

    async def _run(self, calls: Sequence[tuple[str, int, int, int, int]]) -> Sequence[Any]:
        answers = await self._pipelined("EVALSHA", _GCRA_SHA, calls)
        # Redis was restarted, or has not seen the script yet; of a Cluster one node may be so alone, and what the
        # others granted must not be granted twice.
        missed = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missed:
            again = await self._pipelined("EVAL", _GCRA, [calls[place] for place in missed])
            for place, answer in zip(missed, again, strict=True):
                answers[place] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def _pipelined(self, command: str, script: str, calls: Sequence[tuple[str, int, int, int, int]]) -> list[Any]:
        """Return an answer or an error for each call."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, *arguments in calls:
                # By its name: redis-py refuses `evalsha` in a Cluster's pipeline, although each call is one slot's.
                pipeline.execute_command(command, script, 2, key, f"{key}:queue", *map(str, arguments))
            return list(await pipeline.execute(raise_on_error=False))

    async def spend(self, key: str, budget: Budget, *, queue: bool = False, strict: bool = False) -> timedelta | None:
        """Take one. None: allowed; else how long to wait, in a queue of all who wait where `queue` says so.

        `strict`: what guards a secret, which nobody may try while Redis is away.
        """
        [grant] = await self.take([Ask(key, 1, budget, queue, strict)])
        return None if grant.granted else grant.wait

    async def hold(self, key: str, budget: Budget, time: timedelta) -> None:
        """Let nothing through for `time` from now on, whoever asks. A longer hold stands. Never raises."""
        arguments = (_interval_us(budget), budget.burst, time // timedelta(microseconds=1))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer: Any = self._redis.eval(_HOLD, 1, self._key(key), *map(str, arguments))
                await answer
        except (RedisError, TimeoutError) as error:
            log.warning("limit_not_held", error=type(error).__name__)

    def _key(self, key: str) -> str:
        # The braces keep a budget and its queue in one slot of a cluster.
        return f"{self._prefix}rate:{{{key}}}"


def _interval_us(budget: Budget) -> int:
    return round(budget.per / budget.rate / timedelta(microseconds=1))
