"""The sign that an answer is being written, for as long as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.tasks import end
from db.records import Channel, Dialogue
from handlers.base import ChannelDispatch
from orchestration.messages import Message


@asynccontextmanager
async def showing_typing(
    dispatch: ChannelDispatch, channel: Channel, dialogue: Dialogue, message: Message
) -> AsyncIterator[None]:
    """Show it now, and again before the messenger would take it away, until the block ends. Never raises for it."""
    await dispatch.show_typing(channel, dialogue, message)
    if dispatch.typing_lasts is None:
        yield
        return
    showing = asyncio.create_task(_again(dispatch, channel, dialogue, message, dispatch.typing_lasts * 0.8))
    try:
        yield
    finally:
        await end(showing)


async def _again(
    dispatch: ChannelDispatch, channel: Channel, dialogue: Dialogue, message: Message, every: timedelta
) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        await dispatch.show_typing(channel, dialogue, message)
