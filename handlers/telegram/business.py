"""Telegram Business: a bot that its owner has connected answers the owner's own chats, in the owner's name (Bot API:
BusinessConnection, Update.business_message).

What the owner writes there comes by the same updates as what clients write: a person has taken the dialogue over.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BusinessConnection, Message

from orchestration.ports import Clock

log = structlog.get_logger()

_KEPT_FOR = timedelta(minutes=5)
_MOST = 10_000


class BusinessConnections:
    """Who the owner of a connection is, and whether the bot may answer for them; kept for minutes, a bounded number."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[int, str], tuple[datetime, BusinessConnection | None]] = OrderedDict()

    async def is_owners(self, message: Message, bot: Bot) -> bool:
        """Say whether the owner wrote this with their own hands. Raises what Telegram's outage raises."""
        if message.from_user is None or message.sender_business_bot is not None:
            return False
        connection = await self._find(bot, message.business_connection_id or "")
        return connection is not None and message.from_user.id == connection.user.id

    async def may_answer(self, message: Message, bot: Bot) -> bool:
        """Say whether this is a client's message that the bot may answer. Raises what Telegram's outage raises."""
        connection = await self._find(bot, message.business_connection_id or "")
        if connection is None or not connection.is_enabled:
            return False
        if connection.rights is None or not connection.rights.can_reply:
            log.info("business_chat_not_answered", reason="the owner has not let the bot reply")
            return False
        return message.from_user is not None and message.from_user.id != connection.user.id

    def forget(self, bot: Bot, connection_id: str) -> None:
        """The owner has changed the connection."""
        self._known.pop((bot.id, connection_id), None)

    async def _find(self, bot: Bot, connection_id: str) -> BusinessConnection | None:
        key = (bot.id, connection_id)
        known = self._known.get(key)
        if known is not None and known[0] > self._clock():
            return known[1]
        try:
            found = await bot.get_business_connection(connection_id)
        except TelegramBadRequest as error:
            log.info("business_connection_unknown", error=error.message)
            found = None
        self._known[key] = (self._clock() + _KEPT_FOR, found)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
        return found
