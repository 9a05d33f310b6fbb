"""How much one client may ask of us. Applied after storing: what is too much is kept as history and not answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import Enum

from db.limits import Ask, Budget, RateLimits
from db.records import DialogueId
from orchestration.messages import Message

_TELL_EVERY = timedelta(minutes=1)


class Verdict(Enum):
    ANSWER = "answer"
    TELL = "tell"
    """Too much, for the first time in a while: the client is told so."""
    KEEP = "keep"
    """Too much, and told already."""


class ClientThrottle:
    """So many messages a minute from one client; Redis away: no limit."""

    def __init__(self, limits: RateLimits, *, per_minute: int) -> None:
        self._limits = limits
        self._budget = Budget(rate=per_minute, per=timedelta(minutes=1), burst=per_minute)

    async def judge(self, dialogue_id: DialogueId, messages: Sequence[Message]) -> Verdict:
        """Count a turn's messages and say what becomes of it.

        A pressed button and a shared contact always pass: they answer a question of ours, and code reads them.
        """
        if any(message.action is not None or message.proved_phone is not None for message in messages):
            return Verdict.ANSWER
        [grant] = await self._limits.take([Ask(f"client:{dialogue_id}", len(messages), self._budget)])
        if grant.granted > 0:
            return Verdict.ANSWER
        told = await self._limits.spend(f"client-told:{dialogue_id}", Budget(rate=1, per=_TELL_EVERY, burst=1))
        return Verdict.TELL if told is None else Verdict.KEEP
