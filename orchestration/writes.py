"""A confirmed action as the CRM's calls, and what comes back as our own records."""

from __future__ import annotations

from crm.base import Appointment, BaseCRMAdapter, Capability, NewAppointment, Phone, RecordId
from crm.errors import CRMNotFound, CRMRejected
from db.records import BookedAppointment, Branch, BranchId, IntentKind, StaffTime, new_id
from orchestration.conversation import Offer, Proposal, Wish
from orchestration.turns import Turn


async def call_crm(turn: Turn, proposal: Proposal, crm: BaseCRMAdapter) -> Appointment:
    match proposal.kind:
        case IntentKind.CREATE:
            return await crm.create_appointment(
                NewAppointment(
                    external_id=external_id_of(proposal),
                    slot=offer_of(proposal).slot(),
                    client_name=proposal.client_name,
                    phone=Phone(proposal.phone),
                    comment=_comment(turn, proposal),
                )
            )
        case IntentKind.MOVE:
            return await crm.reschedule_appointment(record_id_of(proposal), offer_of(proposal).slot())
        case IntentKind.CANCEL:
            standing = await crm.get_appointment(record_id_of(proposal))
            await crm.cancel_appointment(standing.id)
            return standing


async def find_changed(crm: BaseCRMAdapter, proposal: Proposal) -> Appointment | None:
    """Return the record where the move or the cancellation stands already."""
    try:
        appointment = await crm.get_appointment(record_id_of(proposal))
    except CRMNotFound:
        if proposal.kind is IntentKind.CANCEL:
            return None
        raise
    if proposal.kind is IntentKind.CANCEL:
        return appointment if appointment.cancelled else None
    wanted = offer_of(proposal)
    there = appointment.starts_at == wanted.starts_at and appointment.staff.id == wanted.staff_id
    return appointment if there else None


def can_look_up(crm: BaseCRMAdapter, proposal: Proposal) -> bool:
    return proposal.kind is not IntentKind.CREATE or Capability.FIND_BY_EXTERNAL_ID in crm.capabilities


def booked_appointment(turn: Turn, proposal: Proposal, branch: Branch, appointment: Appointment) -> BookedAppointment:
    return BookedAppointment(
        id=new_id(),
        company_id=turn.dialogue.company_id,
        branch_id=branch.id,
        dialogue_id=turn.dialogue.id,
        crm_record_id=appointment.id,
        external_id=external_id_of(proposal),
        starts_at=appointment.starts_at,
        duration=appointment.duration,
        service_names=tuple(service.title for service in appointment.services) or offer_of(proposal).service_names,
        staff_name=appointment.staff.name,
        client_name=proposal.client_name or appointment.client_name,
        visitor_name=proposal.visitor_name,
        phone=proposal.phone or appointment.phone or "",
        phone_proved=proposal.phone_proved,
    )


def as_booked(proposal: Proposal, appointment: Appointment) -> Proposal:
    """Let the receipt say what was read back: time, length and master; the price stays as it was shown."""
    if proposal.offer is None or proposal.kind is IntentKind.CANCEL:
        return proposal
    offer = proposal.offer.model_copy(
        update={
            "starts_at": appointment.starts_at,
            "duration": appointment.duration,
            "staff_name": appointment.staff.name or proposal.offer.staff_name,
        }
    )
    return proposal.model_copy(update={"offer": offer})


def _comment(turn: Turn, proposal: Proposal) -> str:
    """Write what the salon's staff read in the record, in the company's language."""
    texts = turn.staff_texts
    lines = [texts.text("comment-source")]
    if proposal.visitor_name:
        lines.append(texts.text("comment-visitor", visitor=proposal.visitor_name))
    if not proposal.phone_proved:
        lines.append(texts.text("comment-unconfirmed-phone"))
    if proposal.comment:
        lines.append(proposal.comment)
    return "\n".join(lines)


def wish_again(proposal: Proposal, offer: Offer) -> Wish:
    return Wish(
        offer=offer,
        client_name=proposal.client_name,
        visitor_name=proposal.visitor_name,
        comment=proposal.comment,
    )


def time_of(proposal: Proposal) -> StaffTime | None:
    """Return the time that the write needs; None: it needs none.

    It is always one certain master's: a slot names its master also where the client wanted just anyone. A moved visit
    may keep its own length in the CRM, so the longer one counts.
    """
    if proposal.kind is IntentKind.CANCEL:
        return None
    offer = offer_of(proposal)
    longest = max(offer.duration, proposal.appointment.duration) if proposal.appointment else offer.duration
    return StaffTime(
        branch_id=BranchId(offer.branch_id), staff_id=offer.staff_id, starts_at=offer.starts_at, duration=longest
    )


def external_id_of(proposal: Proposal) -> str:
    return f"aiadm-{proposal.id.hex}"


def offer_of(proposal: Proposal) -> Offer:
    if proposal.offer is None:
        raise CRMRejected("the proposal has no slot")
    return proposal.offer


def record_id_of(proposal: Proposal) -> RecordId:
    if proposal.appointment is None:
        raise CRMRejected("the proposal has no appointment")
    return RecordId(proposal.appointment.record_id)


def branch_id_of(proposal: Proposal) -> BranchId:
    source = proposal.offer or proposal.appointment
    if source is None:
        raise CRMRejected("the proposal names no branch")
    return BranchId(source.branch_id)
