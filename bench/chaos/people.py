"""The clients: each books by a whole conversation, and does what people do: changes its mind, writes in bursts, presses
twice, wants what another wants. What a client writes next follows from what its chat shows."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from orchestration.proposals import NO, SLOT, YES
from sandbox.telegram.people import buttons_of
from sandbox.telegram.server import TelegramSandbox
from sandbox.telegram.state import Chat, ChatMessage, Json, User

_FIRST_ID = 910_000_000
_TIME = re.compile(r"\b(?:[01]?\d|2[0-3]):[0-5]\d\b")
_BOOKED = "Готово"
_RECEIPT_WITHIN_S = 45.0
_NAMES = ("Елена", "Ольга", "Анна", "Мария", "Ирина", "Татьяна", "Наталья", "Светлана")
_SMALL_TALK = (
    "Сколько стоит окрашивание?",
    "Спасибо!",
    "Какие у вас услуги?",
    "До скольки вы работаете?",
    "А какой у вас адрес?",
    "Есть ли у вас шампунь?",
)
_YES_WORDS = ("Да", "да, спасибо", "👍", "Давайте")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client wants: a visit of a kind, with a master, on a day, at a time."""

    opening: str
    service: str
    master: str
    day: date
    time: str

    @property
    def at_once(self) -> str:
        return f"Хочу записаться: {self.service}, мастер {self.master}, {self.day:%d.%m} в {self.time}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    changes_mind: bool
    in_bursts: bool
    in_words: bool
    """Says yes by a word, not by the button."""
    only_asks: bool
    """Books nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """A client's own yes to the proposal that its chat showed last, and the update that carried it."""

    user_id: int
    proposal: UUID
    update_id: int


@dataclass(slots=True)
class Allowance:
    """Lets messages out just before each kill, so that there is something to hit until the last of them."""

    messages: int
    kills: int
    ahead: int
    sent: int = 0
    killed: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self) -> None:
        """Return when one more message may be written."""
        async with self._changed:
            await self._changed.wait_for(self._allowed)
            self.sent += 1

    async def before_kill(self) -> None:
        async with self._changed:
            self.killed += 1
            self._changed.notify_all()

    def _allowed(self) -> bool:
        share = self.killed / self.kills if self.kills else 1.0
        return self.killed >= self.kills or self.sent < self.ahead + self.messages * share


@dataclass(slots=True)
class Person:
    """One client; `left` messages remain to be written."""

    telegram: TelegramSandbox
    bot_id: int
    user: User
    phone: str
    wishes: Iterator[Wish]
    manner: Manner
    left: int
    allowance: Allowance
    deadline_s: float
    rng: random.Random
    done: Counter[str]
    yeses: list[Yes] = field(default_factory=list)
    _wish: Wish | None = None
    _said: int = 0
    _answered_buttons: set[int] = field(default_factory=set)
    _changed_mind: bool = False

    async def live(self) -> None:
        """Write all messages, each when the last was answered or the deadline has passed."""
        while self.left > 0:
            heard, said_yes = self._heard(), len(self.yeses)
            await self._act()
            # Who has said yes waits for the receipt: where the CRM's answer was lost, that takes its time.
            patience = _RECEIPT_WITHIN_S if len(self.yeses) > said_yes else 0
            await self._wait_for_answer(heard, max(self.deadline_s, patience))

    async def _act(self) -> None:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        last = next((one for one in reversed(chat.messages) if one.from_bot), None) if chat else None
        if chat is not None and last is not None:
            if (buttons := self._fresh_buttons(last)) and await self._answer_buttons(last, buttons):
                return
            if _asks_contact(chat):
                await self._write("contact", self._share_contact)
                return
        for words in self._next_words(last.text if last else ""):
            if self.left > 0:
                await self._say(words)

    # ---- buttons

    def _fresh_buttons(self, message: ChatMessage) -> list[Json]:
        return [] if message.message_id in self._answered_buttons else buttons_of(message)

    async def _answer_buttons(self, message: ChatMessage, buttons: Sequence[Json]) -> bool:
        """Press one, or say yes in words; say whether there was anything to answer."""
        by_verb: dict[str, list[str]] = {}
        for button in buttons:
            data = str(button.get("callback_data", ""))
            by_verb.setdefault(data.partition(":")[0], []).append(data)
        self._answered_buttons.add(message.message_id)
        if YES in by_verb:
            await self._answer_proposal(message, by_verb[YES][0], by_verb[NO][0])
        elif SLOT in by_verb:
            await self._press(message, self.rng.choice(by_verb[SLOT]), "another time")
        else:
            return False
        return True

    async def _answer_proposal(self, message: ChatMessage, yes: str, no: str) -> None:
        if self.manner.changes_mind and not self._changed_mind:
            self._changed_mind = True
            self._wish = None
            await self._press(message, no, "no")
            return
        proposal = UUID(yes.partition(":")[2])
        if self.manner.in_words:
            update_id = await self._say(self.rng.choice(_YES_WORDS), "yes in words")
        else:
            update_id = await self._press(message, yes, "yes")
        if update_id:
            self.yeses.append(Yes(user_id=self.user.id, proposal=proposal, update_id=update_id))

    async def _press(self, message: ChatMessage, data: str, what: str) -> int:
        async def press() -> int:
            return await self.telegram.people.press_stale_button(self.bot_id, self.user, message.message_id, data)

        return await self._write(what, press)

    # ---- words

    def _next_words(self, heard: str) -> Sequence[str]:
        if self._wish is None or _BOOKED in heard:
            if self.manner.only_asks or (self._wish is not None and self.left < 4):
                return [self.rng.choice(_SMALL_TALK)]
            self._wish, self._said = next(self.wishes), 0
            opening = f"{self._wish.opening} {self._wish.day:%d.%m}"
            return ["Здравствуйте!", opening] if self.manner.in_bursts else [opening]
        self._said += 1
        times = _TIME.findall(heard)
        if self._said == 1 or (not times and self._said % 2):
            named = f"{self._wish.service}, мастер {self._wish.master}"
            return [self._wish.service, f"к мастеру {self._wish.master}"] if self.manner.in_bursts else [named]
        if not times:
            return [self._wish.at_once]
        chosen = self._wish.time if self._wish.time in times else self.rng.choice(times)
        return [f"Давайте в {chosen}"]

    async def _say(self, text: str, what: str = "text") -> int:
        async def say() -> int:
            return await self.telegram.people.send_text(self.bot_id, self.user, text)

        return await self._write(what, say)

    async def _share_contact(self) -> int:
        return await self.telegram.people.share_contact(self.bot_id, self.user, self.phone)

    # ---- one message

    async def _write(self, what: str, act: Callable[[], Awaitable[int]]) -> int:
        await self.allowance.take()
        self.left -= 1
        self.done[what] += 1
        return await act()

    def _heard(self) -> int:
        chat = self.telegram.people.chat(self.bot_id, self.user.id)
        return sum(1 for one in chat.messages if one.from_bot) if chat else 0

    async def _wait_for_answer(self, heard: int, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self.telegram.state.changed:
                await self.telegram.state.changed.wait_for(lambda: self._heard() > heard)


def _asks_contact(chat: Chat) -> bool:
    rows = (chat.reply_keyboard or {}).get("keyboard", [])
    return any(isinstance(button, dict) and button.get("request_contact") for row in rows for button in row)


def make_wishes(rng: random.Random, today: date) -> Iterator[Wish]:
    """Return the wishes of one client, without end; clients made with equal `rng` want the same."""
    while True:
        day = today + timedelta(days=rng.randint(1, 6))
        if rng.random() < 0.25:
            opening, service, master = "Хочу на маникюр", "Маникюр", "Ольга Петрова"
        else:
            master = rng.choice(("Анна Смирнова", "Мария Иванова"))
            opening, service = "Хочу постричься", "Женская стрижка"
        time = f"{rng.randint(11, 18)}:{rng.choice(('00', '30'))}"
        yield Wish(opening=opening, service=service, master=master, day=day, time=time)


def make_people(
    telegram: TelegramSandbox,
    bot_id: int,
    *,
    count: int,
    messages: int,
    seed: int,
    today: date,
    allowance: Allowance,
    deadline_s: float,
) -> list[Person]:
    """Make the clients; every two want the same times."""
    done: Counter[str] = Counter()
    return [
        Person(
            telegram=telegram,
            bot_id=bot_id,
            user=User(id=_FIRST_ID + number, first_name=_NAMES[number % len(_NAMES)]),
            phone=f"+7916{number:07}",
            wishes=make_wishes(random.Random(f"{seed}:{number // 2}"), today),
            manner=Manner(
                changes_mind=number % 5 == 3,
                in_bursts=number % 4 == 1,
                in_words=number % 3 == 2,
                only_asks=number % 7 in (2, 5),
            ),
            left=messages // count + (number < messages % count),
            allowance=allowance,
            deadline_s=deadline_s,
            rng=random.Random(f"{seed}:person {number}"),
            done=done,
        )
        for number in range(count)
    ]


async def repeat_updates(telegram: TelegramSandbox, bot_id: int, rng: random.Random, done: Counter[str]) -> None:
    """Bring the last update once more now and then, as Telegram does when an answer got lost; until cancelled."""
    while True:
        await asyncio.sleep(rng.uniform(1.0, 4.0))
        if telegram.state.bots[bot_id].delivered:
            done["repeated by Telegram"] += 1
            await telegram.people.resend_last(bot_id)
