"""Tools that find free times and prepare bookings. None of them writes to a CRM: they put a proposal before the client,
and only the client's yes to it does (see confirmation.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from pydantic import Field

from crm.base import Capability, Prepayment, StaffId
from db.catalogue import Booking
from db.records import Branch, BranchId
from orchestration.catalogue import OfferedService, list_offered_services
from orchestration.conversation import Wish
from orchestration.identity import typed_phone
from orchestration.offers import Search, Wanted, find_offers, told_to_model
from orchestration.ports import ClaimedTimes
from orchestration.proposals import Proposals
from orchestration.tools.base import Arguments, Tool, ToolOutcome, refuse
from orchestration.tools.catalogue import BranchArguments, needs, pick_branch
from orchestration.trouble import client_label
from orchestration.turns import StaffNotice, Turn

_LONGEST_SEARCH = timedelta(days=14)
_FURTHEST = timedelta(days=180)


class WantedService(Arguments):
    service_id: str = Field(description="From get_services.")
    staff_id: str | None = Field(None, description="The master that the client wants for it; empty: any.")


class GetAvailableSlots(BranchArguments):
    services: list[WantedService] = Field(
        description="All that is to be done in one visit, each with its master.", min_length=1, max_length=5
    )
    date_from: date = Field(description="First day, YYYY-MM-DD, the branch's calendar.")
    date_to: date | None = Field(None, description="Last day; empty: the same day. At most two weeks.")
    time_from: time | None = Field(None, description="Earliest start, HH:MM.")
    time_to: time | None = Field(None, description="Latest start, HH:MM.")
    in_order: bool = Field(False, description="The services have to be done in the listed order; else in any.")


class CreateAppointment(Arguments):
    slot_id: str = Field(description="The slot that the client chose, from get_available_slots in this dialogue.")
    client_name: str | None = Field(None, description="The client's name as the client gave it.", max_length=100)
    visitor_name: str | None = Field(
        None, description="Who comes, if it is not the client: a child, a friend.", max_length=100
    )
    phone: str | None = Field(None, description="Only a phone number that the client typed here.", max_length=40)
    comment: str | None = Field(None, description="Answers to the ask_before questions, wishes.", max_length=500)


class GiveBookingLink(BranchArguments):
    service_id: str | None = Field(None, description="What the client wants (service_id from get_services).")
    wish: str = Field(
        description="What the client wants in one sentence for the staff: the day, the time, the master.",
        max_length=500,
    )


@dataclass(frozen=True, slots=True)
class GetAvailableSlotsTool:
    """Finds free times that nobody is booking already."""

    claimed: ClaimedTimes

    async def __call__(self, turn: Turn, arguments: GetAvailableSlots) -> ToolOutcome:
        branch = pick_branch(turn, arguments.branch_id)
        if isinstance(branch, ToolOutcome):
            return branch
        last = arguments.date_to or arguments.date_from
        today = turn.local(turn.now, branch).date()
        if last < arguments.date_from or last < today:
            return refuse("dates_past", turn.texts.text("tool-dates-past"))
        if last - arguments.date_from > _LONGEST_SEARCH or last - today > _FURTHEST:
            return refuse("dates_too_far", turn.texts.text("tool-dates-too-far"))
        services = await chosen_services(turn, branch, [one.service_id for one in arguments.services])
        if isinstance(services, ToolOutcome):
            return services
        search = Search(
            wanted=[
                Wanted(service=service, staff_id=StaffId(one.staff_id) if one.staff_id else None)
                for service, one in zip(services, arguments.services, strict=True)
            ],
            first=max(arguments.date_from, today),
            last=last,
            earliest=arguments.time_from or time.min,
            latest=arguments.time_to or time.max,
            in_order=arguments.in_order,
        )
        offers = await find_offers(turn, branch, search, self.claimed)
        return ToolOutcome(response={"slots": [told_to_model(turn, offer, branch) for offer in offers]})


async def chosen_services(
    turn: Turn, branch: Branch, service_ids: tuple[str, ...] | list[str]
) -> list[OfferedService] | ToolOutcome:
    """Return the services that the agent may book itself, or why one of them may not be."""
    offered = {service.id: service for service in await list_offered_services(turn.scope, branch)}
    by_id = {str(id_): service for id_, service in offered.items()}
    if unknown := [id_ for id_ in service_ids if id_ not in by_id]:
        return refuse("unknown_service", turn.texts.text("tool-unknown-service"), service_ids=unknown)
    services = [by_id[id_] for id_ in service_ids]
    for service in services:
        if service.prepayment is Prepayment.REQUIRED or service.booking is Booking.LINK:
            return _hand_link(turn, service, branch)
        if service.booking is Booking.PERSON:
            return refuse("booked_by_person", turn.texts.text("service-by-person", service=service.name))
    return services


def _hand_link(turn: Turn, service: OfferedService, branch: Branch) -> ToolOutcome:
    """Give the client the CRM's own booking link, and staff a note: prepayment cannot be made through us."""
    if not service.link:
        return refuse("booked_by_person", turn.texts.text("service-by-person", service=service.name))
    prepaid = service.prepayment is Prepayment.REQUIRED
    key = "prepayment-link" if prepaid else "service-by-link"
    turn.say(turn.texts.text(key, service=service.name, link=service.link))
    if prepaid:
        notice = turn.staff_texts.text("staff-prepayment", client=client_label(turn), service=service.name)
        turn.notices.append(StaffNotice(text=notice, branch_id=branch.id))
    return ToolOutcome(response={"status": "link_given", "link": service.link}, ends_turn=True, code="link_given")


@dataclass(frozen=True, slots=True)
class CreateAppointmentTool:
    """Puts a chosen slot before the client."""

    proposals: Proposals

    async def __call__(self, turn: Turn, arguments: CreateAppointment) -> ToolOutcome:
        offer = turn.conversation.find_offer(arguments.slot_id, turn.now)
        if offer is None:
            return refuse("unknown_slot", turn.texts.text("tool-unknown-slot"))
        branch = turn.scope.branch(BranchId(offer.branch_id))
        services = await chosen_services(turn, branch, offer.service_ids)
        if isinstance(services, ToolOutcome):
            return services
        questions = [question for service in services for question in service.ask_before]
        if questions and not arguments.comment:
            return refuse("answers_needed", turn.texts.text("tool-answers-needed"), questions=questions)
        name = arguments.client_name or turn.dialogue.client_name
        if not name:
            return refuse("name_needed", turn.texts.text("ask-name"))
        if turn.dialogue.proved_phone is None and (typed := typed_phone(turn, arguments.phone)):
            turn.dialogue = replace(turn.dialogue, typed_phone=typed)
        wish = Wish(offer=offer, client_name=name, visitor_name=arguments.visitor_name, comment=arguments.comment or "")
        return ToolOutcome(response=await self.proposals.propose_booking(turn, wish), ends_turn=True)


async def give_booking_link(turn: Turn, arguments: GiveBookingLink) -> ToolOutcome:
    """Hand the CRM's own page to the client, and the wish to staff: there is no other way to book here."""
    branch = pick_branch(turn, arguments.branch_id)
    if isinstance(branch, ToolOutcome):
        return branch
    offered = {service.id: service for service in await list_offered_services(turn.scope, branch)}
    wanted = [id_ for id_ in offered if id_ == arguments.service_id]
    if arguments.service_id and not wanted:
        return refuse("unknown_service", turn.texts.text("tool-unknown-service"), service_ids=[arguments.service_id])
    crm = turn.scope.crm(branch.id)
    link = next((offered[id_].link for id_ in wanted if offered[id_].link), None) or await crm.get_booking_page(wanted)
    turn.say(turn.texts.text("booking-link", link=link))
    wish = ". ".join(part for part in (*(offered[id_].name for id_ in wanted), arguments.wish) if part)
    notice = turn.staff_texts.text("staff-booking-link", client=client_label(turn), wish=wish)
    turn.notices.append(StaffNotice(text=notice, branch_id=branch.id))
    turn.outcome = "link_given"
    return ToolOutcome(response={"status": "link_given", "link": link}, ends_turn=True, code="link_given")


def booking_tools(proposals: Proposals, claimed: ClaimedTimes) -> tuple[Tool, ...]:
    """Return the tools of this file."""
    return (
        Tool(
            name="get_available_slots",
            description="Free times from the salon's own schedule. Offer the client only times from here. Where there "
            "are `parts`, the visit is to several masters, one after another.",
            arguments=GetAvailableSlots,
            run=GetAvailableSlotsTool(claimed),
            available=needs(Capability.SLOTS),
            reads_only=True,
        ),
        Tool(
            name="create_appointment",
            description="Show the client the chosen slot for confirmation. It does not book by itself: the client "
            "answers the question that is shown, and then it is booked. Never say that something is booked.",
            arguments=CreateAppointment,
            run=CreateAppointmentTool(proposals),
            available=needs(Capability.SLOTS, Capability.CREATE),
        ),
        Tool(
            name="give_booking_link",
            description="Give the client the page where they book by themselves, and tell staff what they want. Use it "
            "once it is known what the client wants to book: you cannot book here yourself.",
            arguments=GiveBookingLink,
            run=give_booking_link,
            available=lambda scope: scope.can(Capability.BOOKING_PAGE) and not scope.can(Capability.CREATE),
        ),
    )
