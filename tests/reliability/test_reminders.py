"""None is sent twice and none is lost, whatever step a process dies at, however many look, and whatever clocks do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.reminders import ReminderJob, ReminderStores
from bot.scopes import open_crm
from db.appointments import Appointments
from db.booking_models import appointments, reminders
from db.booking_records import BookedAppointment, ReminderState
from db.clients import Clients
from db.dialogues import Dialogues
from db.errors import LeaseLost
from db.intents import Intents
from db.models import messages, work
from db.outbox import Outbox
from db.outbox_models import replies
from db.outreach import Outreach
from db.records import ChannelType, WorkKind, dialogue_id_of, new_id
from db.reminders import Reminders, ask_to_remind
from orchestration.turns import TurnPostponed
from sandbox.business import Business
from sandbox.seeds import ELITA_ID, elita_business
from sandbox.yclients.staff_side import YclientsSalon

MOSCOW = ZoneInfo("Europe/Moscow")
LEASE = timedelta(seconds=12)
DAY, TWO = timedelta(hours=24), timedelta(hours=2)
FILE = "name: Элита\nslug: elita\ntime_zone: Europe/Moscow\naddress: Москва\nreminders: [24h, 2h]\n"
MOST_STEPS = 40


class Killed(Exception):
    """The process died here."""


class Steps:
    """How many steps the process still has."""

    def __init__(self, step, *, after):
        self.left, self.after = step, after


class Dying:
    """A store of a process that dies at one of its steps, right before it or right after it."""

    def __init__(self, store, steps):
        self._store, self._steps = store, steps

    def __getattr__(self, name):
        async def take(*arguments, **named):
            self._steps.left -= 1
            if self._steps.left == 0 and not self._steps.after:
                raise Killed(name)
            outcome = await getattr(self._store, name)(*arguments, **named)
            if self._steps.left == 0:
                raise Killed(name)
            return outcome

        return take


class Salon:
    """The salon with one appointment tomorrow at three, made by a client in Telegram."""

    def __init__(self, core, scopes, company_id, channel, vendors):
        self.core, self.scopes, self.company_id, self.channel = core, scopes, company_id, channel
        business: Business = elita_business()
        book = vendors.yclients.book.salons[ELITA_ID]
        self.staff = YclientsSalon(business, server=vendors.yclients, salon=book)
        self.crm = vendors.yclients
        self.booked = None

    def job(self, steps=None):
        core = self.core

        def part(store):
            return store if steps is None else Dying(store, steps)

        stores = ReminderStores(
            database=core.database,
            work=part(core.work),
            appointments=part(Appointments()),
            reminders=part(Reminders()),
            dialogues=part(Dialogues()),
            clients=part(Clients()),
            outreach=part(Outreach()),
            outbox=part(Outbox(core.clock)),
            intents=part(Intents()),
            directory=core.directory,
            doorbell=core.doorbell,
        )
        return ReminderJob(stores, self.scopes, core.clock)

    async def books(self):
        """Let there be a client with a visit tomorrow at three, whose reminders are planned."""
        key = f"{new_id().hex}"
        starts = datetime.fromisoformat("2026-11-25T15:00")
        record_id = self.staff.book_by_hand(
            master="Анна Смирнова", service="Стрижка женская", starts=starts, client="Елена", phone="+79160000001"
        )
        dialogue_id = dialogue_id_of(self.channel.id, key)
        booked = BookedAppointment(
            id=new_id(),
            company_id=self.company_id,
            branch_id=(await self.scopes.open(self.company_id)).branches[0].id,
            dialogue_id=dialogue_id,
            crm_record_id=record_id,
            external_id=f"aiadm-{new_id().hex}",
            starts_at=starts.replace(tzinfo=MOSCOW),
            duration=timedelta(hours=1),
            service_names=("Стрижка женская",),
            staff_name="Анна Смирнова",
            client_name="Елена",
            visitor_name=None,
            phone="+79160000001",
            phone_proved=True,
        )
        async with self.core.database.company(self.company_id) as tx:
            await Dialogues().open_dialogue(
                tx, channel_id=self.channel.id, dialogue_id=dialogue_id, key=key, now=self.core.clock()
            )
            self.booked = await Appointments().save(tx, booked)
            await ask_to_remind(tx, self.booked, now=self.core.clock())
        await self.looks()

    async def claim(self):
        claims = await self.core.work.claim("worker", limit=1, ttl=LEASE, kind=WorkKind.REMINDER)
        return claims[0] if claims else None

    async def looks(self, job=None):
        """Let one worker do what is due; say whether there was anything."""
        claim = await self.claim()
        if claim is not None:
            await (job or self.job())(claim)
        return claim is not None

    async def rings(self):
        async with self.core.database.company(self.company_id) as tx:
            await ask_to_remind(tx, self.booked, now=self.core.clock())

    async def comes(self, text):
        self.core.clock.now = datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=MOSCOW)

    async def rows(self, table, *columns):
        async with self.core.database.company(self.company_id) as tx:
            found = await tx.connection.execute(select(*columns).where(table.c.company_id == self.company_id))
            return list(found.mappings())

    async def sent(self):
        """Return the reminders in the outbox."""
        found = await self.rows(replies, replies.c.payload, replies.c.dialogue_id)
        return [row["payload"]["text"] for row in found if "Напоминаю" in row["payload"].get("text", "")]


@pytest.fixture
async def salon(core, vendors):
    company = await replace_from_file(core.companies, parse_company_file(FILE))
    await core.companies.set_crm(
        company.id,
        "yclients",
        options={"api_url": vendors.yclients.url, "company_id": str(ELITA_ID)},
        secrets={
            "partner_token": SecretStr(vendors.yclients.partner_token),
            "user_token": SecretStr(vendors.yclients.user_token),
        },
    )
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="elita", name="elita", options={}, secrets={}
    )
    async with open_crm(core) as scopes:
        made = Salon(core, scopes, company.id, channel, vendors)
        await made.books()
        yield made


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.timeout(300)
async def test_a_reminder_goes_out_once_whatever_step_the_process_died_at(salon, after):
    for step in range(1, MOST_STEPS):
        if step > 1:
            await salon.comes("24 12:00")
            salon.staff.salon.records.clear()
            await salon.books()
        await salon.comes("24 15:00")
        before = len(await salon.sent())
        try:
            await salon.looks(salon.job(Steps(step, after=after)))
        except Killed:
            died = True
        else:
            died = False
        salon.core.clock.advance(LEASE + timedelta(seconds=1))
        await salon.looks()
        # And whoever is woken for nothing finds that it is done.
        await salon.rings()
        await salon.looks()

        assert len(await salon.sent()) == before + 1
        if not died:
            break
    assert step > 8


async def test_a_worker_that_lost_its_lease_sends_nothing_beside_the_one_that_took_over(salon):
    await salon.comes("24 15:00")
    frozen = await salon.claim()
    salon.core.clock.advance(LEASE + timedelta(seconds=1))

    assert await salon.looks()
    with pytest.raises(LeaseLost):
        await salon.job()(frozen)
    assert len(await salon.sent()) == 1


async def test_two_workers_that_wake_with_the_same_lease_send_one(salon):
    """A worker's lease ran out while it was reading the CRM, and another took it: only one may commit."""
    await salon.comes("24 15:00")
    frozen = await salon.claim()
    salon.core.clock.advance(LEASE + timedelta(seconds=1))
    other = await salon.claim()

    done = await asyncio.gather(salon.job()(frozen), salon.job()(other), return_exceptions=True)

    assert [type(one) for one in done] == [LeaseLost, type(None)]
    assert len(await salon.sent()) == 1


async def test_the_key_alone_keeps_a_reminder_from_being_sent_twice(salon):
    """Two transactions that both hold the appointment for theirs: the second is told no."""
    turns = [new_id(), new_id()]

    async def mark(turn_id):
        async with salon.core.database.company(salon.company_id) as tx:
            return await Reminders().mark_sent(tx, salon.booked, DAY, turn_id=turn_id, now=salon.core.clock())

    assert sorted(await asyncio.gather(*map(mark, turns))) == [False, True]


async def test_a_clock_that_is_put_back_sends_nothing_again(salon):
    await salon.comes("24 15:00")
    await salon.looks()
    for moment in ("24 12:00", "24 14:59", "24 15:00", "24 15:01", "24 23:00"):
        await salon.comes(moment)
        await salon.rings()
        await salon.looks()

    assert len(await salon.sent()) == 1
    states = {row["lead_s"]: row["state"] for row in await salon.rows(reminders, reminders)}
    assert states == {DAY.total_seconds(): ReminderState.SENT, TWO.total_seconds(): ReminderState.PLANNED}


async def test_what_the_crm_says_while_a_reminder_is_being_made_counts_and_not_what_it_said_before(salon):
    """A turn of ours moves the visit after it was read and before the commit: nothing is sent to the old time."""
    await salon.comes("24 15:00")
    claim = await salon.claim()
    job = salon.job()
    read = job._read_in_crm

    async def read_and_then_moved(crm, visit):
        found = await read(crm, visit)
        async with salon.core.database.company(salon.company_id) as tx:
            later = replace(salon.booked, starts_at=salon.booked.starts_at + timedelta(hours=3))
            await Appointments().save(tx, later)
        return found

    job._read_in_crm = read_and_then_moved
    await job(claim)

    assert await salon.sent() == []


async def test_a_crm_that_does_not_answer_puts_the_reminder_off_and_loses_nothing(salon):
    await salon.comes("24 15:00")
    salon.crm.fail_next("/record/", times=1000, status=500)
    claim = await salon.claim()
    with pytest.raises(TurnPostponed):
        await salon.job()(claim)
    await salon.core.work.release(claim, due_at=salon.core.clock() + timedelta(minutes=2), failed=False)
    salon.crm.clear_faults()
    assert await salon.sent() == []

    salon.core.clock.advance(timedelta(minutes=30))
    await salon.looks()

    assert len(await salon.sent()) == 1


async def test_a_visit_that_is_over_or_cancelled_needs_no_more_looks(salon):
    await salon.comes("25 15:00")
    await salon.looks()
    [row] = [one for one in await salon.rows(work, work) if one["kind"] == WorkKind.REMINDER.value]

    assert row["due_at"] is None
    assert await salon.sent() == []


async def test_what_is_erased_is_not_reminded_of(salon):
    async with salon.core.database.company(salon.company_id) as tx:
        await tx.connection.execute(appointments.delete().where(appointments.c.company_id == salon.company_id))
    await salon.comes("24 15:00")
    await salon.looks()

    assert await salon.sent() == []
    assert await salon.rows(messages, messages.c.text) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.timeout(300)
async def test_the_crm_is_told_once_that_a_client_comes_whatever_step_the_process_died_at(salon, after):
    def told():
        return len([call for call in salon.crm.calls if call["method"] == "PUT"])

    record = salon.staff.salon.records[int(salon.booked.crm_record_id)]
    for step in range(1, MOST_STEPS):
        record["attendance"], before, died = 0, told(), False
        async with salon.core.database.company(salon.company_id) as tx:
            await tx.connection.execute(appointments.update().values(confirmed_for=None, crm_told_of=None))
            assert await Appointments().mark_confirmed(tx, salon.booked)
        await salon.rings()
        try:
            await salon.looks(salon.job(Steps(step, after=after)))
        except Killed:
            died = True
        salon.core.clock.advance(LEASE + timedelta(seconds=1))
        await salon.looks()

        [row] = await salon.rows(appointments, appointments)
        assert (record["attendance"], row["crm_told_of"], told()) == (2, salon.booked.starts_at, before + 1)
        if not died:
            break
    assert step > 4


async def test_what_a_client_said_of_an_earlier_time_is_not_kept_for_a_later_one(salon):
    async with salon.core.database.company(salon.company_id) as tx:
        moved = replace(salon.booked, starts_at=salon.booked.starts_at + timedelta(hours=1))
        await Appointments().save(tx, moved)
        assert not await Appointments().mark_confirmed(tx, salon.booked)
        assert await Appointments().mark_confirmed(tx, moved)
