"""A turn in which the agent's tools can be called, on a real company and the local CRM."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial

import pytest

from bot.records_of_writes import BeingBooked, MadeHere
from bot.scopes import open_crm
from db.appointments import Appointments
from db.clients import Clients
from db.records import NO_SUBJECT, ChannelId, Claim, Dialogue, WorkKind, dialogue_id_of, new_id
from db.slot_claims import SlotClaims
from locales import Translator
from orchestration.conversation import Conversation
from orchestration.errors import MediaUnavailable
from orchestration.messages import Choices, Message
from orchestration.own_appointments import OwnAppointments
from orchestration.ports import CallPart
from orchestration.proposals import Proposals
from orchestration.tools.appointments import AppointmentTools
from orchestration.tools.booking import booking_tools
from orchestration.tools.catalogue import CATALOGUE_TOOLS
from orchestration.tools.handoff import HandoffTools
from orchestration.tools.manager import ToolManager
from orchestration.tools.waiting import WAITING_TOOLS
from orchestration.turns import Turn

BOT = "700000003:SANDBOX-only-works-in-the-tests-000003"
TWO_BRANCHES = """
name: Сеть
slug: chain
branches:
  - key: center
    name: Центр
    address: Москва, ул. Мира, 1
    time_zone: Europe/Moscow
    crm_account_id: '4564'
  - key: ural
    name: Урал
    address: Екатеринбург, ул. Малышева, 1
    time_zone: Asia/Yekaterinburg
    crm_account_id: '7801'
services:
  - name: Стрижка женская
    ask_before:
      - Какая длина волос?
  - name: Маникюр
    booking: person
  - name: Окрашивание
    booking: link
    link: https://example.org/colour
  - name: Консультация
    price: 1000
"""


@pytest.fixture
async def desk(house, desk_of):
    """A client's turn at a company with two branches, and the manager that calls tools in it."""
    async with desk_of(await house.add_company(TWO_BRANCHES, BOT, account="4564")) as desk:
        yield desk


@pytest.fixture
def desk_of(house):
    """Open a client's turn at a company of the house."""
    return partial(_open_desk, house)


@asynccontextmanager
async def _open_desk(house, company_id):
    async with open_crm(house.core) as scopes:
        made_here = MadeHere(house.core.database, Clients(), Appointments(), house.clock)
        proposals, own = Proposals(made_here), OwnAppointments(made_here)
        tools = (
            *CATALOGUE_TOOLS,
            *booking_tools(proposals, BeingBooked(house.core.database, SlotClaims(), house.clock)),
            *AppointmentTools(own, proposals).tools(),
            *WAITING_TOOLS,
            *HandoffTools(own, made_here).tools(),
        )
        channel = ChannelId(new_id())
        yield Desk(ToolManager(tools), await scopes.open(company_id), house, channel)


def claim_of(dialogue):
    return Claim(
        company_id=dialogue.company_id,
        dialogue_id=dialogue.id,
        kind=WorkKind.TURN,
        subject_id=NO_SUBJECT,
        channel_id=dialogue.channel_id,
        wake=1,
        fence=1,
        attempts=0,
        lost_leases=0,
    )


class NoMedia:
    """These turns carry no files."""

    async def fetch(self, attachment, *, most_bytes):
        raise MediaUnavailable("none")


class Desk:
    def __init__(self, manager, scope, house, channel):
        self.manager, self.scope, self.house = manager, scope, house
        dialogue = Dialogue(
            id=dialogue_id_of(channel, "c"),
            company_id=scope.company.id,
            channel_id=channel,
            key="c",
            client_name="Елена",
        )
        self.turn = Turn(
            scope=scope,
            claim=claim_of(dialogue),
            dialogue=dialogue,
            conversation=Conversation(),
            state_version=0,
            messages=(Message(id="1", sent_at=house.clock(), text="мой номер 8 916 123-45-67"),),
            history=(),
            now=house.clock(),
            texts=Translator.for_language("ru"),
            choices=Choices(most=24),
            media=NoMedia(),
        )

    async def call(self, name, **arguments):
        outcome = await self.manager.call(self.turn, CallPart(id="1", name=name, arguments=arguments))
        return outcome.response

    async def code(self, name, **arguments):
        return (await self.call(name, **arguments)).get("error", {}).get("code")

    async def slot(self, **arguments):
        found = await self.call(
            "get_available_slots",
            services=[{"service_id": "501"}],
            date_from="2026-11-25",
            branch_id="center",
            **arguments,
        )
        return found["slots"][0]


@pytest.fixture
async def salon(house, desk_of):
    """A client's turn at the salon Элита."""
    async with desk_of(house.company_id) as desk:
        yield desk
