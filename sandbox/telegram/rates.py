"""How many messages Telegram takes. Bots FAQ, "My bot is hitting limits, how do I avoid this?": in a chat about one a
second, short bursts may pass; in a group 20 a minute; from a bot about 30 a second to all. Never a contract.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

from sandbox.telegram.state import Bot, Chat

GROUP_PER_MINUTE = 20


class TooManyMessages(Exception):
    """Refused; `retry_after` is in whole seconds, as Telegram tells it."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after}")
        self.retry_after = retry_after


@dataclass(slots=True, kw_only=True)
class _Bucket:
    """Holds `size` messages and is filled at `per_s`."""

    size: float
    per_s: float
    at: float
    held: float = field(init=False)

    def __post_init__(self) -> None:
        self.held = self.size

    def wait(self, now: float) -> float:
        """Return the seconds until one more is allowed; 0: now."""
        self.held = min(self.size, self.held + (now - self.at) * self.per_s)
        self.at = now
        return max(0.0, (1 - self.held) / self.per_s)


class Rates:
    """A chat takes a burst of messages, then about one a second; a group and a whole bot have limits of their own."""

    def __init__(
        self, *, chat_burst: int, chat_per_s: float, bot_per_s: float, group_per_minute: int = GROUP_PER_MINUTE
    ) -> None:
        self._chat = (float(chat_burst), chat_per_s)
        self._bot = (max(1.0, bot_per_s), bot_per_s)
        self._group = (float(group_per_minute), group_per_minute / 60)
        self._buckets: dict[tuple[int, ...], _Bucket] = {}

    def take(self, bot: Bot, chat: Chat) -> None:
        """Count one message. Raises TooManyMessages, which counts nothing."""
        now = asyncio.get_running_loop().time()
        buckets = [
            self._bucket((bot.id,), self._bot, now),
            self._bucket((bot.id, chat.user.id), self._chat if chat.type == "private" else self._group, now),
        ]
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > 0:
            raise TooManyMessages(math.ceil(wait))
        for bucket in buckets:
            bucket.held -= 1

    def _bucket(self, key: tuple[int, ...], limit: tuple[float, float], now: float) -> _Bucket:
        size, per_s = limit
        return self._buckets.setdefault(key, _Bucket(size=size, per_s=per_s, at=now))
