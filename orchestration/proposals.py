"""Putting one action before the client: what is asked, with which buttons, and what it needs first (a phone number)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from crm.base import Phone
from db.booking_records import IntentKind
from db.records import new_id
from orchestration.conversation import Offer, Proposal, ShownAppointment, Wish
from orchestration.menu import BACK, MINE, flow_button, menu_rows
from orchestration.messages import Button, Reply
from orchestration.ports import Appointments
from orchestration.trouble import ask_for_contact
from orchestration.turns import Turn
from orchestration.wording import proposal_text
from orchestration.writes import visit_of

log = structlog.get_logger()

YES, NO, SLOT = "yes", "no", "slot"
"""What a pressed button asks for; the id of the proposal or offer follows after a colon."""
ONLY = "only"
"""What a button of an appointment asks for: that it alone of its visit is cancelled."""
_YES_LABELS = {
    IntentKind.CREATE: "button-yes-create",
    IntentKind.MOVE: "button-yes-move",
    IntentKind.CANCEL: "button-yes-cancel",
}


class Proposals:
    """Makes proposals; asks `appointments` how many bookings a typed number holds already."""

    def __init__(self, appointments: Appointments) -> None:
        self._appointments = appointments

    async def propose_booking(self, turn: Turn, wish: Wish) -> dict[str, Any]:
        """Ask the client to confirm a booking, or for the phone number that it lacks.

        Returns what the model is told. A number that was only typed may hold one open booking a chat, marked for staff.
        """
        proved = turn.dialogue.proved_phone
        phone = proved or turn.dialogue.typed_phone
        if phone is None:
            turn.conversation = turn.conversation.wishing(wish)
            ask_for_contact(turn, turn.texts.text("ask-contact"))
            return {"status": "client_asked_for_phone"}
        if proved is None and await self._appointments.list_made_here(turn.dialogue):
            turn.conversation = turn.conversation.wishing(wish)
            ask_for_contact(turn, turn.texts.text("too-many-open"))
            return {"status": "client_asked_to_prove_phone"}
        if await self.are_too_many(turn, phone, proved=proved is not None):
            return {"status": "client_has_too_many_bookings"}
        self._propose(
            turn,
            Proposal(
                id=new_id(),
                kind=IntentKind.CREATE,
                shown_at=turn.now,
                offer=wish.offer,
                client_name=wish.client_name,
                visitor_name=wish.visitor_name,
                phone=Phone(phone),
                phone_proved=proved is not None,
                comment=wish.comment,
            ),
        )
        return {"status": "client_asked_to_confirm"}

    async def are_too_many(self, turn: Turn, phone: str, *, proved: bool) -> bool:
        """Say whether one more visit would be more than the company lets one client have ahead, and if so tell them.

        Visits that we booked count, whatever channel they came by; what staff booked does not, as it is no abuse.
        """
        ahead = await self._appointments.list_open(turn.dialogue, phone, proved=proved)
        most = turn.scope.agent.most_open_bookings
        if len({visit_of(one.external_id) or str(one.id) for one in ahead}) < most:
            return False
        log.warning("too_many_open_bookings", proved=proved)
        turn.conversation = turn.conversation.at_rest()
        turn.replies.append(Reply(text=turn.texts.text("too-many-bookings", most=most), buttons=menu_rows(turn)))
        turn.outcome = "too_many_bookings"
        return True

    def propose_move(self, turn: Turn, shown: ShownAppointment, offer: Offer) -> dict[str, Any]:
        """Ask the client to confirm that an appointment moves to another slot."""
        proposal = Proposal(id=new_id(), kind=IntentKind.MOVE, shown_at=turn.now, appointment=shown, offer=offer)
        self._propose(turn, proposal)
        return {"status": "client_asked_to_confirm"}

    def propose_cancel(
        self, turn: Turn, shown: ShownAppointment, others: Sequence[ShownAppointment] = ()
    ) -> dict[str, Any]:
        """Ask the client to confirm that an appointment is cancelled, with `others`: the rest of its visit."""
        proposal = Proposal(
            id=new_id(), kind=IntentKind.CANCEL, shown_at=turn.now, appointment=shown, others=tuple(others)
        )
        self._propose(turn, proposal)
        return {"status": "client_asked_to_confirm"}

    def ask_again(self, turn: Turn, proposal: Proposal) -> None:
        """Put the open proposal before the client once more, as a question of this turn."""
        self._propose(turn, proposal)

    def _propose(self, turn: Turn, proposal: Proposal) -> None:
        turn.conversation = turn.conversation.proposing(proposal.model_copy(update={"turn_id": turn.id}))
        turn.outcome = "proposed"
        yes = "button-yes-cancel-visit" if proposal.others else _YES_LABELS[proposal.kind]
        answers = (
            Button(text=turn.texts.text(yes), action=f"{YES}:{proposal.id}"),
            Button(text=turn.texts.text("button-no"), action=f"{NO}:{proposal.id}"),
        )
        only = (
            [(Button(text=turn.texts.text("button-only-this"), action=f"{MINE}:{ONLY}:{proposal.appointment.id}"),)]
            if proposal.others and proposal.appointment
            else []
        )
        flow = turn.conversation.flow
        back = [] if flow is None else [(flow_button(turn, flow, "flow-back", BACK),)]
        turn.replies.append(Reply(text=proposal_text(turn, proposal), buttons=(answers, *only, *back)))
