"""A confirmed action as the CRM's calls, and what comes back as our own records.

A proposal is one write, or several one after another: a visit of several records is booked and cancelled record by
record. Each write is an intent of its own with an id of its own, so that each is looked up by itself after a crash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from crm.base import Appointment, BaseCRMAdapter, Capability, NewAppointment, Phone, RecordId
from crm.errors import CRMNotFound, CRMRejected
from db.booking_records import BookedAppointment, IntentKind, StaffTime
from db.records import Branch, BranchId, new_id
from orchestration.conversation import Offer, Part, Proposal, Wish
from orchestration.turns import Turn

_PART_OF_VISIT = re.compile(r"(aiadm-[0-9a-f]{32})-\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One call of a CRM. `part`: what is booked, or moved to; `record_id`: what is moved or cancelled."""

    id: UUID
    external_id: str
    kind: IntentKind
    proposal: Proposal
    part: Part | None = None
    record_id: RecordId | None = None

    @property
    def wanted(self) -> Part:
        if self.part is None:
            raise CRMRejected("the proposal has no slot")
        return self.part

    @property
    def standing(self) -> RecordId:
        if self.record_id is None:
            raise CRMRejected("the proposal has no appointment")
        return self.record_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A write that stands in the CRM; `appointment` None: it was read back by an earlier try, or is cancelled."""

    write: Write
    record_id: RecordId
    appointment: Appointment | None = None


def writes_of(proposal: Proposal) -> tuple[Write, ...]:
    """Return what the client's yes asks of the CRM, in order. The first one's id is the proposal's own."""
    match proposal.kind:
        case IntentKind.CREATE:
            parts = proposal.offer.parts if proposal.offer else ()
            return tuple(_write(proposal, place, len(parts), part=part) for place, part in enumerate(parts))
        case IntentKind.MOVE:
            offer = offer_of(proposal)
            record_id = RecordId(proposal.appointment.record_id) if proposal.appointment else None
            return (_write(proposal, 0, 1, part=offer.parts[0], record_id=record_id),)
        case IntentKind.CANCEL:
            shown = (*([proposal.appointment] if proposal.appointment else []), *proposal.others)
            return tuple(
                _write(proposal, place, len(shown), record_id=RecordId(one.record_id))
                for place, one in enumerate(shown)
            )


def _write(
    proposal: Proposal, place: int, count: int, *, part: Part | None = None, record_id: RecordId | None = None
) -> Write:
    number = place + 1
    return Write(
        id=uuid5(proposal.id, str(number)) if place else proposal.id,
        # Ours, and short: the CRM keeps it with the record, and a crash is looked up by it.
        external_id=f"aiadm-{proposal.id.hex}" if count == 1 else f"aiadm-{proposal.id.hex}-{number}",
        kind=proposal.kind,
        proposal=proposal,
        part=part,
        record_id=record_id,
    )


def taking_back(made: Made) -> Write:
    """Return the write that cancels a record again, because the rest of its visit could not be booked."""
    return Write(
        id=uuid5(made.write.id, "taken back"),
        external_id=f"{made.write.external_id}-back",
        kind=IntentKind.CANCEL,
        proposal=made.write.proposal,
        part=made.write.part,
        record_id=made.record_id,
    )


def is_ours(external_id: str | None) -> bool:
    """Say whether a record carries an id that a write of ours gave it."""
    return external_id is not None and external_id.startswith("aiadm-")


def visit_of(external_id: str | None) -> str | None:
    """Return what the external ids of one visit's records have in common; None where the record is alone."""
    found = _PART_OF_VISIT.fullmatch(external_id or "")
    return found[1] if found else None


async def call_crm(turn: Turn, write: Write, branch: Branch, crm: BaseCRMAdapter) -> Made:
    match write.kind:
        case IntentKind.CREATE:
            new = NewAppointment(
                external_id=write.external_id,
                slot=write.wanted.slot(),
                client_name=write.proposal.client_name,
                phone=Phone(write.proposal.phone),
                comment=_comment(turn, write, branch),
            )
            return _made(write, await crm.create_appointment(new))
        case IntentKind.MOVE:
            return _made(write, await crm.reschedule_appointment(write.standing, write.wanted.slot()))
        case IntentKind.CANCEL:
            await crm.cancel_appointment(write.standing)
            return Made(write=write, record_id=write.standing)


async def find_made(turn: Turn, write: Write, branch: Branch, crm: BaseCRMAdapter) -> Made | None:
    """Look in the CRM whether the write stands there. Raises CRMRejected where it did and staff have undone it."""
    if write.kind is IntentKind.CREATE:
        day = turn.local(write.wanted.starts_at, branch).date()
        booked = await crm.find_appointment(write.external_id, day=day)
        if booked is not None and booked.cancelled:
            # The write went through, and staff have deleted the visit since: it is not there to be told of.
            raise CRMRejected("the visit was deleted in the CRM meanwhile")
        return _made(write, booked) if booked else None
    try:
        standing = await crm.get_appointment(write.standing)
    except CRMNotFound:
        if write.kind is IntentKind.CANCEL:
            return Made(write=write, record_id=write.standing)
        raise
    if write.kind is IntentKind.CANCEL:
        return Made(write=write, record_id=write.standing) if standing.cancelled else None
    there = standing.starts_at == write.wanted.starts_at and standing.staff.id == write.wanted.staff_id
    return _made(write, standing) if there else None


def can_look_up(crm: BaseCRMAdapter, write: Write) -> bool:
    return write.kind is not IntentKind.CREATE or Capability.FIND_BY_EXTERNAL_ID in crm.capabilities


def booked_appointment(turn: Turn, branch: Branch, made: Made) -> BookedAppointment | None:
    """Return our own row of what stands; None where the write is a cancellation."""
    appointment, proposal = made.appointment, made.write.proposal
    if appointment is None:
        return None
    return BookedAppointment(
        id=new_id(),
        company_id=turn.dialogue.company_id,
        branch_id=branch.id,
        dialogue_id=turn.dialogue.id,
        crm_record_id=appointment.id,
        external_id=made.write.external_id,
        starts_at=appointment.starts_at,
        duration=appointment.duration,
        service_names=tuple(service.title for service in appointment.services) or made.write.wanted.service_names,
        staff_name=appointment.staff.name,
        staff_id=appointment.staff.id or None,
        client_name=proposal.client_name or appointment.client_name,
        visitor_name=proposal.visitor_name,
        phone=proposal.phone or appointment.phone or "",
        phone_proved=proposal.phone_proved,
    )


def as_booked(proposal: Proposal, made: Sequence[Made]) -> Proposal:
    """Let the receipt say what was read back: time, length and master; the price stays as it was shown."""
    if proposal.offer is None:
        return proposal
    parts = tuple(_as_read_back(one.write.wanted, one.appointment) for one in made)
    return proposal.model_copy(update={"offer": proposal.offer.model_copy(update={"parts": parts})})


def _as_read_back(part: Part, appointment: Appointment | None) -> Part:
    if appointment is None:
        return part
    return part.model_copy(
        update={
            "starts_at": appointment.starts_at,
            "duration": appointment.duration,
            "staff_name": appointment.staff.name or part.staff_name,
        }
    )


def _made(write: Write, appointment: Appointment) -> Made:
    return Made(write=write, record_id=appointment.id, appointment=appointment)


def _comment(turn: Turn, write: Write, branch: Branch) -> str:
    """Write what the salon's staff read in the record, in the company's language."""
    texts, proposal = turn.staff_texts, write.proposal
    lines = [texts.text("comment-source")]
    if others := [part for part in offer_of(proposal).parts if part != write.part]:
        clocks = [texts.time(turn.local(part.starts_at, branch).time()) for part in others]
        said = [
            f"{clock} {', '.join(part.service_names)}, {part.staff_name}"
            for clock, part in zip(clocks, others, strict=True)
        ]
        lines.append(texts.text("comment-visit", others="; ".join(said)))
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


def times_of(writes: Sequence[Write]) -> Mapping[UUID, StaffTime]:
    """Return the times that the writes of one proposal need, each under its intent; a cancellation needs none.

    A time is always one certain master's: a slot names its master also where the client wanted just anyone. A moved
    visit may keep its own length in the CRM, so the longer one counts.
    """
    return {write.id: _time_of(write) for write in writes if write.kind is not IntentKind.CANCEL}


def _time_of(write: Write) -> StaffTime:
    part, moved = write.wanted, write.proposal.appointment
    return StaffTime(
        branch_id=branch_id_of(write.proposal),
        staff_id=part.staff_id,
        starts_at=part.starts_at,
        duration=max(part.duration, moved.duration) if moved else part.duration,
    )


def offer_of(proposal: Proposal) -> Offer:
    if proposal.offer is None:
        raise CRMRejected("the proposal has no slot")
    return proposal.offer


def branch_id_of(proposal: Proposal) -> BranchId:
    source = proposal.offer or proposal.appointment
    if source is None:
        raise CRMRejected("the proposal names no branch")
    return BranchId(source.branch_id)
