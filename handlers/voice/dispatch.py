"""The worker's half of a telephone channel: what was stored of a call is a Message already."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from pydantic import ValidationError

from db.records import Channel, ChannelType, Dialogue, OutgoingReply, StoredUpdate
from handlers.base import ClientUnreachable, Permit, SendLimits, TurnCollector, UnreadableUpdate
from handlers.voice.drawing import CHOICES
from orchestration.errors import MediaUnavailable
from orchestration.messages import Attachment, Message


class VoiceDispatch:
    type = ChannelType.VOICE
    choices = CHOICES
    typing_lasts: timedelta | None = None

    async def feed(self, channel: Channel, update: StoredUpdate, collector: TurnCollector) -> None:
        try:
            collector.add(Message.model_validate_json(update.payload))
        except ValidationError as error:
            raise UnreadableUpdate("not what a call stores") from error

    def send_limits(self, reply: OutgoingReply) -> SendLimits | None:
        """Nothing is sent: what is said is said by the process that holds the line."""
        return None

    async def deliver(self, channel: Channel, reply: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
        """Whoever was on the line is not there any more: what was booked reaches them in a messenger, or by staff."""
        raise ClientUnreachable("the call is over")
        yield ""

    async def show_typing(self, channel: Channel, dialogue: Dialogue, message: Message) -> None:
        """Nobody looks."""

    async def fetch(self, channel: Channel, attachment: Attachment, *, most_bytes: int) -> bytes:
        raise MediaUnavailable("a call carries no files")

    async def close(self) -> None:
        """Nothing is held."""
