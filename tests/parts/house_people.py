"""People with phones, who write to the house's bots and numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from sandbox.media import photo, voice_note
from sandbox.telegram.people import buttons_of
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import Chat, ChatMessage, User
from sandbox.whatsapp.server import WhatsAppSandbox
from sandbox.whatsapp.state import ChatMessage as WhatsAppMessage
from sandbox.whatsapp.state import Person


@dataclass
class Client:
    """A person with a phone who writes to a bot."""

    telegram: TelegramSandbox
    bot_id: int
    user: User
    phone: str

    @property
    def chat(self) -> Chat:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        assert chat is not None, "this client has no chat yet"
        return chat

    @property
    def heard(self) -> list[str]:
        """What the bot has said, in order."""
        return self.telegram.people.texts_from_bot(self.bot_id, self.user.id)

    async def says(self, text: str) -> ChatMessage:
        """Write, and return the next thing that the bot says."""
        return await self._answered(self.telegram.people.send_text, text)

    async def says_aloud(self, words: str | None, *, seconds: float = 3) -> ChatMessage:
        """Send a voice note; `words` None: one in which nothing can be made out."""
        recording = voice_note(words, seconds=seconds)
        send = self.telegram.people.send_voice
        return await self._answered(partial(send, recording=recording, seconds=round(seconds)))

    async def shows(self, what: str | None, caption: str = "") -> ChatMessage:
        """Send a picture."""
        return await self._answered(self.telegram.people.send_photo, photo(what), caption)

    async def sends(self, **content: object) -> ChatMessage:
        """Send a message with these fields of the Bot API's Message."""
        return await self._answered(partial(self.telegram.people.send_anything, **content))

    async def shares_contact(self, *, own: bool = True) -> ChatMessage:
        async def share(bot_id: int, user: User) -> int:
            return await self.telegram.people.share_contact(bot_id, user, self.phone, own=own)

        return await self._answered(share)

    async def presses(self, label: str) -> ChatMessage:
        """Press the latest button with these words on it."""
        message, data = self.button(label)
        return await self._answered(self.telegram.people.press_button, message.message_id, data)

    async def reaches_proposal(self, at: str = "15:00") -> ChatMessage:
        """Talk until a haircut tomorrow with Анна is put before this client; return the question."""
        await self.says("Хочу постричься завтра после обеда")
        await self.says("Женская стрижка, мастер Анна Смирнова")
        await self.says(f"Давайте в {at}")
        return await self.shares_contact()

    async def reaches_visit(self, at: str = "15:00", *, by: str = "Анны") -> ChatMessage:
        """Talk until a haircut and then a manicure with Ольга are put before this client as one visit."""
        await self.says(f"Запишите меня завтра после обеда на женскую стрижку у {by} и маникюр у Ольги")
        await self.says(f"Давайте в {at}")
        return await self.shares_contact()

    def is_offered(self, label: str) -> bool:
        """Say whether the latest message has a button with these words on it."""
        return any(label in button["text"] for button in buttons_of(self.chat.messages[-1]))

    def button(self, label: str) -> tuple[ChatMessage, str]:
        for message in reversed(self.chat.messages):
            for button in buttons_of(message):
                if label in button["text"]:
                    return message, button["callback_data"]
        raise AssertionError(f"no button {label!r}; the bot said {self.heard}")

    async def _answered(self, act: Callable[..., object], *arguments: object) -> ChatMessage:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        count = _said(chat) if chat else 0
        await act(self.bot_id, self.user, *arguments)  # type: ignore[misc]
        chat = await self.telegram.people.wait_for(self.bot_id, self.user.id, lambda one: _said(one) > count)
        # As it is now: a page that is turned changes it.
        return replace(max((one for one in chat.messages if one.from_bot), key=lambda one: one.seq))


@dataclass
class WhatsAppClient:
    """A person with a phone who writes to a number."""

    whatsapp: WhatsAppSandbox
    number_id: str
    person: Person

    @property
    def phone(self) -> str:
        return f"+{self.person.wa_id}"

    @property
    def heard(self) -> list[str]:
        return self.whatsapp.people.texts_from_business(self.number_id, self.person.user_id)

    @property
    def last(self) -> WhatsAppMessage:
        """The latest message from the business."""
        chat = self.whatsapp.people.chat(self.number_id, self.person.user_id)
        assert chat is not None, "this person has no chat yet"
        return [message for message in chat.messages if message.from_business][-1]

    async def says(self, text: str) -> WhatsAppMessage:
        """Write, and return the next thing that the business says."""
        return await self.hears_after(self.whatsapp.people.send_text(self.number_id, self.person, text))

    async def says_aloud(self, words: str | None, *, seconds: float = 3) -> WhatsAppMessage:
        recording = voice_note(words, seconds=seconds)
        return await self.hears_after(self.whatsapp.people.send_voice(self.number_id, self.person, recording))

    async def presses(self, label: str) -> WhatsAppMessage:
        """Tap the latest choice with these words on it."""
        chat = self.whatsapp.people.chat(self.number_id, self.person.user_id)
        for message in reversed(chat.messages if chat else ()):
            for choice in message.choices:
                if label in f"{choice['title']} {choice.get('description', '')}":
                    tapped = self.whatsapp.people.tap(self.number_id, self.person, message.id, choice["id"])
                    return await self.hears_after(tapped)
        raise AssertionError(f"no choice {label!r}; the business said {self.heard}")

    def is_offered(self, label: str) -> bool:
        """Say whether the latest message has a choice with these words on it."""
        return any(label in choice["title"] for choice in self.last.choices)

    async def shares_contact(self) -> WhatsAppMessage:
        shared = self.whatsapp.people.share_contact(self.number_id, self.person, self.phone)
        return await self.hears_after(shared)

    async def hears_after(self, act: Awaitable[object]) -> WhatsAppMessage:
        """Do something, and return the next thing that the business says."""
        count = len(self.heard)
        await act
        await self.whatsapp.people.wait_for(self.number_id, self.person.user_id, lambda _: len(self.heard) > count)
        return self.last


def _said(chat: Chat) -> int:
    """Count what the bot has said and what words it has changed since; used-up buttons are no words."""
    return sum(1 + message.rewritten for message in chat.messages if message.from_bot)
