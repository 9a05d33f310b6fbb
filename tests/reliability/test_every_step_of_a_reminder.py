"""The worker dies between any two steps of what becomes of a reminder, and the gateway on both sides of its commit:
none comes twice, none is lost, and none comes after the visit was moved or cancelled."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from house_by_hand import by_hand
from house_mortal import Gateway, MortalWorker, count_steps

from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.records import WorkKind, dialogue_id_of, new_id
from db.reminders import HOLDS_FOR, ask_to_remind
from sandbox.seeds import ELITA_ID

MOSCOW = ZoneInfo("Europe/Moscow")
TUESDAY = datetime(2026, 11, 24, tzinfo=MOSCOW)
DAY, TWO = timedelta(hours=24), timedelta(hours=2)
KINDS = (WorkKind.TURN, WorkKind.DELIVERY, WorkKind.REMINDER, WorkKind.CRM)
MOST_STEPS = 40


class Salon:
    """The salon, a client a week, and one worker who may die."""

    def __init__(self, house, worker):
        self.house, self.worker = house, worker
        self.staff = house.salon_staff()
        self.people, self.bot = house.vendors.telegram.people, house.bots[house.company_id]

    async def new_week(self, number):
        """Let somebody new have written on a Tuesday at noon; what died before is no longer counted."""
        self.worker.twice.clear()
        self.worker.died, self.tuesday = 0, TUESDAY + timedelta(weeks=number)
        await self.comes(0, "12:00")
        self.client = self.house.client("Елена")
        await self.people.send_text(self.bot, self.client.user, "Здравствуйте")
        await self.worker.settles()

    def at(self, day, hours):
        return self.tuesday + timedelta(days=day, hours=int(hours[:2]), minutes=int(hours[3:]))

    async def comes(self, day, hours, **more):
        """Let it be this time, so many days after Tuesday, and all be done that is due."""
        self.house.clock.now = self.at(day, hours).astimezone(ZoneInfo("UTC"))
        await self.worker.settles(**more)

    async def books(self, day, hours):
        """Let a visit of the client's stand, whose reminders are planned; return its record."""
        house, starts = self.house, self.at(day, hours)
        record_id = self.staff.book_by_hand(
            master="Анна Смирнова", service="Стрижка женская", starts=starts.replace(tzinfo=None), client="Елена",
            phone=self.client.phone,
        )  # fmt: skip
        user = self.client.user.id
        snapshot = await house.core.companies.get_snapshot(house.company_id)
        booked = BookedAppointment(
            id=new_id(),
            company_id=house.company_id,
            branch_id=snapshot.branches[0].id,
            dialogue_id=dialogue_id_of((await house.channel()).id, f"{user}:{user}:"),
            crm_record_id=record_id,
            external_id=f"aiadm-{new_id().hex}",
            starts_at=starts,
            duration=timedelta(hours=1),
            service_names=("Стрижка женская",),
            staff_name="Анна Смирнова",
            client_name="Елена",
            visitor_name=None,
            phone=self.client.phone,
            phone_proved=True,
        )
        async with house.core.database.company(house.company_id) as tx:
            await ask_to_remind(tx, await Appointments().save(tx, booked), now=house.clock())
        await self.worker.settles()
        return record_id

    async def crm_tells(self):
        await self.house.vendors.yclients.journal.hooks.settle()

    async def presses(self, label, **more):
        message, data = self.client.button(label)
        await self.people.press_button(self.bot, self.client.user, message.message_id, data)
        await self.worker.settles(**more)

    def record(self, record_id):
        return self.staff.salon.records[int(record_id)]

    def heard(self):
        """Return what the client was told, without what Telegram took and the dead process could not keep."""
        user = str(self.client.user.id)
        uncertain = Counter({text: n for (chat, text), n in self.worker.twice.items() if chat == user})
        found = Counter(self.client.heard)
        assert not uncertain - found, (uncertain, found)
        return found - uncertain

    def reminded(self):
        """Return the times that the client was reminded of, in no order."""
        said = [text for text in self.heard().elements() if "Напоминаю" in text or "Ждём вас: " in text]
        return sorted(one for text in said for one in ("11:00", "12:00", "15:00", "18:00") if one in text)

    def told(self, words):
        return sum(words in text for text in self.heard().elements())


@pytest.fixture
async def salon(core, vendors, clock, monkeypatch):
    count_steps(monkeypatch)
    clock.now -= timedelta(hours=1)
    async with by_hand(core, vendors, clock) as (house, app):
        standing = await house.core.companies.get_snapshot(house.company_id)
        agent = replace(standing.agent, reminders=(DAY, TWO))
        await house.core.companies.replace_company(standing.company, agent, standing.branches)
        house.core.directory.forget(house.company_id)
        worker = MortalWorker(house, app, KINDS)
        made = Salon(house, worker)
        made.gateway = Gateway(monkeypatch)
        token = await house.core.companies.make_crm_hook(house.company_id, standing.branches[0].id)
        door = f"{house.url}/api/v1/crm/webhook/{token}"
        vendors.yclients.journal.hooks.settings[ELITA_ID] = {"urls": [door], "active": 1, "record": 1}
        # The first look at the CRM begins what later looks go on from.
        await worker.settles()
        yield made
        await made.crm_tells()
        await worker.ends()


async def is_reminded_and_says_yes(salon):
    salon.moved = await salon.books(1, "15:00")
    await salon.comes(0, "15:00")
    assert salon.reminded() == ["15:00"]
    await salon.presses("Приду")
    assert salon.told("Спасибо, ждём вас") == 1
    assert salon.record(salon.moved)["attendance"] == 2


async def is_moved_in_the_crm(salon):
    salon.house.clock.now = salon.at(0, "16:00").astimezone(ZoneInfo("UTC"))
    salon.staff.move_by_hand(salon.moved, salon.at(1, "18:00").replace(tzinfo=None))
    await salon.crm_tells()
    await salon.worker.settles()
    assert salon.told("перенёс") == 1
    await salon.comes(0, "18:00")
    assert salon.reminded() == ["15:00", "18:00"]


async def cancels_out_of_the_reminder(salon):
    await salon.comes(1, "10:00")
    cancelled = await salon.books(2, "11:00")
    await salon.comes(1, "11:00")
    assert salon.reminded() == ["11:00", "15:00", "18:00"]
    await salon.presses("Отменить")
    assert salon.told("Отменить запись?") == 1
    # Who died in the middle of a write asks the CRM what became of it when the first call's time is over.
    await salon.presses("Да, отменить запись", within=timedelta(minutes=3))
    assert salon.record(cancelled)["deleted"]
    assert salon.told("отменена") == 1


async def is_reminded_two_hours_before(salon):
    await salon.comes(1, "16:00")
    assert salon.reminded() == ["11:00", "15:00", "18:00", "18:00"]
    await salon.comes(2, "09:00")
    assert len(salon.reminded()) == 4


async def is_cancelled_in_the_crm_while_nobody_lives(salon):
    """The reminder stands in the outbox already, and nothing can send it."""
    gone = await salon.books(3, "12:00")
    salon.house.clock.now = salon.at(2, "12:00").astimezone(ZoneInfo("UTC"))
    await salon.worker.settles(WorkKind.REMINDER)
    salon.staff.cancel_by_hand(gone)
    await salon.crm_tells()
    salon.house.clock.advance(HOLDS_FOR + timedelta(seconds=1))
    await salon.worker.settles()
    await salon.comes(3, "10:00")
    assert len(salon.reminded()) == 4
    assert salon.told("отменил вашу запись") == 1


async def is_cancelled_in_the_crm_which_tells_of_it_at_once(salon):
    gone = await salon.books(4, "12:00")
    salon.house.clock.now = salon.at(3, "12:00").astimezone(ZoneInfo("UTC"))
    await salon.worker.settles(WorkKind.REMINDER)
    salon.staff.cancel_by_hand(gone)
    await salon.crm_tells()
    await salon.worker.settles(WorkKind.CRM)
    await salon.worker.settles()
    await salon.comes(4, "10:00")
    assert len(salon.reminded()) == 4
    assert salon.told("отменил вашу запись") == 2


SCENES = (
    is_reminded_and_says_yes,
    is_moved_in_the_crm,
    cancels_out_of_the_reminder,
    is_reminded_two_hours_before,
    is_cancelled_in_the_crm_while_nobody_lives,
    is_cancelled_in_the_crm_which_tells_of_it_at_once,
)


@pytest.mark.timeout(600)
async def test_reminders_go_on_whatever_step_a_process_died_at(salon):
    for step in range(MOST_STEPS):
        salon.worker.step = step
        salon.gateway.dies = {0: "before", 1: "after"}.get(step)
        await salon.new_week(step)
        for scene in SCENES:
            try:
                await scene(salon)
            except AssertionError as error:
                error.add_note(f"died after step {step}")
                raise
        if not salon.worker.died:
            break
    assert step > 6
