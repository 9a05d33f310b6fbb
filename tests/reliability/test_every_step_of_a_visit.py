"""The process dies at each step of a visit's writes in turn, before it and after it: whoever goes on ends it whole."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.companies import replace_from_file
from bot.company_file import parse_company_file
from bot.records_of_writes import BeingBooked, CommittedIntents, MadeHere, WriteStores
from bot.scopes import open_crm
from crm.base import ServiceId, StaffId
from db.appointments import Appointments
from db.booking_models import appointments, intents, slot_claims
from db.booking_records import IntentKind
from db.clients import Clients
from db.dialogues import Dialogues
from db.intents import Intents
from db.records import Accepted, ChannelType, WorkKind, dialogue_id_of, new_id
from db.slot_claims import SlotClaims
from locales import Translator
from orchestration.booking import BookingDesk
from orchestration.conversation import Conversation, KeptPrice, Offer, Part, Proposal, ShownAppointment
from orchestration.errors import MediaUnavailable
from orchestration.messages import Choices, Message
from orchestration.proposals import Proposals
from orchestration.recorded_writes import CALL_LIMIT, TIME_HELD_FOR
from orchestration.turns import Turn, TurnPostponed
from sandbox.seeds import ELITA_ID

LEASE = timedelta(seconds=12)
TOMORROW = date(2026, 11, 25)
MOST_STEPS = 30


class Killed(Exception):
    """The process died here."""


class Dying:
    """The intents of a process that dies at one of their steps, right before it or right after it."""

    def __init__(self, store, *, step, after):
        self._store, self._left, self._after = store, step, after

    def __getattr__(self, name):
        async def take(*arguments, **named):
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed(name)
            outcome = await getattr(self._store, name)(*arguments, **named)
            if self._left == 0:
                raise Killed(name)
            return outcome

        return take


class NoMedia:
    async def fetch(self, attachment, *, most_bytes):
        raise MediaUnavailable("none")


class Salon:
    """The salon Элита, and the desk of whichever process is alive."""

    def __init__(self, core, scopes, company_id, channel, vendors):
        self.core, self.scopes, self.company_id, self.channel = core, scopes, company_id, channel
        self.crm = vendors.yclients
        self.book = vendors.yclients.book.salons[ELITA_ID]
        stores = WriteStores(
            database=core.database, work=core.work, intents=Intents(), appointments=Appointments(), slots=SlotClaims()
        )
        self.intents = CommittedIntents(stores, core.clock)

    def desk(self, store=None):
        made_here = MadeHere(self.core.database, Clients(), Appointments(), self.core.clock)
        claimed = BeingBooked(self.core.database, SlotClaims(), self.core.clock)
        return BookingDesk(store or self.intents, claimed, Proposals(made_here))

    async def claim(self):
        [held] = await self.core.work.claim("worker", limit=1, ttl=LEASE, kind=WorkKind.TURN)
        return held

    async def turn(self, dialogue, claim, proposal):
        return Turn(
            scope=await self.scopes.open(self.company_id),
            claim=claim,
            dialogue=dialogue,
            conversation=Conversation().proposing(proposal),
            state_version=0,
            messages=(Message(id="1", sent_at=self.core.clock(), text="Да"),),
            history=(),
            now=self.core.clock(),
            texts=Translator.for_language("ru"),
            choices=Choices(most=24),
            media=NoMedia(),
        )

    @asynccontextmanager
    async def a_client(self):
        """Somebody who has just said yes, and the work that this makes; afterwards everything is as before."""
        key = new_id().hex
        await self.core.intake.accept(
            self.channel, [Accepted(update_key=key, dialogue_key=key, payload=b"{}")], quiet=timedelta(0)
        )
        async with self.core.database.company(self.company_id) as tx:
            dialogue = await Dialogues().open_dialogue(
                tx,
                channel_id=self.channel.id,
                dialogue_id=dialogue_id_of(self.channel.id, key),
                key=key,
                now=self.core.clock(),
            )
        yield dialogue
        claims = await self.core.work.claim("worker", limit=1, ttl=LEASE, kind=WorkKind.TURN)
        async with self.core.database.company(self.company_id) as tx:
            for held in claims:
                await self.core.work.done(tx, held)
        self.book.records.clear()
        self.core.clock.advance(TIME_HELD_FOR)

    async def dies_and_another_goes_on(self, dialogue, proposal, *, step, after):
        """Let a process die at this step of carrying out the yes, and others finish; return what the client hears.

        None: there are not so many steps.
        """
        turn = await self.turn(dialogue, await self.claim(), proposal)
        try:
            await self.desk(Dying(self.intents, step=step, after=after)).carry_out(turn, proposal)
        except Killed:
            self.core.clock.advance(LEASE + timedelta(seconds=1))
        else:
            return None
        for _ in range(10):
            turn = await self.turn(dialogue, await self.claim(), proposal)
            try:
                await self.desk().carry_out(turn, proposal)
            except TurnPostponed as postponed:
                self.core.clock.advance(max(postponed.delay, LEASE) + timedelta(seconds=1))
                continue
            self.core.clock.advance(CALL_LIMIT)
            return "\n".join(reply.text for reply in turn.replies)
        raise AssertionError("it never comes to an end")

    async def column(self, column):
        async with self.core.database.company(self.company_id) as tx:
            found = await tx.connection.scalars(select(column).where(column.table.c.company_id == self.company_id))
            return set(found)

    def standing(self):
        return [record for record in self.book.records.values() if not record["deleted"]]


@pytest.fixture
async def salon(core, vendors, elita_file):
    company = await replace_from_file(core.companies, parse_company_file(elita_file))
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
        company.id, ChannelType.API, external_id="elita", name="elita", options={}, secrets={}
    )
    async with open_crm(core) as scopes:
        yield Salon(core, scopes, company.id, channel, vendors)


async def offer_of(salon, scope):
    """A haircut at three by Анна and a manicure at four by Ольга, as the CRM shows them."""
    crm = scope.crm(scope.branches[0].id)
    parts = []
    for service, staff, at in (("501", "101", "15:00"), ("503", "103", "16:00")):
        slots = await crm.get_available_slots(
            [ServiceId(service)], first=TOMORROW, last=TOMORROW, staff_id=StaffId(staff)
        )
        [slot] = [slot for slot in slots if f"{slot.starts_at:%H:%M}" == at]
        parts.append(
            Part(
                service_ids=slot.service_ids,
                service_names=(service,),
                staff_id=slot.staff.id,
                staff_name=slot.staff.name,
                starts_at=slot.starts_at,
                duration=slot.duration,
                price=KeptPrice.of(slot.price),
            )
        )
    return Offer(id="s_1", branch_id=scope.branches[0].id, parts=tuple(parts), shown_at=salon.core.clock())


async def booking(salon):
    scope = await salon.scopes.open(salon.company_id)
    return Proposal(
        id=new_id(),
        kind=IntentKind.CREATE,
        shown_at=salon.core.clock(),
        offer=await offer_of(salon, scope),
        client_name="Елена",
        phone="+79160000001",
        phone_proved=True,
    )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.timeout(600)
async def test_a_visit_stands_whole_whatever_step_the_process_died_at(salon, after):
    for step in range(1, MOST_STEPS):
        async with salon.a_client() as dialogue:
            proposal = await booking(salon)
            said = await salon.dies_and_another_goes_on(dialogue, proposal, step=step, after=after)

            assert [record["staff_id"] for record in salon.standing()] == [101, 103]
            assert await salon.column(intents.c.status) == {"done"}
            if said is None:
                break
            assert "Готово" in said
            assert await salon.desk().was_done(await salon.turn(dialogue, None, proposal), proposal.id)
    assert step > 5


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.timeout(600)
async def test_nothing_of_a_visit_stands_whatever_step_the_process_died_at_where_a_part_is_refused(salon, after):
    salon.crm.fail_next("/records/", method="POST", word='-2"', times=1000, status=403)
    for step in range(1, MOST_STEPS):
        async with salon.a_client() as dialogue:
            proposal = await booking(salon)
            said = await salon.dies_and_another_goes_on(dialogue, proposal, step=step, after=after)

            assert salon.standing() == []
            assert await salon.column(intents.c.status) == {"done", "refused"}
            assert await salon.column(appointments.c.cancelled) == {True}
            assert await salon.column(slot_claims.c.intent_id) == set()
            if said is None:
                break
            assert "Готово" not in said
            assert not await salon.desk().was_done(await salon.turn(dialogue, None, proposal), proposal.id)
    assert step > 8


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.timeout(600)
async def test_a_cancelled_visit_is_gone_whole_whatever_step_the_process_died_at(salon, after):
    for step in range(1, MOST_STEPS):
        async with salon.a_client() as dialogue:
            booked = await booking(salon)
            held = await salon.claim()
            await salon.desk().carry_out(await salon.turn(dialogue, held, booked), booked)
            salon.core.clock.advance(LEASE + timedelta(seconds=1))
            one, other = [shown(booked, record) for record in salon.standing()]
            cancelling = Proposal(
                id=new_id(), kind=IntentKind.CANCEL, shown_at=salon.core.clock(), appointment=one, others=(other,)
            )

            said = await salon.dies_and_another_goes_on(dialogue, cancelling, step=step, after=after)

            assert salon.standing() == []
            assert await salon.column(intents.c.status) == {"done"}
            if said is None:
                break
            assert "Визит отменён" in said
    assert step > 5


def shown(proposal, record):
    [part] = [part for part in proposal.offer.parts if part.staff_id == str(record["staff_id"])]
    return ShownAppointment(
        id=f"a_{record['id']}",
        branch_id=proposal.offer.branch_id,
        record_id=str(record["id"]),
        starts_at=part.starts_at,
        duration=part.duration,
        service_names=part.service_names,
        staff_name=part.staff_name,
    )


@pytest.fixture
def elita_file():
    return "name: Элита\nslug: elita\ntime_zone: Europe/Moscow\naddress: Москва, ул. Тверская, 15\n"
