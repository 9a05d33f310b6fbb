"""What is promised in writing: proposals, receipts and lists, rendered from the CRM's data, never by the model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from crm.base import Price
from db.booking_records import IntentKind
from db.records import Branch, BranchId
from locales import Translator
from locales.ear import is_common_name, spell
from orchestration.conversation import Ask, Flow, Offer, Part, Proposal, ShownAppointment
from orchestration.identity import lives_elsewhere
from orchestration.scope import CompanyScope
from orchestration.turns import Turn

_QUESTIONS = {
    IntentKind.CREATE: "proposal-create",
    IntentKind.MOVE: "proposal-move",
    IntentKind.CANCEL: "proposal-cancel",
}
_RECEIPTS = {
    IntentKind.CREATE: "receipt-created",
    IntentKind.MOVE: "receipt-moved",
    IntentKind.CANCEL: "receipt-cancelled",
}


def price_text(texts: Translator, price: Price) -> str:
    """Say a price; a range stays a range."""
    high = price.high.minor_units if price.high and price.is_range else None
    return texts.price(price.low.minor_units, high, price.low.currency)


def place_text(scope: CompanyScope, branch: Branch) -> str:
    """Say where: the branch's name only where there is more than one, its address where it is known."""
    name = branch.name if len(scope.branches) > 1 else ""
    return ", ".join(part for part in (name, branch.address) if part) or scope.company.name


def chosen_text(turn: Turn, flow: Flow) -> str:
    """Say what is chosen so far in the booking by buttons, a line each."""
    lines = [
        ("line-was", moment_text(turn, flow.moves.starts_at, flow.moves.branch_id) if flow.moves else ""),
        ("line-service", ", ".join(flow.service_names)),
        ("line-staff", flow.staff_name if flow.asks in (Ask.DAY, Ask.TIME, Ask.ANSWERS, Ask.NAME) else ""),
        ("line-when", turn.texts.day(flow.day) if flow.day and flow.asks is Ask.TIME else ""),
    ]
    return "\n".join(turn.texts.text(key, value=value) for key, value in lines if value)


def proposal_text(turn: Turn, proposal: Proposal) -> str:
    """Ask for a yes to exactly this action."""
    key = "proposal-cancel-visit" if proposal.others else _QUESTIONS[proposal.kind]
    return turn.texts.text(key, details=_details(turn, proposal))


def receipt_text(turn: Turn, proposal: Proposal) -> str:
    """Say what stands in the CRM now."""
    key = "receipt-visit-cancelled" if proposal.others else _RECEIPTS[proposal.kind]
    if turn.call is not None and not proposal.others:
        # They heard the whole of it a moment ago: only what matters is said again.
        stands = proposal.offer or proposal.appointment
        when = moment_text(turn, stands.starts_at, stands.branch_id) if stands else ""
        return turn.texts.text(key, details=when)
    text = turn.texts.text(key, details=_details(turn, proposal))
    if proposal.kind is IntentKind.CREATE and not proposal.phone_proved:
        text = f"{text}\n\n{turn.texts.text('receipt-unconfirmed-phone')}"
    return text


def appointment_text(turn: Turn, shown: ShownAppointment) -> str:
    """Say one standing appointment on a line."""
    return turn.texts.text(
        "appointment-line",
        when=moment_text(turn, shown.starts_at, shown.branch_id),
        service=", ".join(shown.service_names),
        staff=shown.staff_name,
    )


def part_text(turn: Turn, part: Part, branch_id: UUID) -> str:
    """Say one part of a visit on a line: when, what, who, how long and for how much."""
    price = price_text(turn.texts, part.price.price()) if part.price else ""
    return turn.texts.text(
        "part-line",
        when=moment_text(turn, part.starts_at, branch_id),
        service=", ".join(part.service_names),
        staff=part.staff_name,
        terms=", ".join(one for one in (turn.texts.duration(part.duration), price) if one),
    )


def offers_text(turn: Turn, offers: Sequence[Offer]) -> str:
    """Say free times, a line each, by the salon's clock."""
    return "\n".join(
        turn.texts.text("slot-line", when=moment_text(turn, offer.starts_at, offer.branch_id), staff=offer.staff_name)
        for offer in offers
    )


def short_moment_text(turn: Turn, moment: datetime, branch_id: UUID) -> str:
    """Say a moment as a button has room for it."""
    at = turn.local(moment, turn.scope.branch(BranchId(branch_id)))
    return f"{turn.texts.short_day(at.date())}, {turn.texts.time(at.time())}"


def moment_text(turn: Turn, moment: datetime, branch_id: UUID) -> str:
    """Say a moment with its weekday, by the clock on the branch's wall, and whose it is where the client's differs."""
    branch = turn.scope.branch(BranchId(branch_id))
    at = turn.local(moment, branch)
    said = turn.texts.moment(at)
    if not lives_elsewhere(turn.dialogue.proved_phone or turn.dialogue.typed_phone, at):
        return said
    return turn.texts.text("moment-in-zone", moment=said, zone=turn.texts.zone(branch.time_zone))


def _details(turn: Turn, proposal: Proposal) -> str:
    """Say the action line by line; what is not known has no line."""
    lines: list[tuple[str, str | None]]
    if proposal.kind is IntentKind.CREATE and proposal.offer:
        offer = proposal.offer
        lines = [
            *_what_is_booked(turn, offer),
            ("line-duration", turn.texts.duration(offer.duration)),
            ("line-price", price_text(turn.texts, offer.price.price()) if offer.price else None),
            ("line-place", place_text(turn.scope, turn.scope.branch(BranchId(offer.branch_id)))),
            ("line-client", _name_aloud(turn, proposal.client_name) if turn.call else proposal.client_name),
            ("line-phone", proposal.phone if turn.call else None),
            ("line-visitor", proposal.visitor_name),
        ]
    elif proposal.others and proposal.appointment:
        shown = (proposal.appointment, *proposal.others)
        place = place_text(turn.scope, turn.scope.branch(BranchId(proposal.appointment.branch_id)))
        together = "\n".join(appointment_text(turn, one) for one in sorted(shown, key=lambda one: one.starts_at))
        lines = [("line-visit", together), ("line-place", place)]
    elif proposal.appointment:
        standing, offer_to = proposal.appointment, proposal.offer
        when = moment_text(turn, standing.starts_at, standing.branch_id)
        to_when = moment_text(turn, offer_to.starts_at, offer_to.branch_id) if offer_to else None
        lines = [
            ("line-service", ", ".join(standing.service_names)),
            ("line-staff", offer_to.staff_name if offer_to else standing.staff_name),
            ("line-was", when) if offer_to else ("line-when", when),
            ("line-becomes", to_when),
            ("line-price", price_text(turn.texts, offer_to.price.price()) if offer_to and offer_to.price else None),
            ("line-place", place_text(turn.scope, turn.scope.branch(BranchId(standing.branch_id)))),
        ]
    else:
        lines = []
    return "\n".join(turn.texts.text(key, value=value) for key, value in lines if value)


def _name_aloud(turn: Turn, name: str) -> str:
    """Say a name, letter by letter where it is none that everybody knows: recognition writes many a one wrong."""
    if not name or is_common_name(name.split()[0], turn.texts.language):
        return name
    return turn.texts.text("name-spelled", name=name, letters=spell(name, turn.texts.language))


def _what_is_booked(turn: Turn, offer: Offer) -> list[tuple[str, str | None]]:
    """Say services, masters and times: each part of a visit by itself where there are several."""
    if len(offer.parts) > 1:
        return [("line-visit", "\n".join(part_text(turn, part, offer.branch_id) for part in offer.parts))]
    return [
        ("line-service", ", ".join(offer.service_names)),
        ("line-staff", offer.staff_name),
        ("line-when", moment_text(turn, offer.starts_at, offer.branch_id)),
    ]
