"""The pace of a messenger, kept by all processes together, so that it never has to refuse: what is over it rests."""

from __future__ import annotations

from datetime import timedelta

from db.limits import RateLimits
from db.records import Channel, DialogueId
from handlers.base import Paced, SendLimits


class SendPace:
    """Budgets by chat and by sender. While Redis is away they are open, and the messenger itself says when to rest."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    async def take(self, channel: Channel, dialogue_id: DialogueId, limits: SendLimits | None) -> None:
        """Count one message. Raises Paced with the time until there is room for it. `limits` None: there is."""
        if limits is None:
            return
        # The chat first: what a full chat is refused must not be taken from the sender's other chats.
        wait = await self._limits.spend(_chat(dialogue_id), limits.chat)
        if wait is None:
            wait = await self._limits.spend(_sender(channel), limits.sender, queue=True)
        if wait is not None:
            raise Paced(wait)

    async def hold(
        self, channel: Channel, dialogue_id: DialogueId, limits: SendLimits | None, time: timedelta, *, everyone: bool
    ) -> None:
        """Send nothing into the chat for a time, whatever is put there; `everyone`: into no chat of this sender."""
        if limits is None:
            return
        await self._limits.hold(_chat(dialogue_id), limits.chat, time)
        if everyone:
            await self._limits.hold(_sender(channel), limits.sender, time)


def _chat(dialogue_id: DialogueId) -> str:
    return f"chat:{dialogue_id}"


def _sender(channel: Channel) -> str:
    """Name the bot or number as its messenger knows it: two companies may have the same one."""
    return f"sender:{channel.type.value}:{channel.external_id}"
