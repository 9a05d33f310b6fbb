"""Topics of a staff group, one a client (Bot API: createForumTopic; the bot must be an administrator of the group with
can_manage_topics)."""

from __future__ import annotations

from datetime import timedelta

import structlog
from aiogram.exceptions import AiogramError, TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter

from db.records import Channel
from handlers.base import DeliveryDelayed, Flooded
from handlers.telegram.bots import Bots
from handlers.telegram.limits import is_group

log = structlog.get_logger()

_LONGEST_NAME = 128
"""Bot API, createForumTopic: 1-128 characters."""
_LIMIT_S = 10


class TelegramRooms:
    def __init__(self, bots: Bots) -> None:
        self._bots = bots

    async def open_topic(self, channel: Channel, chat: str, name: str) -> int | None:
        """Make a topic in a staff chat; None where it has none, or the bot may make none: it is all one chat then.

        Raises DeliveryDelayed where Telegram cannot be asked now.
        """
        chat_id = int(chat)
        if not is_group(chat_id):
            return None
        try:
            made = await self._bots.get(channel).create_forum_topic(
                chat_id, name[:_LONGEST_NAME], request_timeout=_LIMIT_S
            )
        except (TelegramBadRequest, TelegramForbiddenError) as error:
            log.info("topic_not_made", error=error.message)
            return None
        except TelegramRetryAfter as error:
            raise Flooded(timedelta(seconds=error.retry_after), everyone=False) from error
        except AiogramError as error:
            raise DeliveryDelayed(type(error).__name__) from error
        return made.message_thread_id
