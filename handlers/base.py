"""What a channel is: intake (no SDK, runs in the gateway) and dispatch (the SDK, runs in the worker)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from pydantic import SecretStr

from db.limits import Budget
from db.records import ECHO, Accepted, Channel, ChannelType, DeliveryReport, Dialogue, OutgoingReply, StoredUpdate
from orchestration.messages import Attachment, Choices, Message, as_storable, storable
from orchestration.staff_words import StaffWord

CHANNELS = (ChannelType.TELEGRAM, ChannelType.WHATSAPP, ChannelType.VOICE, ChannelType.API)
"""The channels that this version has. A company's file may name them, `channel add` adds them, a worker serves them;
the others have a name in the database, and no more yet."""

ASIDE = "aside"
"""The dialogue key of what belongs to no client: malformed bodies, updates about no chat."""
STATUSES = "statuses"
"""The dialogue key of what a messenger tells of our own messages: they are found by their ids, whoever's they are."""


def is_staffs(channel: ChannelType, dialogue_key: str) -> bool:
    """Say whether these updates are of no client's dialogue but of staff: of a group, or words past us.

    Only the messengers' intakes make such keys: over a channel of one's own, clients may be called whatever one likes.
    """
    if channel is ChannelType.TELEGRAM:
        return dialogue_key.startswith(("-", ECHO))
    return channel is ChannelType.WHATSAPP and dialogue_key.startswith(ECHO)


class UnreadableUpdate(Exception):
    """The update cannot be understood and never will be: it goes to the dead list at once."""


class DeliveryError(Exception):
    """The root of what may go wrong while a reply is delivered.

    DeliveryError
    ├─ DeliveryDelayed     try again (network, the messenger's own trouble)
    │  ├─ Paced            it would break the messenger's limits: rest as long as is said; nothing was sent
    │  ├─ Flooded          the messenger says that its limits were broken, and how long to rest
    │  └─ OutcomeUnknown   the messenger may have taken it: tried again all the same, and may come twice
    ├─ WindowClosed        the client wrote too long ago for free words: a template may go, or staff are told
    ├─ ClientUnreachable   the client blocked the bot or is gone: no more retries for this client
    ├─ TopicGone           the staff group's topic is not there any more: it is shown in a new one
    ├─ ReplyRefused        the messenger refuses this very reply: staff must look, the next ones go on
    └─ ChannelBroken       the messenger refuses the channel's credentials
    """


class DeliveryDelayed(DeliveryError):
    """`rest` None: nobody knows when it will work again; enough tries like this one end the retries."""

    outcome: ClassVar[str] = "delayed"
    """As the metric names it."""
    rest: timedelta | None = None


class Paced(DeliveryDelayed):
    outcome = "paced"
    rest: timedelta

    def __init__(self, rest: timedelta) -> None:
        super().__init__("the messenger's limits")
        self.rest = rest


class Flooded(DeliveryDelayed):
    """`everyone`: all chats of this bot or number have to rest, not only this one."""

    outcome = "flooded"
    rest: timedelta

    def __init__(self, rest: timedelta, *, everyone: bool) -> None:
        super().__init__("the messenger says that its limits are broken")
        self.rest = rest
        self.everyone = everyone


class OutcomeUnknown(DeliveryDelayed):
    outcome = "uncertain"


class WindowClosed(DeliveryError):
    pass


class ClientUnreachable(DeliveryError):
    pass


class TopicGone(DeliveryError):
    """Staff have deleted the topic that this belonged in."""


class ReplyRefused(DeliveryError):
    pass


class ChannelBroken(DeliveryError):
    pass


def channel_type(name: object) -> ChannelType:
    """Return the channel of this name. Raises ValueError, in words for a person, where this version has none."""
    for one in CHANNELS:
        if one.value == name:
            return one
    raise ValueError(f"{name!r} is not a channel of this version: {', '.join(CHANNELS)}")


@dataclass(slots=True)
class TurnCollector:
    """Takes what handlers make of the updates they are fed. Handlers translate, and nothing else."""

    dialogue: Dialogue
    now: datetime
    messages: list[Message] = field(default_factory=list)
    reports: list[DeliveryReport] = field(default_factory=list)
    staff: list[StaffWord] = field(default_factory=list)
    """What staff wrote and pressed; no client's words."""
    reachable: bool | None = None
    """Whether the client takes what is sent to them; None: the update says nothing of it."""

    def add(self, message: Message) -> None:
        """Take a message; what cannot be stored of its texts is left out."""
        self.messages.append(as_storable(message))
        self.reachable = True

    def report(self, report: DeliveryReport) -> None:
        """Take what a messenger tells of a message of ours."""
        self.reports.append(replace(report, message_id=storable(report.message_id)))


class Lock(Protocol):
    """Checks a channel's own proof that the messenger sent a request, in constant time."""

    def __call__(self, headers: Mapping[str, str], body: bytes) -> bool: ...


class ChannelIntake(Protocol):
    """The gateway's half of a channel. `challenged`: the messenger asks the address back before it takes it."""

    type: ChannelType
    challenged: bool

    def lock(self, open_secrets: Callable[[], Mapping[str, SecretStr]]) -> Lock:
        """Return what checks the proof of one channel, whose secrets are these. It may be kept: it holds no secret."""

    def accept(self, body: bytes) -> Sequence[Accepted]:
        """Split a body into updates. What cannot be read is one update of the dialogue ASIDE; never raises."""

    def sent_at(self, update: Accepted) -> datetime | None:
        """Return when the messenger says that this was sent, where its signature covers that; None: it does not say.

        A body that was signed once stays signed: what is older than we remember what we took is not taken again.
        """

    def challenge(self, secrets: Mapping[str, SecretStr], query: Mapping[str, str]) -> str | None:
        """Return what a GET of the webhook's address is answered with; None: it is not answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """How many messages a messenger takes: in one chat, and from one bot or number in all its chats together."""

    chat: Budget
    sender: Budget


Permit = Callable[[], Awaitable[None]]
"""Awaited before each piece. Raises Paced where the messenger's limits do not allow one now."""


class ChannelDispatch(Protocol):
    """The worker's half of a channel."""

    type: ChannelType
    choices: Choices
    typing_lasts: timedelta | None
    """How long the sign that an answer is being written stands; None: it need not be shown again."""

    def send_limits(self, reply: OutgoingReply) -> SendLimits | None:
        """Return what the messenger allows in this reply's chat; None: as much as one likes."""

    async def feed(self, channel: Channel, update: StoredUpdate, collector: TurnCollector) -> None:
        """Run the update through the channel's handlers. Raises UnreadableUpdate."""

    def deliver(self, channel: Channel, reply: OutgoingReply, permit: Permit) -> AsyncIterator[str]:
        """Send the reply's pieces from `reply.sent_parts` on, yielding each piece's message id once it was taken.

        Raises DeliveryError.
        """

    async def show_typing(self, channel: Channel, dialogue: Dialogue, message: Message) -> None:
        """Show the client that `message` is read and an answer is being written; best effort, never raises."""

    async def fetch(self, channel: Channel, attachment: Attachment, *, most_bytes: int) -> bytes:
        """Return a file that came with a message. Raises MediaTooLarge, MediaUnavailable."""

    async def close(self) -> None: ...
