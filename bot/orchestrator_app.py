"""The agent's part of the composition root: words, tools, guards, booking and callers as one Orchestrator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bot.app import Core
from bot.messengers import KnownMessengers
from bot.outreach_views import KnownOutreach
from bot.records_of_writes import BeingBooked, CommittedIntents, MadeHere, WriteStores
from bot.settings import Settings
from bot.visit_answers import KeptVisitAnswers
from db.appointments import Appointments
from db.cache import Cache
from db.clients import Clients
from db.intents import Intents
from db.reminders import Reminders
from db.slot_claims import SlotClaims
from orchestration.after_visit import AfterVisit
from orchestration.agent import Agent, AgentLimits
from orchestration.attachments import Attachments
from orchestration.booking import BookingDesk
from orchestration.booking_flow import BookingFlow
from orchestration.buttons import Buttons
from orchestration.callers import Callers
from orchestration.commands import Commands
from orchestration.confirmation import Confirmation
from orchestration.contacts import Contacts
from orchestration.guards.phrases import read_all
from orchestration.guards.review import Review, review
from orchestration.hearing import Hearing, MediaLimits
from orchestration.masking import MaskingModel
from orchestration.my_appointments import MyAppointments
from orchestration.orchestrator import Orchestrator
from orchestration.outreach_buttons import OutreachButtons
from orchestration.own_appointments import OwnAppointments
from orchestration.ports import Model
from orchestration.prompts import PromptManager
from orchestration.proposals import Proposals
from orchestration.reminded import Reminded
from orchestration.sick_choices import SickChoices
from orchestration.tools.appointments import AppointmentTools
from orchestration.tools.base import Tool
from orchestration.tools.booking import booking_tools
from orchestration.tools.catalogue import CATALOGUE_TOOLS
from orchestration.tools.handoff import HandoffTools
from orchestration.tools.manager import ToolManager
from orchestration.tools.waiting import WAITING_TOOLS
from orchestration.waiting_desk import WaitingDesk
from orchestration.words import Words


def build_orchestrator(
    core: Core, model: Model, *, review: Review = review, alter: Callable[[Tool], Tool] = lambda tool: tool
) -> Orchestrator:
    """Plug the ports together.

    `review`: what holds the model's replies back; `alter`: puts a tool in another's place.
    """
    read_all()
    settings = core.settings
    appointments, slots = Appointments(), SlotClaims()
    made_here = MadeHere(core.database, Clients(), appointments, core.clock)
    being_booked = BeingBooked(core.database, slots, core.clock)
    proposals = Proposals(made_here)
    own = OwnAppointments(made_here)
    offered = (
        *CATALOGUE_TOOLS,
        *booking_tools(proposals, being_booked),
        *AppointmentTools(own, proposals).tools(),
        *WAITING_TOOLS,
        *HandoffTools(own, made_here).tools(),
    )
    tools = ToolManager([alter(tool) for tool in offered])
    limits = AgentLimits(rounds=settings.turn_rounds, time=timedelta(seconds=settings.turn_seconds))
    agent = Agent(MaskingModel(model), tools, PromptManager(), limits, review)
    stores = WriteStores(
        database=core.database, work=core.work, intents=Intents(), appointments=appointments, slots=slots
    )
    desk = BookingDesk(CommittedIntents(stores, core.clock), being_booked, proposals)
    confirmation = Confirmation(desk, proposals)
    flow = BookingFlow(proposals, being_booked)
    mine = MyAppointments(own, proposals, flow)
    commands = Commands(flow, mine)
    sick = SickChoices(own, made_here, proposals, flow, being_booked)
    answers = KeptVisitAnswers(core.database, Clients(), appointments, Reminders(), core.clock)
    known = KnownOutreach(core.database)
    outreach = OutreachButtons(WaitingDesk(known, flow), AfterVisit(known))
    buttons = Buttons(confirmation, proposals, flow, mine, commands, sick, outreach, Reminded(answers, mine))
    contacts = Contacts(agent, proposals, mine)
    callers = Callers(contacts, KnownMessengers(core.database, Clients(), core.directory, core.limits))
    words = Words(agent, buttons, contacts, confirmation, callers)
    heard = Cache(core.redis, f"{core.redis_prefix}heard:")
    hearing = Hearing(model, heard, _media_limits(settings), time=limits.time)
    return Orchestrator(words, Attachments(hearing, words), contacts, commands, buttons, callers)


def _media_limits(settings: Settings) -> MediaLimits:
    return MediaLimits(
        seconds=settings.voice_seconds,
        most_bytes=round(settings.media_megabytes * 1024 * 1024),
        words_kept=timedelta(minutes=settings.heard_words_minutes),
    )
