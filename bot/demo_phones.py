"""The demo's clients with their phones: the same conversation over either messenger's sandbox."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

import typer

from bot.demo_vendors import BOT_TOKEN, NUMBER_ID, Sandboxes
from sandbox.telegram.people import buttons_of
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import User
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.whatsapp.state import Person

_WITHIN_S = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the salon said last, with the words on its buttons."""

    text: str
    buttons: tuple[str, ...]


class Phone(Protocol):
    """One client with a phone, who prints what is said."""

    @property
    def name(self) -> str: ...

    @property
    def number(self) -> str: ...

    async def say(self, text: str) -> Heard: ...

    async def share_number(self) -> Heard: ...

    async def press(self, label: str) -> Heard: ...

    def count(self) -> int:
        """Return how many messages the chat holds."""


@dataclass(slots=True, kw_only=True)
class TelegramPhone:
    telegram: TelegramSandbox
    bot_id: int
    user: User
    number: str

    @property
    def name(self) -> str:
        return self.user.first_name

    async def say(self, text: str) -> Heard:
        typer.echo(f"{self.name}: {text}")
        return await self._heard_after(self.telegram.people.send_text(self.bot_id, self.user, text))

    async def share_number(self) -> Heard:
        typer.echo(f"{self.name}: (shares the contact)")
        return await self._heard_after(self.telegram.people.share_contact(self.bot_id, self.user, self.number))

    async def press(self, label: str) -> Heard:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        for message in reversed(chat.messages if chat else ()):
            for button in buttons_of(message):
                if button["text"].startswith(label):
                    typer.echo(f"{self.name}: [{button['text']}]")
                    data = button["callback_data"]
                    people = self.telegram.people
                    return await self._heard_after(
                        people.press_button(self.bot_id, self.user, message.message_id, data)
                    )
        raise LookupError(f"there is no button {label!r}")

    def count(self) -> int:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        return len(chat.messages) if chat else 0

    async def _heard_after(self, act: Awaitable[object]) -> Heard:
        people, count = self.telegram.people, len(self._texts())
        await act
        chat = await people.wait_for(
            self.bot_id, self.user.id, lambda _: len(self._texts()) > count, within_s=_WITHIN_S
        )
        last = [one for one in chat.messages if one.from_bot][-1]
        return _printed(last.text, tuple(button["text"] for button in buttons_of(last)))

    def _texts(self) -> list[str]:
        return self.telegram.people.texts_from_bot(self.bot_id, self.user.id)


@dataclass(slots=True, kw_only=True)
class WhatsAppPhone:
    whatsapp: WhatsAppSandbox
    number_id: str
    person: Person

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def number(self) -> str:
        return f"+{self.person.wa_id}"

    async def say(self, text: str) -> Heard:
        typer.echo(f"{self.name}: {text}")
        return await self._heard_after(self.whatsapp.people.send_text(self.number_id, self.person, text))

    async def share_number(self) -> Heard:
        typer.echo(f"{self.name}: (shares the contact)")
        shared = self.whatsapp.people.share_contact(self.number_id, self.person, self.number)
        return await self._heard_after(shared)

    async def press(self, label: str) -> Heard:
        chat = self.whatsapp.people.chat(self.number_id, self.person.user_id)
        for message in reversed(chat.messages if chat else ()):
            for choice in message.choices:
                if choice["title"].startswith(label):
                    typer.echo(f"{self.name}: [{choice['title']}]")
                    tapped = self.whatsapp.people.tap(self.number_id, self.person, message.id, choice["id"])
                    return await self._heard_after(tapped)
        raise LookupError(f"there is no button {label!r}")

    def count(self) -> int:
        chat = self.whatsapp.people.chat(self.number_id, self.person.user_id)
        return len(chat.messages) if chat else 0

    async def _heard_after(self, act: Awaitable[object]) -> Heard:
        count = len(self._texts())
        await act
        chat = await self.whatsapp.people.wait_for(
            self.number_id, self.person.user_id, lambda _: len(self._texts()) > count, within_s=_WITHIN_S
        )
        last = [one for one in chat.messages if one.from_business][-1]
        return _printed(last.text, tuple(choice["title"] for choice in last.choices))

    def _texts(self) -> list[str]:
        return self.whatsapp.people.texts_from_business(self.number_id, self.person.user_id)


def open_phones(sandboxes: Sandboxes, channel: str) -> tuple[Phone, Phone]:
    """Return two clients with phones of their own for each run: what an earlier one said is not theirs."""
    start = int(time.time()) % 1_000_000
    first, late = (_phone(sandboxes, channel, name, start + index) for index, name in enumerate(("Елена", "Ольга")))
    return first, late


def _phone(sandboxes: Sandboxes, channel: str, name: str, which: int) -> Phone:
    number = f"7916{which:07}"
    if channel == "whatsapp":
        person = Person(name=name, wa_id=number, user_id=f"RU.{number}")
        return WhatsAppPhone(whatsapp=sandboxes.whatsapp, number_id=NUMBER_ID, person=person)
    user = User(id=1_000_000 + which, first_name=name)
    bot_id = int(BOT_TOKEN.split(":")[0])
    return TelegramPhone(telegram=sandboxes.telegram, bot_id=bot_id, user=user, number=f"+{number}")


def _printed(text: str, buttons: tuple[str, ...]) -> Heard:
    typer.echo(f"    bot: {text.replace(chr(10), chr(10) + '         ')}")
    for button in buttons:
        typer.echo(f"         [{button}]")
    return Heard(text=text, buttons=buttons)
