"""What client and staff are told of a confirmed proposal: that it is done, that it is not, or exactly what stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from uuid import UUID

from crm.errors import CRMError, CRMRejected, SlotTaken
from db.booking_records import IntentKind
from db.records import Branch
from locales import Translator
from orchestration.catalogue import find_services
from orchestration.conversation import Offer, Proposal
from orchestration.messages import Button, Reply
from orchestration.offers import find_alternatives
from orchestration.ports import ClaimedTimes
from orchestration.proposals import SLOT
from orchestration.trouble import client_label, crm_failed, outcome_unknown
from orchestration.turns import StaffNotice, Turn
from orchestration.wording import appointment_text, offers_text, part_text, receipt_text, short_moment_text
from orchestration.writes import Made, as_booked, wish_again, writes_of

_OUTCOMES = {IntentKind.CREATE: "booked", IntentKind.MOVE: "moved", IntentKind.CANCEL: "cancelled"}


class State(StrEnum):
    """What came of one write of several."""

    MADE = "made"
    NOT_MADE = "not_made"
    UNKNOWN = "unknown"


_BOOKED = {State.MADE: "part-stands", State.NOT_MADE: "part-not-booked", State.UNKNOWN: "part-unknown"}
_CANCELLED = {State.MADE: "part-cancelled", State.NOT_MADE: "part-stands", State.UNKNOWN: "part-unknown"}


def tell_done(turn: Turn, proposal: Proposal, branch: Branch, made: list[Made]) -> None:
    """Say what stands, from the records read back."""
    turn.conversation = turn.conversation.at_rest()
    booked = as_booked(proposal, made)
    turn.replies.append(Reply(text=receipt_text(turn, booked), drop_keyboard=True))
    if turn.call is not None:
        keep_receipt(turn, booked)
    turn.outcome = _OUTCOMES[proposal.kind]
    if booked.kind is IntentKind.CREATE and booked.offer and not booked.phone_proved:
        when = turn.staff_texts.moment(turn.local(booked.offer.starts_at, branch))
        notice = turn.staff_texts.text("staff-unconfirmed-booking", client=client_label(turn), when=when)
        turn.notices.append(StaffNotice(text=notice, branch_id=branch.id))


def keep_receipt(turn: Turn, booked: Proposal) -> None:
    """Keep what is written to the client once the call is over."""
    written = replace(turn, call=None, texts=Translator.for_language(turn.texts.language))
    receipts = (*turn.conversation.receipts, receipt_text(written, booked))
    turn.conversation = turn.conversation.model_copy(update={"receipts": receipts})


def tell_in_part(turn: Turn, proposal: Proposal, branch: Branch, states: Mapping[UUID, State]) -> None:
    """Say of each write what came of it, where that is not the same of all, and call staff."""
    turn.conversation = turn.conversation.at_rest()
    for_staff = replace(turn, texts=turn.staff_texts)
    if len(states) == 1:
        outcome_unknown(turn, receipt_text(for_staff, proposal), branch)
        return
    books = proposal.kind is IntentKind.CREATE
    turn.say(
        turn.texts.text(
            "visit-booked-in-part" if books else "visit-cancelled-in-part", parts=_parts(turn, proposal, states)
        )
    )
    parts = _parts(for_staff, proposal, states)
    notice = turn.staff_texts.text("staff-visit-in-part", client=client_label(turn), parts=parts)
    turn.call_person("visit_in_part", parts, notice=StaffNotice(text=notice, branch_id=branch.id))
    turn.outcome = "visit_in_part"


def _parts(turn: Turn, proposal: Proposal, states: Mapping[UUID, State]) -> str:
    keys = _BOOKED if proposal.kind is IntentKind.CREATE else _CANCELLED
    if proposal.offer is not None:
        said = [part_text(turn, part, proposal.offer.branch_id) for part in proposal.offer.parts]
    else:
        shown = (*([proposal.appointment] if proposal.appointment else []), *proposal.others)
        said = [appointment_text(turn, one) for one in shown]
    return "\n".join(
        turn.texts.text(keys[states[write.id]], part=part)
        for write, part in zip(writes_of(proposal), said, strict=True)
    )


async def tell_refused(turn: Turn, proposal: Proposal, branch: Branch, error: CRMError, claimed: ClaimedTimes) -> None:
    """Say kindly that nothing was changed, with other times where time was the reason. Staff hear of any other."""
    turn.conversation = turn.conversation.at_rest()
    several = proposal.offer is not None and len(proposal.offer.parts) > 1
    if not isinstance(error, CRMRejected):
        crm_failed(turn, error, branch_id=branch.id)
        if several:
            said = turn.replies[-1]
            text = f"{turn.texts.text('visit-not-booked')}\n\n{said.text}"
            turn.replies[-1] = said.model_copy(update={"text": text})
        return
    turn.outcome = error.code
    if proposal.offer is None or not isinstance(error, SlotTaken):
        turn.say(turn.texts.text("visit-rejected" if several else "crm-rejected"))
        notice = turn.staff_texts.text(
            "staff-crm-down", client=client_label(turn), wish=turn.client_text or proposal.kind, reason=error.code
        )
        turn.call_person(error.code, str(error), notice=StaffNotice(text=notice, branch_id=branch.id))
        return
    try:
        await _offer_others(turn, proposal, proposal.offer, branch, claimed)
    except CRMError as failure:
        crm_failed(turn, failure, branch_id=branch.id)


async def _offer_others(turn: Turn, proposal: Proposal, lost: Offer, branch: Branch, claimed: ClaimedTimes) -> None:
    services = await find_services(turn.scope, branch, lost.service_ids)
    others = await find_alternatives(turn, lost, branch, services, claimed)
    one_record = len(lost.parts) == 1
    if not others:
        turn.say(turn.texts.text("slot-taken-none" if one_record else "visit-taken-none"))
        return
    if proposal.kind is IntentKind.CREATE:
        turn.conversation = turn.conversation.retrying(wish_again(proposal, others[0]))
    buttons = tuple(
        (
            Button(
                text=short_moment_text(turn, other.starts_at, other.branch_id),
                action=f"{SLOT}:{other.id}",
                detail=other.staff_name,
            ),
        )
        for other in others
        if proposal.kind is IntentKind.CREATE
    )
    text = turn.texts.text("slot-taken" if one_record else "visit-taken", times=offers_text(turn, others))
    turn.replies.append(Reply(text=text, buttons=buttons))
