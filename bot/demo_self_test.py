"""The demo's self test: one booking over the real webhooks, and a second client who comes too late for that time."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import typer

from sandbox.telegram.people import buttons_of
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import Chat, ChatMessage, User
from sandbox.yclients.server import YclientsSandbox

_TIME = re.compile(r"\b([01]?\d|2[0-3]):[0-5]\d\b")
_PHONES = ("+79160000001", "+79160000002")


class SelfTestFailed(Exception):
    """The conversation did not go as it must; the message says where."""


@dataclass(slots=True)
class SelfTest:
    """Plays two clients of the demo's company."""

    telegram: TelegramSandbox
    yclients: YclientsSandbox
    bot_id: int
    salon_id: int

    async def run(self) -> bool:
        """Hold the conversation, print it, and say whether the appointment stands and the second try was refused."""
        first_id = int(time.time()) % 1_000_000_000 + 1_000_000
        anna = User(id=first_id, first_name="Елена", last_name="Тестова")
        late = User(id=first_id + 1, first_name="Ольга", last_name="Поздняя")
        try:
            chosen = await self._reach_proposal(anna, _PHONES[0], None)
            await self._reach_proposal(late, _PHONES[1], chosen)
            await self._confirm(anna, expected="Готово, вы записаны")
            self._check_crm(anna)
            await self._confirm(late, expected="это время только что заняли")
            self._check_crm(anna)
            self._check_other_times(late)
        except (SelfTestFailed, TimeoutError) as error:
            typer.echo(f"\nSELF TEST FAILED: {error}", err=True)
            return False
        said = sum(len(self._chat(user).messages) for user in (anna, late))
        typer.echo(
            f"\nSELF TEST OK: {said} messages, 1 appointment in the CRM, the second try was refused with other times"
        )
        return True

    async def _reach_proposal(self, user: User, phone: str, wanted: str | None) -> str:
        """Talk until the proposal is shown; return the time that was chosen."""
        await self._say(user, "Хочу постричься завтра после обеда")
        answer = await self._say(user, "Женская стрижка, мастер Анна Смирнова")
        times = [found.group() for found in _TIME.finditer(answer.text)]
        if not times:
            raise SelfTestFailed(f"no free times in: {answer.text}")
        chosen = wanted or times[-1]
        answer = await self._say(user, f"Давайте в {chosen}")
        if not buttons_of(answer):
            answer = await self._share(user, phone)
        if not buttons_of(answer):
            raise SelfTestFailed(f"no proposal with buttons: {answer.text}")
        return chosen

    async def _confirm(self, user: User, *, expected: str) -> None:
        message = next(one for one in reversed(self._chat(user).messages) if buttons_of(one))
        button = buttons_of(message)[0]
        typer.echo(f"{user.first_name}: [{button['text']}]")
        count = self._count(user)
        await self.telegram.people.press_button(self.bot_id, user, message.message_id, button["callback_data"])
        answer = await self._answer(user, count)
        if expected not in answer.text:
            raise SelfTestFailed(f"expected {expected!r}, got: {answer.text}")

    async def _say(self, user: User, text: str) -> ChatMessage:
        typer.echo(f"{user.first_name}: {text}")
        count = self._count(user)
        await self.telegram.people.send_text(self.bot_id, user, text)
        return await self._answer(user, count)

    async def _share(self, user: User, phone: str) -> ChatMessage:
        typer.echo(f"{user.first_name}: (shares the contact)")
        count = self._count(user)
        await self.telegram.people.share_contact(self.bot_id, user, phone)
        return await self._answer(user, count)

    async def _answer(self, user: User, count: int) -> ChatMessage:
        chat = await self.telegram.people.wait_for(
            self.bot_id, user.id, lambda chat: _from_bot(chat) > count, within_s=45
        )
        message = [one for one in chat.messages if one.from_bot][-1]
        typer.echo(f"    bot: {message.text.replace(chr(10), chr(10) + '         ')}")
        for button in buttons_of(message):
            typer.echo(f"         [{button['text']}]")
        return message

    def _check_crm(self, user: User) -> None:
        records = [one for one in self.yclients.book.salons[self.salon_id].records.values() if not one["deleted"]]
        mine = [one for one in records if one["client"]["phone"] == _PHONES[0]]
        if len(records) != 1 or len(mine) != 1 or not mine[0]["api_id"]:
            raise SelfTestFailed(f"the CRM should hold exactly one appointment of {user.first_name}: {records}")
        if self.yclients.book.double_bookings():
            raise SelfTestFailed("the CRM holds a double booking")

    def _check_other_times(self, user: User) -> None:
        last = [one for one in self._chat(user).messages if one.from_bot][-1]
        if len(_TIME.findall(last.text)) < 2:
            raise SelfTestFailed(f"no other times were offered: {last.text}")

    def _chat(self, user: User) -> Chat:
        chat = self.telegram.people.chat(self.bot_id, user.id)
        if chat is None:
            raise SelfTestFailed(f"{user.first_name} has no chat")
        return chat

    def _count(self, user: User) -> int:
        chat = self.telegram.people.chat(self.bot_id, user.id)
        return _from_bot(chat) if chat else 0


def _from_bot(chat: Chat) -> int:
    return sum(1 for message in chat.messages if message.from_bot)
