"""Somebody at the salon's desk: one person, whose private chat with the bot is the salon's staff chat."""

from __future__ import annotations

from datetime import timedelta

from db.staff import Role, Staff
from house_installation import STAFF_CHAT, Installation
from sandbox.telegram.state import User

IRINA = User(id=STAFF_CHAT, first_name="Ирина")


class Desk:
    """Ирина, who sees what staff are shown, replies to it, and presses its buttons."""

    def __init__(self, house: Installation) -> None:
        self.house = house
        self.people = house.vendors.telegram.people
        self.bot = house.bots[house.company_id]

    async def enrol(self, role: Role = Role.ADMINISTRATOR, user: User = IRINA) -> str:
        """Come in by a one-time code; return it."""
        async with self.house.core.database.company(self.house.company_id) as tx:
            _, code = await Staff().invite(tx, name=user.first_name, role=role, now=self.house.clock())
        await self.people.send_start(self.bot, user, f"staff-{code}")
        await self.house.settles()
        return code

    @property
    def heard(self) -> list[str]:
        return self.house.staff_heard()

    async def sees(self) -> list[str]:
        """Let what is new reach the staff chat, and return all that it holds."""
        await self.house.settles()
        for _ in range(3):
            self.house.clock.advance(timedelta(seconds=5))
            await self.house.settles(people=True)
        return self.heard

    async def answers(self, text: str | None, *, to: str, user: User = IRINA, **content: object) -> int:
        """Reply to the latest message in the staff chat that holds these words; return the reply's id."""
        chat = self.people.chat(self.bot, STAFF_CHAT)
        assert chat is not None, "the staff chat is not there"
        message = next(one for one in reversed(chat.messages) if one.from_bot and to in one.text)
        reply = {"message_id": message.message_id, "date": 1, "chat": {"id": STAFF_CHAT, "type": "private"}}
        content = {"text": text} if text is not None else content
        await self.people.send_anything(self.bot, user, **content, reply_to_message=reply)
        await self.house.settles()
        return next(one for one in reversed(chat.messages) if not one.from_bot).message_id

    async def presses(self, label: str) -> None:
        """Press the latest button with these words in the staff chat."""
        chat = self.people.chat(self.bot, STAFF_CHAT)
        assert chat is not None, "the staff chat is not there"
        for message in reversed(chat.messages):
            for row in (message.markup or {}).get("inline_keyboard", []):
                for button in row:
                    if label in button["text"]:
                        await self.people.press_button(self.bot, IRINA, message.message_id, button["callback_data"])
                        await self.house.settles()
                        return
        raise AssertionError(f"no button {label!r}; staff saw {self.heard}")
