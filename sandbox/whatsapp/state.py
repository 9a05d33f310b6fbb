"""What the local Meta knows: apps, business numbers, approved templates, and the people who write to the numbers."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
WINDOW = timedelta(hours=24)
"""After a person's last message a business may answer freely that long (the customer service window)."""
_MOST_MESSAGES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person with a phone. `wa_id` (digits) None: somebody who shows a user name instead of a number.

    `user_id` is the business-scoped id, "CC.<up to 128 letters and digits>", which Meta sends since April 2026.
    """

    name: str
    wa_id: str | None
    user_id: str


@dataclass(slots=True, kw_only=True)
class App:
    """A Meta app: its secret signs every webhook, its callback serves the numbers that have none of their own."""

    id: str
    secret: str
    callback_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """An approved template; `parameters` is the number of {{n}} in its body."""

    name: str
    language: str
    body: str

    @property
    def parameters(self) -> int:
        return self.body.count("{{")


@dataclass(slots=True, kw_only=True)
class ChatMessage:
    """One message as the chat shows it now. `choices` are what may be tapped: id, title, description."""

    seq: int
    id: str
    from_business: bool
    type: str
    text: str
    at: int
    choices: list[Json] = field(default_factory=list)
    list_button: str | None = None
    asks_contact: bool = False
    status: str = "sent"


@dataclass(slots=True, kw_only=True)
class Chat:
    person: Person
    messages: deque[ChatMessage] = field(default_factory=lambda: deque(maxlen=_MOST_MESSAGES))
    wrote_at: datetime | None = None
    typing: bool = False
    read_up_to: str | None = None
    blocked: bool = False


@dataclass(slots=True, kw_only=True)
class Number:
    """A business's phone number."""

    id: str
    display: str
    verified_name: str
    waba_id: str
    app: App
    token: str
    callback_url: str = ""
    """Its own, in place of the app's."""
    chats: dict[str, Chat] = field(default_factory=dict)
    """By the person's business-scoped id."""
    media: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """By id: the file and its type."""
    media_urls: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """By the secret part of an address: which file it is, and until when the address is good."""
    templates: dict[tuple[str, str], Template] = field(default_factory=dict)

    def find_chat(self, *, to: str | None, recipient: str | None) -> Chat | None:
        """Find a chat by the person's number (`to`) or business-scoped id (`recipient`)."""
        if recipient is not None:
            return self.chats.get(recipient)
        return next((chat for chat in self.chats.values() if chat.person.wa_id == to), None)


class State:
    """All apps and numbers, and one condition that is told of every change."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.apps: dict[str, App] = {}
        self.numbers: dict[str, Number] = {}
        self.changed = asyncio.Condition()
        self.now = clock or (lambda: datetime.now(UTC))
        self._seq = 0

    def seq(self) -> int:
        self._seq += 1
        return self._seq

    @staticmethod
    def new_message_id() -> str:
        return f"wamid.{secrets.token_urlsafe(24)}"

    async def tell(self) -> None:
        """Wake everybody who waits for a change."""
        async with self.changed:
            self.changed.notify_all()
