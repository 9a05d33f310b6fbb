"""What the routes of a telephone channel need of the engine, and what they know of a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic import SecretStr

from db.calls import CallRecord
from db.records import Channel, CompanySnapshot
from handlers.voice import frames
from handlers.voice.call import CallRules, Turns
from handlers.voice.twiml import Spoken
from locales import Translator
from orchestration.messages import CallEvent
from orchestration.privacy_notice import Notice

MOST_CONNECTIONS = 3
"""How often a call may be connected: torn twice, it is taken up again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceOptions:
    """A channel's options. `lines`: how many calls stand at once."""

    provider: str = "twilio"
    streams: bool = True
    """False: the provider opens no WebSocket, and each thing said is a request."""
    accept_caller_id: bool = False
    recorded: bool = False
    lines: int = 10
    longest_minutes: float = 15

    @classmethod
    def of(cls, channel: Channel) -> VoiceOptions:
        known = {name: channel.options[name] for name in cls.__dataclass_fields__ if name in channel.options}
        return cls(**known)

    @property
    def rules(self) -> CallRules:
        return CallRules(longest=self.longest_minutes * 60)


class CallDesk(Protocol):
    """Keeps calls, and opens their turns."""

    async def open_lines(self, channel: Channel, *, longest: timedelta) -> int:
        """Count the calls that stand."""

    async def find_notice(self, channel: Channel, key: str, caller: str | None, texts: Translator) -> Notice | None:
        """Return what the caller has to be told of their data at the start; None: nothing, or nothing any more."""

    async def begin(
        self, channel: Channel, key: str, caller: str | None, *, again: bool = False, notice: Notice | None = None
    ) -> str:
        """Keep a call, and return the ticket that opens its stream once.

        `again`: one that has ended may be taken up again. `notice`: what it begins by telling.
        """

    async def connect(self, channel: Channel, key: str, ticket: str) -> CallRecord | None:
        """Open the call's stream; None where the ticket is not the call's, or was used."""

    async def finish(self, channel: Channel, key: str, outcome: str, event: CallEvent) -> CallRecord | None:
        """Say how a call ended: its length is kept, and what was booked is written to the client.

        Returns the call; None where it had ended before.
        """

    async def find(self, channel: Channel, key: str) -> CallRecord | None: ...

    async def name_of(self, channel: Channel, caller: str | None) -> str | None:
        """Return the name of the number's owner, where one is known."""

    def turns(self, channel: Channel, record: CallRecord) -> Turns:
        """Return the call's turns."""

    async def snapshot(self, channel: Channel) -> CompanySnapshot: ...

    def secrets(self, channel: Channel) -> Mapping[str, SecretStr]: ...


def spoken_of(channel: Channel, snapshot: CompanySnapshot) -> tuple[Spoken, Translator]:
    """Return how the channel speaks, and the words it speaks with."""
    language = snapshot.agent.language
    tag = str(channel.options.get("language") or frames.tag_of(language))
    return Spoken.of(channel.options, tag), Translator.for_language(language, spoken=True)
