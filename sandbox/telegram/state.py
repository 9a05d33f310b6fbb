"""What the local Telegram knows: bots, the people who write to them, and their chats."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
_MOST_MESSAGES = 2000
_MOST_UPDATES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with a phone."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = "ru"

    def as_json(self) -> Json:
        fields: Json = {
            "id": self.id,
            "is_bot": False,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "username": self.username,
            "language_code": self.language_code,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True, kw_only=True)
class ChatMessage:
    """One message as the chat shows it now. `seq` grows with every change to the chat."""

    seq: int
    message_id: int
    from_bot: bool
    text: str
    date: int
    markup: Mapping[str, Any] | None = None
    contact: Json | None = None
    edited_at: int | None = None
    rewritten: int = 0
    """How often its words were changed."""
    deleted: bool = False


@dataclass(slots=True, kw_only=True)
class Chat:
    """A private chat of one person with one bot; or a group, whose id is negative and whose title is the first name."""

    user: User
    messages: deque[ChatMessage] = field(default_factory=lambda: deque(maxlen=_MOST_MESSAGES))
    reply_keyboard: Mapping[str, Any] | None = None
    typing_at: float | None = None
    blocked: bool = False
    deactivated: bool = False
    """The person has deleted their account."""
    answered: list[Json] = field(default_factory=list)

    @property
    def type(self) -> str:
        return "private" if self.user.id > 0 else "supergroup"

    def as_json(self) -> Json:
        person = self.user
        if self.type != "private":
            return {"id": person.id, "type": self.type, "title": person.first_name}
        named = {name: value for name in ("last_name", "username") if (value := getattr(person, name)) is not None}
        return {"id": person.id, "type": self.type, "first_name": person.first_name, **named}


@dataclass(slots=True, kw_only=True)
class Webhook:
    url: str = ""
    secret_token: str | None = None
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


@dataclass(slots=True, kw_only=True)
class Bot:
    """One bot: its updates wait until a webhook or getUpdates takes them."""

    id: int
    token: str
    username: str
    first_name: str
    chats: dict[int, Chat] = field(default_factory=dict)
    updates: deque[Json] = field(default_factory=lambda: deque(maxlen=_MOST_UPDATES))
    delivered: deque[Json] = field(default_factory=lambda: deque(maxlen=1000))
    webhook: Webhook = field(default_factory=Webhook)
    allowed_updates: list[str] = field(default_factory=list)
    polling: bool = False
    next_update: int = field(default_factory=lambda: int(time.time()) * 100)
    """Grows by one; where it begins is nobody's to know, and a bot that is made anew does not repeat old ids."""
    next_message: int = 1
    callbacks: dict[str, str] = field(default_factory=dict)
    """Presses by id: waiting, or answered."""
    commands: Json = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    connections: dict[str, Json] = field(default_factory=dict)
    """Business connections by id, as the Bot API has them."""
    business_chats: dict[tuple[str, int], Chat] = field(default_factory=dict)
    """The owners' own chats, by connection and client."""

    def as_json(self) -> Json:
        return {"id": self.id, "is_bot": True, "first_name": self.first_name, "username": self.username}


class State:
    """All bots, and one condition that is told of every change."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.bots: dict[int, Bot] = {}
        self.changed = asyncio.Condition()
        self._clock = clock or (lambda: datetime.now(UTC))
        self._seq = 0

    def now(self) -> int:
        return int(self._clock().timestamp())

    def seq(self) -> int:
        self._seq += 1
        return self._seq

    async def tell(self) -> None:
        """Wake everybody who waits for a change."""
        async with self.changed:
            self.changed.notify_all()

    def find_bot(self, token: str) -> Bot | None:
        return next((bot for bot in self.bots.values() if bot.token == token), None)

    def message_json(self, bot: Bot, chat: Chat, message: ChatMessage) -> Json:
        """Return a Message object as the Bot API has it."""
        raw: Json = {
            "message_id": message.message_id,
            "date": message.date,
            "chat": chat.as_json(),
            "from": bot.as_json() if message.from_bot else chat.user.as_json(),
        }
        if message.edited_at is not None:
            raw["edit_date"] = message.edited_at
        if message.contact is not None:
            raw["contact"] = message.contact
        else:
            raw["text"] = message.text
        if message.text.startswith("/") and not message.from_bot:
            length = len(message.text.split()[0])
            raw["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        if message.markup and "inline_keyboard" in message.markup:
            raw["reply_markup"] = message.markup
        return raw
