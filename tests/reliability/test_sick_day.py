"""The worker dies at awaits all over /sick: the list, the tap, each offer, an answer, the list brought up to date."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from house_by_hand import by_hand
from house_desk import IRINA
from sqlalchemy import func, select

from bot.attempts import Attempts
from bot.lane import LEASE
from bot.sick_watch import work_of
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.models import accepted_updates
from db.outbox_models import replies
from db.records import WorkKind, dialogue_id_of, new_id
from db.sick_days import SickDays
from handlers.staff_notices import chat_with
from house_installation import STAFF_CHAT
from orchestration.sick_day import ANSWER_WITHIN

ANNA = "Анна Смирнова"
FIRST = date(2026, 11, 26)
"""The first day that is called off; each pass has one of its own."""
PASSES = 40
"""How many of the awaits a worker dies at, spread over all of them."""
MOSCOW = ZoneInfo("Europe/Moscow")
GOES_ON = LEASE + timedelta(seconds=1)


class Mortal:
    """Awaits a coroutine, and has its task cancelled at the nth suspension from now: as `kill` ends it, nothing more is
    decided; what it holds in the database falls with its connection. `life` is shared by all that one worker does."""

    def __init__(self, coroutine, life):
        self.coroutine, self.life = coroutine, life

    def __await__(self):
        inner = self.coroutine.__await__()
        sent, error = None, None
        while True:
            try:
                waited = inner.throw(error) if error is not None else inner.send(sent)
            except StopIteration as end:
                return end.value
            if self.life.left == 0:
                asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
            self.life.left -= 1
            self.life.steps += 1
            sent, error = None, None
            try:
                sent = yield waited
            except BaseException as raised:
                error = raised


@dataclass
class Life:
    """How many suspensions a worker has left, and how many it has had. `died_at`: the kind of work, and whose."""

    left: int
    steps: int = 0
    died_at: list[tuple[WorkKind, object]] = field(default_factory=list)


class Stage:
    """The salon, Ирина at its desk, two clients; a worker that may die in any work, another that goes on."""

    def __init__(self, house, app, channel):
        self.house, self.app, self.channel = house, app, channel
        self.core, self.people = house.core, house.vendors.telegram.people
        self.bot = house.bots[house.company_id]
        self.desk = chat_with(channel, str(STAFF_CHAT))
        self.clients = [house.client(name) for name in ("Елена", "Зоя")]
        self.life = Life(left=-1)

    def dialogue_of(self, client):
        return dialogue_id_of(self.channel.id, f"{client.user.id}:{client.user.id}:")

    async def works(self, kind, dialogue_id):
        """Do what is due of one dialogue and kind; return whether there was anything. Who dies leaves it to others."""
        task = asyncio.create_task(self._run(Mortal(self._work(kind, dialogue_id), self.life)))
        await asyncio.wait([task])
        if not task.cancelled():
            return task.result()
        self.life.died_at.append((kind, dialogue_id))
        self.core.clock.advance(GOES_ON)
        return True

    async def _run(self, mortal):
        return await mortal

    async def _work(self, kind, dialogue_id):
        claims = await self.core.work.claim("test", limit=1, ttl=LEASE, kind=kind, only=dialogue_id)
        job = self.app.jobs[kind]
        for claim in claims:
            await Attempts(job, self.core.work, self.core.clock).make(claim, partial(job, claim))
        return bool(claims)

    async def settles(self, sick_id=None):
        """Do everything that is due of these people, and of the list."""
        ids = [self.desk.id, *(self.dialogue_of(client) for client in self.clients)]
        pieces = [(kind, id_) for id_ in ids for kind in (WorkKind.TURN, WorkKind.DELIVERY)]
        pieces += [(WorkKind.SICK, sick_id)] if sick_id is not None else []
        for _ in range(30):
            if not any([await self.works(kind, id_) for kind, id_ in pieces]):
                return
        raise AssertionError("it never comes to an end")

    async def stored(self, dialogue_id):
        """Wait until the gateway has stored what was written last."""
        async with asyncio.timeout(10):
            while not await self._waiting(dialogue_id):  # noqa: ASYNC110 (another process's work)
                await asyncio.sleep(0.01)

    async def _waiting(self, dialogue_id):
        table = accepted_updates.c
        async with self.core.database.company(self.house.company_id) as tx:
            return await tx.connection.scalar(
                select(func.count()).where(table.dialogue_id == dialogue_id, table.done_at.is_(None))
            )

    async def writes(self, user, dialogue_id, text, sick_id=None):
        await self.people.send_text(self.bot, user, text)
        await self.stored(dialogue_id)
        await self.settles(sick_id)

    async def presses(self, user, dialogue_id, label, sick_id=None):
        chat = self.people.chat(self.bot, user.id)
        for message in reversed(chat.messages):
            for row in (message.markup or {}).get("inline_keyboard", []):
                for button in row:
                    if label in button["text"]:
                        await self.people.press_button(self.bot, user, message.message_id, button["callback_data"])
                        await self.stored(dialogue_id)
                        await self.settles(sick_id)
                        return
        raise AssertionError(f"no button {label!r}: {[one.text for one in chat.messages][-3:]}")

    async def books(self, day):
        """Let both clients have a visit with Анна on a day, and somebody whom only the CRM knows a third one."""
        crm, branch = self.house.salon_staff(), await self.branch()
        for hour, client in zip((15, 16), self.clients, strict=True):
            starts = datetime.combine(day, time(hour))
            name = client.user.first_name
            record = crm.book_by_hand(
                master=ANNA, service="Стрижка женская", starts=starts, client=name, phone=client.phone
            )
            booked = BookedAppointment(
                id=new_id(),
                company_id=self.house.company_id,
                branch_id=branch.id,
                dialogue_id=self.dialogue_of(client),
                crm_record_id=record,
                external_id=f"aiadm-{new_id().hex}",
                starts_at=starts.replace(tzinfo=MOSCOW),
                duration=timedelta(hours=1),
                service_names=("Стрижка женская",),
                staff_name=ANNA,
                client_name=name,
                visitor_name=None,
                phone=client.phone,
                phone_proved=True,
            )
            async with self.core.database.company(self.house.company_id) as tx:
                await Appointments().save(tx, booked)
        crm.book_by_hand(
            master=ANNA,
            service="Стрижка женская",
            starts=datetime.combine(day, time(17)),
            client="Инна",
            phone="+79169990001",
        )

    async def branch(self):
        return (await self.core.companies.get_snapshot(self.house.company_id)).branches[0]

    async def sick_id(self, day):
        async with self.core.database.company(self.house.company_id) as tx:
            sick = await SickDays().find_standing(tx, (await self.branch()).id, ANNA, day)
        return work_of(sick)

    async def offers_put(self, client, words):
        """How often the client was asked, by what was committed to be sent."""
        table = replies.c
        async with self.core.database.company(self.house.company_id) as tx:
            texts = await tx.connection.scalars(
                select(table.payload["text"].astext).where(table.dialogue_id == self.dialogue_of(client))
            )
            return sum(words in text for text in texts)

    def the_list(self, day):
        """The latest list of a day as the chat shows it."""
        chat = self.people.chat(self.bot, STAFF_CHAT)
        head = f"{ANNA}, "
        named = [one.text for one in chat.messages if one.from_bot and one.text.startswith(head)]
        return next(text for text in reversed(named) if f", {day.day} " in text.splitlines()[0])

    def standing(self, day):
        return [one["client"]["name"] for one in self.house.records() if one["date"][:10] == day.isoformat()]


@pytest.fixture
async def stage(core, vendors, clock):
    async with by_hand(core, vendors, clock) as (house, app):
        stage = Stage(house, app, await house.channel())
        for client in stage.clients:
            await stage.writes(client.user, stage.dialogue_of(client), "/start")
        yield stage


async def one_pass(stage, day):
    """Call a day off from the first word to the last look at the list."""
    first, _ = stage.clients
    await stage.books(day)
    await stage.writes(IRINA, stage.desk.id, f"/sick {ANNA} {day.isoformat()}")
    sick_id = await stage.sick_id(day)
    await stage.presses(IRINA, stage.desk.id, "Предложить клиентам", sick_id)
    await stage.presses(first.user, stage.dialogue_of(first), "Отменить запись", sick_id)
    await stage.presses(first.user, stage.dialogue_of(first), "Да", sick_id)
    stage.core.clock.advance(timedelta(minutes=1))
    await stage.settles(sick_id)
    stage.core.clock.advance(ANSWER_WITHIN)
    await stage.settles(sick_id)


@pytest.mark.timeout(900)
async def test_each_client_is_asked_once_and_the_list_ends_right_wherever_the_worker_dies(stage):
    stage.life = Life(left=-1)
    await one_pass(stage, FIRST)
    awaits, killed_in, died = stage.life.steps, set(), 0
    assert awaits > PASSES, "the whole of it has more awaits than that"

    for number in range(PASSES):
        day = FIRST + timedelta(days=1 + number)
        at = number * awaits // PASSES
        stage.life = Life(left=at)
        heard = [len(client.heard) for client in stage.clients]

        await one_pass(stage, day)

        died += bool(stage.life.died_at)
        killed_in |= {kind for kind, _ in stage.life.died_at}
        in_delivery = {id_ for kind, id_ in stage.life.died_at if kind is WorkKind.DELIVERY}
        for client, had, hour in zip(stage.clients, heard, (15, 16), strict=True):
            said = [one for one in client.heard[had:] if "не сможет принять вас" in one]
            assert await stage.offers_put(client, said[0]) == 1, f"await {at}: asked more than once: {said}"
            assert f"{hour}:00" in said[0]
            # A messenger that was killed in the middle of may have taken it: then it is sent again.
            assert len(said) == 1 or stage.dialogue_of(client) in in_delivery, f"await {at}: {said}"
        shown = stage.the_list(day).splitlines()
        assert ["➖ отменена" in shown[1], "📞 нужно" in shown[2], "📞 нужно" in shown[3]] == [True] * 3, (at, shown)
        assert "Позвонить: 2" in shown[4], (at, shown)
        assert stage.standing(day) == ["Зоя", "Инна"], f"await {at}"

    assert died > PASSES * 0.9, "a worker that is to die does"
    assert {WorkKind.TURN, WorkKind.DELIVERY, WorkKind.SICK} <= killed_in
