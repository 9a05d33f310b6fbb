"""Which CRM accounts are left in peace, kept in Redis for all processes. While Redis is away, none is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

FAILURES = 5
"""So many in a row, with no success between, open the breaker ..."""
APART = timedelta(minutes=1)
"""... no two of them further apart than this ..."""
AT_LEAST = timedelta(seconds=5)
"""... and the first of them so long ago: calls are made side by side, and a blip fails all of them at once."""
PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=5)
TRIAL = timedelta(seconds=40)
"""Who makes the trial and dies keeps the others waiting for so long: the longest that a write may take."""
REFUSED_FOR = timedelta(minutes=1)
_FORGOTTEN_AFTER = timedelta(hours=1)
_PATIENCE_S = 0.5

# KEYS: the account's state, the operation's refusal. ARGV: now, whether this is a proof, a trial's length (ms).
# Answers {0, is anything kept}, {1, ms to rest} or {2, ms refused}.
_ADMIT = """
local now = tonumber(ARGV[1])
local refused = tonumber(redis.call('GET', KEYS[2]) or 0)
if refused > now then return {2, refused - now} end
local kept = redis.call('HMGET', KEYS[1], 'open_until', 'trial_until')
local opened, trial = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
if opened == 0 then return {0, redis.call('EXISTS', KEYS[1])} end
if trial > now or (opened > now and ARGV[2] ~= '1') then return {1, math.max(opened, trial) - now} end
redis.call('HSET', KEYS[1], 'trial_until', now + tonumber(ARGV[3]))
return {0, 1}
"""

# KEYS: the account's state. ARGV: now, failures, apart, at least, pause, longest pause, forgotten after (ms).
# Answers the pause that begins now, 0 where none does. A failure while the account rests is a proof's, or a call's that
# was under way: the pause stays as it is. One after the pause is the trial's.
_FAILED = """
local now, longest = tonumber(ARGV[1]), tonumber(ARGV[6])
local kept = redis.call('HMGET', KEYS[1], 'open_until', 'pause', 'failures', 'first', 'latest')
local opened, pause = tonumber(kept[1] or 0), 0
if opened > now then
    redis.call('HSET', KEYS[1], 'trial_until', 0)
    return 0
elseif opened > 0 then
    pause = math.min(longest, 2 * tonumber(kept[2]))
else
    local failures, first, latest = tonumber(kept[3] or 0), tonumber(kept[4] or 0), tonumber(kept[5] or 0)
    if now - latest > tonumber(ARGV[3]) then failures, first = 0, now end
    redis.call('HSET', KEYS[1], 'failures', failures + 1, 'first', first, 'latest', now)
    if failures + 1 >= tonumber(ARGV[2]) and now - first >= tonumber(ARGV[4]) then pause = tonumber(ARGV[5]) end
end
if pause > 0 then redis.call('HSET', KEYS[1], 'open_until', now + pause, 'pause', pause, 'trial_until', 0) end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[7]))
return pause
"""

_SUCCEEDED = """
local opened = redis.call('HGET', KEYS[1], 'open_until')
redis.call('DEL', KEYS[1])
return opened and 1 or 0
"""


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """See crm.ports.Admission."""

    resting: timedelta | None = None
    refused: timedelta | None = None
    clean: bool = True


class CrmBreaker:
    """One breaker for each account. Times are the hosts' own: they may differ by seconds, a pause lasts longer."""

    def __init__(self, redis: Redis, prefix: str, clock: _Clock) -> None:
        self._redis = redis
        self._prefix = prefix
        self._clock = clock

    async def admit(self, account: str, operation: str, *, proof: bool) -> Admission:
        """Say whether a call may be made. After a pause one caller is let through as the trial, a proof before that."""
        keys = (self._key(account), self._key(account, operation))
        answer = await self._run(_ADMIT, keys, (self._now(), int(proof), _ms(TRIAL)))
        if answer is None:
            return Admission()
        verdict, value = int(answer[0]), int(answer[1])
        if verdict == 0:
            return Admission(clean=value == 0)
        wait = timedelta(milliseconds=value)
        return Admission(resting=wait) if verdict == 1 else Admission(refused=wait)

    async def succeeded(self, account: str) -> None:
        """Forget all that stood against the account."""
        if await self._run(_SUCCEEDED, (self._key(account),), ()):
            log.info("crm_answers_again", account=account)

    async def failed(self, account: str) -> None:
        """Count a failure; it may begin a pause."""
        times = (APART, AT_LEAST, PAUSE, LONGEST_PAUSE, LONGEST_PAUSE + _FORGOTTEN_AFTER)
        pause = await self._run(_FAILED, (self._key(account),), (self._now(), FAILURES, *map(_ms, times)))
        if pause:
            log.warning("crm_left_in_peace", account=account, seconds=int(pause) / 1000)

    async def refused(self, account: str, operation: str) -> None:
        """Keep the operation from being asked for a minute."""
        until = self._now() + _ms(REFUSED_FOR)
        await self._bounded(self._redis.set(self._key(account, operation), until, px=REFUSED_FOR))

    async def find_rest(self, account: str) -> timedelta | None:
        """Return how long the account is left in peace still; None: it is not."""
        until = await self._bounded(self._redis.hget(self._key(account), "open_until"))
        left = int(until) - self._now() if until else 0
        return timedelta(milliseconds=left) if left > 0 else None

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[int]) -> Any:
        return await self._bounded(self._redis.eval(script, len(keys), *keys, *map(str, arguments)))

    async def _bounded(self, asking: Any) -> Any:
        """Return Redis' answer; None where there is none in time."""
        answer: Awaitable[Any] = asking
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await answer
        except (RedisError, TimeoutError) as error:
            log.warning("breaker_closed", error=type(error).__name__)
            return None

    def _now(self) -> int:
        return round(self._clock().timestamp() * 1000)

    def _key(self, account: str, operation: str | None = None) -> str:
        # The braces keep an account's keys in one slot of a cluster.
        return f"{self._prefix}breaker:{{{account}}}" + (f":{operation}" if operation else "")


def _ms(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)
