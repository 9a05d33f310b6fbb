"""How many messages Telegram takes, after its Bots FAQ, "My bot is hitting limits, how do I avoid this?"
(https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this): in a chat no more than one a second,
where short bursts may pass; in a group no more than 20 a minute; about 30 a second to all chats. These are no contract:
Telegram's `retry_after` goes above them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from db.limits import Budget
from handlers.base import SendLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramLimits:
    """By kind of chat, and for the bot as a whole."""

    private: Budget
    group: Budget
    bot: Budget

    def of_chat(self, chat_id: int) -> SendLimits:
        return SendLimits(chat=self.group if is_group(chat_id) else self.private, sender=self.bot)


# Within one `per` a budget lets `burst` and `rate` together through: 20 of the group's, 30 of the bot's.
LIMITS = TelegramLimits(
    # How short a short burst is the FAQ does not say: two replies of two pieces, and one more.
    private=Budget(rate=1, per=timedelta(seconds=1), burst=5),
    group=Budget(rate=15, per=timedelta(minutes=1), burst=5),
    bot=Budget(rate=25, per=timedelta(seconds=1), burst=5),
)


def is_group(chat_id: int) -> bool:
    """Say whether many people read the chat: Telegram gives groups negative ids."""
    return chat_id < 0
