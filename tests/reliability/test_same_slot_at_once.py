"""Fifty clients over two channels confirm overlapping times of one master at once: one books, the rest hear others."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
from aiohttp import ClientSession, ClientTimeout
from sqlalchemy import select

from bot.channels.api import add_api
from bot.scopes import open_crm
from crm.base import ServiceId, StaffId
from db.booking_models import intents
from db.booking_records import IntentKind
from db.dialogue_state import DialogueStates
from db.dialogues import Dialogues
from db.models import work
from db.records import ChannelType, dialogue_id_of, new_id
from orchestration.conversation import Conversation, KeptPrice, Offer, Part, Proposal
from orchestration.recorded_writes import CALL_LIMIT

TOMORROW = date(2026, 11, 25)
ANNA = StaffId("101")
BUSY = "только что заняли"
DONE = "Готово"
WANTED = [("502", "13:30"), ("502", "14:30"), ("501", "15:30"), ("501", "16:00"), ("502", "15:00"), ("502", "16:00")]
"""Services of one and three hours and their beginnings: all of them take the half hour from 16:00."""


@pytest.fixture
def settings(settings):
    """A company alone has half of the places: all fifty get one."""
    return settings.model_copy(update={"turns_at_once": 100})


@dataclass
class Crowd:
    """Clients who were all shown a proposal, half of them in Telegram, half over `POST /process`."""

    house: object
    session: ClientSession
    in_telegram: list
    over_api: list[str]
    answers: dict[str, str]

    async def confirm(self):
        """Everybody says yes at once, and waits for what comes."""
        people = self.house.vendors.telegram.people
        async with asyncio.TaskGroup() as group:
            for client in self.in_telegram:
                group.create_task(people.send_text(client.bot_id, client.user, "Да"))
            for client_id in self.over_api:
                group.create_task(self.ask(client_id))

    async def ask(self, client_id):
        """Ask, and ask again with the same id while there is no answer yet."""
        body = {"message_id": client_id, "client_id": client_id, "text": "Да"}
        while client_id not in self.answers:
            async with self.session.post(f"{self.house.url}/process", json=body) as response:
                answer = await response.json()
            if answer["status"] == "answered":
                self.answers[client_id] = "\n".join(reply["text"] for reply in answer["replies"])

    def told(self):
        """Return what everybody who was answered has heard."""
        in_telegram = ["\n".join(client.heard) for client in self.in_telegram if client.heard]
        return [*in_telegram, *self.answers.values()]

    def offered_with(self, master):
        """Return the times of tomorrow that anybody was offered with this master."""
        lines = "\n".join(text for text in self.told() if BUSY in text)
        return re.findall(rf"25 ноября, (\d\d:\d\d), {master}", lines)

    def outcomes(self):
        return Counter("booked" if DONE in text else "offered" if BUSY in text else text for text in self.told())


@asynccontextmanager
async def crowd_of(house, count):
    """Put an open proposal into the dialogues of so many clients, as the conversation before would have done."""
    offers = await offers_of(house)
    added = await add_api(house.core, house.company_id)
    channels = {channel.type: channel for channel in await house.core.companies.list_channels(house.company_id)}
    crowd = Crowd(house, None, [], [], {})
    async with AsyncExitStack() as stack:
        headers = {"Authorization": f"Bearer {added['bearer_token']}"}
        crowd.session = await stack.enter_async_context(ClientSession(headers=headers, timeout=ClientTimeout(100)))
        async with house.core.database.company(house.company_id) as tx:
            for number in range(count):
                client = house.client(f"Клиент {number}")
                if number % 2:
                    crowd.in_telegram.append(client)
                    channel, key = channels[ChannelType.TELEGRAM], f"{client.user.id}:{client.user.id}:"
                else:
                    crowd.over_api.append(f"c{number}")
                    channel, key = channels[ChannelType.API], f"c{number}"
                await propose(house, tx, channel, key, client, offers[number % len(offers)])
        yield crowd


async def propose(house, tx, channel, key, client, offer):
    dialogues, states = Dialogues(), DialogueStates(house.core.redis, house.core.redis_prefix)
    dialogue = await dialogues.open_dialogue(
        tx, channel_id=channel.id, dialogue_id=dialogue_id_of(channel.id, key), key=key, now=house.clock()
    )
    known = replace(dialogue, client_name=client.user.first_name, proved_phone=client.phone, greeted_at=house.clock())
    await dialogues.save_dialogue(tx, known)
    proposal = Proposal(
        id=new_id(),
        kind=IntentKind.CREATE,
        shown_at=house.clock(),
        offer=offer,
        client_name=client.user.first_name,
        phone=client.phone,
        phone_proved=True,
    )
    await states.save(tx, dialogue.id, Conversation().proposing(proposal).to_state(0))


async def offers_of(house):
    """The wanted times as the salon's own CRM offers them."""
    offers = []
    async with open_crm(house.core) as scopes:
        scope = await scopes.open(house.company_id)
        branch = scope.branches[0]
        for service, at in WANTED:
            slots = await scope.crm(branch.id).get_available_slots(
                [ServiceId(service)], first=TOMORROW, last=TOMORROW, staff_id=ANNA
            )
            [slot] = [slot for slot in slots if f"{slot.starts_at:%H:%M}" == at]
            offers.append(
                Offer(
                    id=f"s_{service}_{at}",
                    branch_id=branch.id,
                    parts=(part_of(slot),),
                    shown_at=house.clock(),
                )
            )
    return offers


def part_of(slot):
    return Part(
        service_ids=slot.service_ids,
        service_names=("Услуга",),
        staff_id=slot.staff.id,
        staff_name=slot.staff.name,
        starts_at=slot.starts_at,
        duration=slot.duration,
        price=KeptPrice.of(slot.price),
    )


def booking_calls(house):
    calls = house.vendors.yclients.calls
    return [one for one in calls if one["method"] == "POST" and one["path"].startswith("/api/v1/records/")]


async def statuses(house):
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.scalars(select(intents.c.status).where(intents.c.company_id == house.company_id))
        return Counter(rows)


async def turns_resting(house):
    """Say whether a turn waits, unheld, for a later moment."""
    async with house.core.database.company(house.company_id) as tx:
        rows = await tx.connection.execute(
            select(work.c.due_at).where(
                work.c.company_id == house.company_id,
                work.c.kind == "turn",
                work.c.lease_until.is_(None),
                work.c.due_at > house.clock(),
            )
        )
        return rows.all()


async def test_of_fifty_who_confirm_overlapping_times_at_once_one_books_and_the_rest_are_offered_others(house, until):
    async with crowd_of(house, 50) as crowd:
        answer = asyncio.Event()
        booking = house.vendors.yclients.fail_next("/records/", method="POST", times=50, hold_before=answer)

        async def others_have_heard():
            if await turns_resting(house):
                # On a busy machine a turn may have found no connection, and tries again in a moment.
                house.clock.advance(timedelta(seconds=2))
            return crowd.outcomes()["offered"] == 49

        async def everybody_has_heard():
            return len(crowd.told()) == 50

        confirming = asyncio.create_task(crowd.confirm())
        # The CRM has not booked anything yet, and shows the time as free: only the claim can tell the others.
        await until(others_have_heard)
        assert (booking.held, house.records()) == (1, [])
        answer.set()
        await confirming
        await until(everybody_has_heard)

        assert crowd.outcomes() == {"booked": 1, "offered": 49}
        assert len(booking_calls(house)) == 1
        assert await statuses(house) == {"done": 1, "refused": 49}
        [record] = house.records()
        begin = datetime.fromisoformat(record["datetime"])
        taken = [f"{begin + timedelta(minutes=minute):%H:%M}" for minute in range(0, record["seance_length"] // 60, 30)]
        assert not set(taken) & set(crowd.offered_with("Анна Смирнова"))


@pytest.mark.parametrize("where", ["before the call", "on the wire", "after the booking"])
async def test_a_worker_that_dies_on_the_way_leaves_one_booking_and_nobody_without_an_answer(house, where, until):
    async with crowd_of(house, 50) as crowd:
        crm, go_on = house.vendors.yclients, asyncio.Event()
        held = {
            "before the call": lambda: crm.fail_next("/book_check/", hold_before=go_on),
            "on the wire": lambda: crm.fail_next("/records/", method="POST", hold_before=go_on),
            "after the booking": lambda: crm.fail_next("/records/", method="POST", hold_after=go_on),
        }[where]()

        async def is_held():
            return held.held == 1

        async def everybody_has_heard():
            heard = len(crowd.told())
            if heard == 49 and await turns_resting(house):
                # The winner's call may still be under way, for all that can be found out: its limit passes.
                house.clock.advance(CALL_LIMIT)
            return heard == 50

        confirming = asyncio.create_task(crowd.confirm())
        await until(is_held)
        await house.kill_worker()
        go_on.set()
        house.clock.advance(house.lease + timedelta(seconds=1))
        async with house.another_worker():
            await until(everybody_has_heard)
            await confirming

        assert crowd.outcomes() == {"booked": 1, "offered": 49}
        assert len(booking_calls(house)) == 1
        assert len(house.records()) == 1
        assert await statuses(house) == {"done": 1, "refused": 49}
        assert house.vendors.yclients.book.double_bookings() == 0
