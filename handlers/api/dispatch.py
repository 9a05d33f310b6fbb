"""The worker's half of the API channel: the stored body is a Message already, and the stored reply is delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from pydantic import ValidationError

from db.answers import Answers
from db.records import Channel, ChannelType, Dialogue, OutgoingReply, StoredUpdate
from handlers.base import Permit, SendLimits, TurnCollector, UnreadableUpdate
from orchestration.errors import MediaUnavailable
from orchestration.messages import Attachment, Choices, Message, with_command


class ApiDispatch:
    type = ChannelType.API
    choices = Choices(most=24)
    typing_lasts: timedelta | None = None

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def feed(self, channel: Channel, update: StoredUpdate, collector: TurnCollector) -> None:
        try:
            collector.add(with_command(Message.model_validate_json(update.payload)))
        except ValidationError as error:
            raise UnreadableUpdate("not a unified message") from error

    def send_limits(self, reply: OutgoingReply) -> SendLimits | None:
        """Nothing is sent: the reply is asked for."""
        return None

    async def deliver(self, channel: Channel, reply: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
        """The reply waits in the outbox for whoever asks; ring those who wait for it right now."""
        await self._answers.ring(reply.dialogue_id)
        yield str(reply.id)

    async def show_typing(self, channel: Channel, dialogue: Dialogue, message: Message) -> None:
        """Nobody looks."""

    async def fetch(self, channel: Channel, attachment: Attachment, *, most_bytes: int) -> bytes:
        """A caller names its files; how they would be fetched is nobody's agreement yet."""
        raise MediaUnavailable("files of a channel of one's own are not fetched")

    async def close(self) -> None:
        """Nothing is held."""
