"""Tools for appointments that stand: list mine, move, cancel. A phone that the channel proved opens the client's own;
without it a chat sees and cancels only what it made itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from crm.base import Capability
from db.records import BranchId
from orchestration.own_appointments import (
    OwnAppointment,
    OwnAppointments,
    books_or_lists,
    why_not_cancelled,
    why_not_moved,
)
from orchestration.proposals import Proposals
from orchestration.tools.base import Arguments, Tool, ToolOutcome, refuse
from orchestration.tools.catalogue import needs
from orchestration.trouble import ask_for_contact
from orchestration.turns import Turn
from orchestration.wording import place_text

_CODES = {"move-visit": "part_of_visit", "move-too-late": "too_late", "cancel-too-late": "too_late"}


class MyAppointments(Arguments):
    pass


class RescheduleAppointment(Arguments):
    appointment_id: str = Field(description="Which one, from my_appointments in this dialogue.")
    slot_id: str = Field(description="The new slot, from get_available_slots in this dialogue, for the same services.")


class CancelAppointment(Arguments):
    appointment_id: str = Field(description="Which one, from my_appointments in this dialogue.")


@dataclass(frozen=True, slots=True)
class AppointmentTools:
    """The tools of this file; each is a method."""

    own: OwnAppointments
    proposals: Proposals

    async def list_mine(self, turn: Turn, arguments: MyAppointments) -> ToolOutcome:
        found = await self.own.show(turn)
        if not found and turn.dialogue.proved_phone is None and turn.scope.can(Capability.LIST):
            turn.conversation = turn.conversation.wishing(None)
            ask_for_contact(turn, turn.texts.text("need-proved-phone"))
            return ToolOutcome(response={"status": "client_asked_to_prove_phone"}, ends_turn=True)
        return ToolOutcome(response={"appointments": [_told(turn, one) for one in found]})

    async def reschedule(self, turn: Turn, arguments: RescheduleAppointment) -> ToolOutcome:
        shown = turn.conversation.find_appointment(arguments.appointment_id)
        if shown is None:
            return refuse("unknown_appointment", turn.texts.text("tool-unknown-appointment"))
        offer = turn.conversation.find_offer(arguments.slot_id, turn.now)
        if offer is None:
            return refuse("unknown_slot", turn.texts.text("tool-unknown-slot"))
        if len(offer.parts) > 1:
            return refuse("several_records", turn.texts.text("tool-one-record"))
        if set(offer.service_ids) != set(shown.service_ids) or offer.branch_id != shown.branch_id:
            return refuse("other_services", turn.texts.text("tool-other-services"), service_ids=list(shown.service_ids))
        if why_not := await why_not_moved(turn, shown):
            return refuse(_CODES[why_not], turn.texts.text(why_not))
        return ToolOutcome(response=self.proposals.propose_move(turn, shown, offer), ends_turn=True)

    async def cancel(self, turn: Turn, arguments: CancelAppointment) -> ToolOutcome:
        shown = turn.conversation.find_appointment(arguments.appointment_id)
        if shown is None:
            return refuse("unknown_appointment", turn.texts.text("tool-unknown-appointment"))
        others = turn.conversation.find_rest_of_visit(shown)
        if why_not := await why_not_cancelled(turn, shown, *others):
            return refuse(_CODES[why_not], turn.texts.text(why_not))
        return ToolOutcome(response=self.proposals.propose_cancel(turn, shown, others), ends_turn=True)

    def tools(self) -> tuple[Tool, ...]:
        """Return them as the manager wants them."""
        return (
            Tool(
                name="my_appointments",
                description="The client's own upcoming appointments.",
                arguments=MyAppointments,
                run=self.list_mine,
                available=books_or_lists,
            ),
            Tool(
                name="reschedule_appointment",
                description="Show the client a move of an appointment to another slot for confirmation. It does not "
                "move by itself. Find slots for the same services first.",
                arguments=RescheduleAppointment,
                run=self.reschedule,
                available=needs(Capability.SLOTS, Capability.MOVE),
            ),
            Tool(
                name="cancel_appointment",
                description="Show the client a cancellation for confirmation. It does not cancel by itself.",
                arguments=CancelAppointment,
                run=self.cancel,
                available=needs(Capability.CANCEL),
            ),
        )


def _told(turn: Turn, own: OwnAppointment) -> dict[str, Any]:
    shown = own.shown
    branch = turn.scope.branch(BranchId(shown.branch_id))
    at = turn.local(shown.starts_at, branch)
    told: dict[str, Any] = {
        "appointment_id": shown.id,
        "service": ", ".join(shown.service_names),
        "service_ids": list(shown.service_ids),
        "staff": shown.staff_name,
        "date": at.date().isoformat(),
        "weekday": turn.texts.weekday(at.date()),
        "time": turn.texts.time(at.time()),
        "branch": place_text(turn.scope, branch),
    }
    if visitor := visitor_in(turn, own.full.comment.splitlines()):
        told["visitor"] = visitor
    return told


def visitor_in(turn: Turn, comment_lines: Sequence[str]) -> str | None:
    """Find who comes in the record's comment, where the booking put it in the company's language."""
    prefix = turn.staff_texts.text("comment-visitor", visitor="").rstrip()
    return next((line.removeprefix(prefix).strip() for line in comment_lines if line.startswith(prefix)), None)
