"""What the local Meta knows: apps, business accounts, their numbers and templates, and the people who write to them."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.whatsapp.templates import Template

Json = dict[str, Any]
WINDOW = timedelta(hours=24)
"""After a person's last message a business may answer freely that long (the customer service window)."""
_MOST_MESSAGES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person with a phone. `wa_id` (digits) None: somebody who shows a user name instead of a number.

    `user_id` is the business-scoped id, "CC.<up to 128 letters and digits>", which Meta sends since April 2026. With
    Meta it differs from one business portfolio to the next; here a person has one.
    """

    name: str
    wa_id: str | None
    user_id: str
    username: str | None = None


@dataclass(slots=True, kw_only=True)
class App:
    """A Meta app: its secret signs every webhook, its callback serves the numbers that have none of their own."""

    id: str
    secret: str
    callback_url: str = ""
    fields: set[str] = field(default_factory=lambda: {"messages"})
    """What the app is told of; without "messages" it gets neither messages nor statuses."""

    @property
    def access_token(self) -> str:
        return f"{self.id}|{self.secret}"


@dataclass(slots=True, kw_only=True)
class Account:
    """A WhatsApp Business Account (WABA): numbers and templates are its own."""

    id: str
    name: str
    app: App
    callback_url: str = ""
    """In place of the app's."""
    subscribed: bool = True
    """Whether the app asked for this account's webhooks (`POST /{waba}/subscribed_apps`); if not, none come."""
    templates: dict[tuple[str, str], Template] = field(default_factory=dict)
    """By name and language."""


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
    asks_location: bool = False
    status: str = "sent"
    reply_to: str | None = None
    reactions: dict[str, str] = field(default_factory=dict)
    """An emoji by who put it there: "business" or "person"."""
    tracker: str | None = None
    """What the business gave along (`biz_opaque_callback_data`): every status tells it."""
    origin: Json = field(default_factory=dict)
    """How the message is charged: category, and whether it is free."""


@dataclass(slots=True, kw_only=True)
class Chat:
    person: Person
    messages: deque[ChatMessage] = field(default_factory=lambda: deque(maxlen=_MOST_MESSAGES))
    wrote_at: datetime | None = None
    """When the person's last message came: the window is counted from here."""
    typing: bool = False
    read_up_to: str | None = None
    blocked: bool = False

    def find(self, message_id: str) -> ChatMessage | None:
        return next((one for one in self.messages if one.id == message_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that a person sent or a business uploaded. `until`: Meta keeps it so long."""

    id: str
    body: bytes
    mime_type: str
    until: datetime


@dataclass(slots=True, kw_only=True)
class Number:
    """A business's phone number."""

    id: str
    display: str
    verified_name: str
    account: Account
    token: str
    callback_url: str = ""
    """Its own, in place of the account's and the app's."""
    coexistence: bool = False
    """Whether the Business app is used with it too: only then Meta tells of edits and of what is taken back."""
    chats: dict[str, Chat] = field(default_factory=dict)
    """By the person's business-scoped id."""
    media: dict[str, Media] = field(default_factory=dict)
    media_urls: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """By the secret part of an address: which file it is, and until when the address is good."""

    @property
    def app(self) -> App:
        return self.account.app

    @property
    def webhook_url(self) -> str:
        """Where this number's webhooks go; "": nowhere."""
        return self.callback_url or self.account.callback_url or self.app.callback_url

    @property
    def digits(self) -> str:
        return "".join(one for one in self.display if one.isdigit())


class State:
    """All apps, accounts, numbers and people, and one condition that is told of every change."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.apps: dict[str, App] = {}
        self.accounts: dict[str, Account] = {}
        self.numbers: dict[str, Number] = {}
        self.people: dict[str, Person] = {}
        """Everybody who has WhatsApp, by the business-scoped id."""
        self.changed = asyncio.Condition()
        self.now = clock or (lambda: datetime.now(UTC))
        self._seq = 0

    def seq(self) -> int:
        self._seq += 1
        return self._seq

    def timestamp(self) -> int:
        return int(self.now().timestamp())

    @staticmethod
    def new_message_id() -> str:
        return f"wamid.{secrets.token_urlsafe(24)}"

    def open_chat(self, number: Number, person: Person) -> Chat:
        """Return the chat, begun now where it is not there yet."""
        self.people[person.user_id] = person
        return number.chats.setdefault(person.user_id, Chat(person=person))

    def find_person(self, *, to: str | None, recipient: str | None) -> Person | None:
        """Find a person by number (`to`, digits) or business-scoped id (`recipient`). Meta prefers the number."""
        if to is not None:
            return next((one for one in self.people.values() if one.wa_id == to), None)
        return self.people.get(recipient or "")

    def add_media(self, number: Number, body: bytes, mime_type: str, *, kept: timedelta) -> Media:
        media = Media(id=str(7_000_000 + self.seq()), body=body, mime_type=mime_type, until=self.now() + kept)
        number.media[media.id] = media
        return media

    def find_media(self, media_id: str) -> tuple[Number, Media] | None:
        """Find a file that is still kept, and the number that it belongs to."""
        for number in self.numbers.values():
            media = number.media.get(media_id)
            if media is not None and media.until > self.now():
                return number, media
        return None

    async def tell(self) -> None:
        """Wake everybody who waits for a change."""
        async with self.changed:
            self.changed.notify_all()
