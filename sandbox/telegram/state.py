"""What the local Telegram knows: bots, the people who write to them, and their chats."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.telegram.text import entities_of

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
    """The words; of a message without words, its caption or a sign that stands for it."""
    date: int
    markup: Mapping[str, Any] | None = None
    contact: Json | None = None
    edited_at: int | None = None
    rewritten: int = 0
    """How often its words were changed."""
    deleted: bool = False
    content: Json = field(default_factory=dict)
    """Fields of the Bot API's Message beyond the text: a photo with its caption, a service message."""
    wordless: bool = False
    """It has no `text`: a photo, a voice note, a service message."""
    service: bool = False
    silent: bool = False
    """Sent with disable_notification."""
    author: Json | None = field(default=None, repr=False)
    """In a group: the User object of who sent it. None: the other side of a private chat, or the bot."""
    thread_id: int | None = None
    in_topic: bool = False
    """Of a forum's topic (is_topic_message). A thread may also be just a chain of replies in a supergroup."""
    reply_to: ChatMessage | None = field(default=None, repr=False, compare=False)
    reactions: dict[int, str] = field(default_factory=dict)
    """The emoji by who set it; a bot's id or a person's."""
    seen_by: set[int] = field(default_factory=set)
    """In a group: the bots that were told of it."""


@dataclass(slots=True, kw_only=True)
class Chat:
    """A private chat of one person with one bot. A group (see groups.py) is one too: its `user` is its id and title."""

    user: User
    messages: deque[ChatMessage] = field(default_factory=lambda: deque(maxlen=_MOST_MESSAGES))
    reply_keyboard: Mapping[str, Any] | None = None
    typing_at: float | None = None
    blocked: bool = False
    """The person has blocked the bot; the group has thrown out whichever bot was in it."""
    deactivated: bool = False
    """The person has deleted their account."""
    answered: deque[Json] = field(default_factory=lambda: deque(maxlen=1000))
    """What presses of buttons were answered with: the query's id, the text, whether as an alert."""

    @property
    def type(self) -> str:
        return "private"

    def as_json(self) -> Json:
        person = self.user
        named = {name: value for name in ("last_name", "username") if (value := getattr(person, name)) is not None}
        return {"id": person.id, "type": self.type, "first_name": person.first_name, **named}

    def find(self, message_id: int) -> ChatMessage | None:
        """Return a message that is still there."""
        return next((one for one in self.messages if one.message_id == message_id and not one.deleted), None)

    def take_message_id(self, bot: Bot) -> int:
        """Return the next message's id. A bot's private chats count together."""
        bot.next_message += 1
        return bot.next_message - 1

    def topic_root(self, message: ChatMessage) -> ChatMessage | None:
        """Return what a message of a topic answers when it answers nothing else."""
        return None


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
    privacy: bool = True
    """BotFather's privacy mode, on for every new bot: in groups it is told of little."""
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
    pressed_in: dict[str, Chat] = field(default_factory=dict)
    """Where the presses that wait were made."""
    commands: Json = field(default_factory=dict)
    """For everybody, by language."""
    scoped_commands: dict[str, Json] = field(default_factory=dict)
    """By scope ("chat:-100500"), then by language."""
    descriptions: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    file_facts: dict[str, Json] = field(default_factory=dict)
    """What is known of a file besides its bytes: its kind, how long it plays, its name."""
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

    def message_json(self, bot: Bot, chat: Chat, message: ChatMessage, *, with_reply: bool = True) -> Json:
        """Return a Message object as the Bot API has it."""
        raw: Json = {
            "message_id": message.message_id,
            "date": message.date,
            "chat": chat.as_json(),
            "from": message.author or (bot.as_json() if message.from_bot else chat.user.as_json()),
        }
        if message.edited_at is not None:
            raw["edit_date"] = message.edited_at
        if message.thread_id is not None:
            raw["message_thread_id"] = message.thread_id
        if message.in_topic:
            raw["is_topic_message"] = True
        if with_reply:
            # In a topic, a message that answers nothing answers the service message that made the topic.
            answers = message.reply_to or chat.topic_root(message)
            if answers is not None and not answers.deleted:
                raw["reply_to_message"] = self.message_json(bot, chat, answers, with_reply=False)
        if message.contact is not None:
            raw["contact"] = message.contact
        elif not message.wordless:
            raw["text"] = message.text
        if not message.from_bot and (entities := entities_of(str(raw.get("text", "")))):
            raw["entities"] = entities
        if message.markup and "inline_keyboard" in message.markup:
            raw["reply_markup"] = message.markup
        return raw | message.content
