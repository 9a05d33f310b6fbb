"""What a channel is: intake (no SDK, runs in the gateway) and dispatch (the SDK, runs in the worker)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SecretStr

from db.records import Accepted, Channel, ChannelType, Dialogue, OutgoingReply, StoredUpdate
from orchestration.messages import Message

ASIDE = "aside"
"""The dialogue key of what belongs to no client: malformed bodies, updates about no chat."""


class UnreadableUpdate(Exception):
    """The update cannot be understood and never will be: it goes to the dead list at once."""


class DeliveryError(Exception):
    """The root of what may go wrong while a reply is delivered.

    DeliveryError
    ├─ DeliveryDelayed     try again after `delay` (flood limit, network, the messenger's own trouble)
    ├─ ClientUnreachable   the client blocked the bot or is gone: no more retries for this client
    ├─ ReplyRefused        the messenger refuses this very reply: staff must look, the next ones go on
    └─ ChannelBroken       the messenger refuses the channel's credentials
    """


class DeliveryDelayed(DeliveryError):
    def __init__(self, reason: str, *, delay: timedelta | None = None) -> None:
        super().__init__(reason)
        self.delay = delay


class ClientUnreachable(DeliveryError):
    pass


class ReplyRefused(DeliveryError):
    pass


class ChannelBroken(DeliveryError):
    pass


@dataclass(slots=True)
class TurnCollector:
    """Takes what handlers make of the updates they are fed. Handlers translate, and nothing else."""

    dialogue: Dialogue
    now: datetime
    messages: list[Message] = field(default_factory=list)

    def add(self, message: Message) -> None:
        self.messages.append(message)


class ChannelIntake(Protocol):
    """The gateway's half of a channel."""

    type: ChannelType

    def prove(self, secrets: Mapping[str, SecretStr], headers: Mapping[str, str], body: bytes) -> bool:
        """Check the channel's own proof that the messenger sent this, in constant time."""

    def accept(self, body: bytes) -> Sequence[Accepted]:
        """Split a body into updates. What cannot be read is one update of the dialogue ASIDE; never raises."""


class ChannelDispatch(Protocol):
    """The worker's half of a channel."""

    type: ChannelType

    async def feed(self, channel: Channel, update: StoredUpdate, collector: TurnCollector) -> None:
        """Run the update through the channel's handlers. Raises UnreadableUpdate."""

    def deliver(self, channel: Channel, reply: OutgoingReply) -> AsyncIterator[str]:
        """Send the reply's pieces from `reply.sent_parts` on, yielding each piece's message id once it was taken.

        Raises DeliveryError.
        """

    async def show_typing(self, channel: Channel, dialogue: Dialogue) -> None:
        """Show the client that an answer is being written; best effort, never raises."""

    async def close(self) -> None: ...
