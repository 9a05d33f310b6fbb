"""Tools for appointments that stand: list mine, move, cancel. A phone that the channel proved opens the client's own;
without it a chat sees and cancels only what it made itself."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import Field

from crm.base import Appointment, Phone, RecordId
from crm.errors import CRMNotFound
from db.records import BranchId
from orchestration.conversation import ShownAppointment
from orchestration.ports import Appointments
from orchestration.proposals import Proposals
from orchestration.tools.base import Arguments, Tool, ToolOutcome, refuse
from orchestration.tools.catalogue import has_crm
from orchestration.trouble import ask_for_contact
from orchestration.turns import Turn
from orchestration.wording import place_text


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

    appointments: Appointments
    proposals: Proposals

    async def list_mine(self, turn: Turn, arguments: MyAppointments) -> ToolOutcome:
        found = await self._find(turn)
        if not found and turn.dialogue.proved_phone is None:
            turn.conversation = turn.conversation.wishing(None)
            ask_for_contact(turn, turn.texts.text("need-proved-phone"))
            return ToolOutcome(response={"status": "client_asked_to_prove_phone"}, ends_turn=True)
        shown = [(_shown(branch_id, appointment), appointment) for branch_id, appointment in found]
        turn.conversation = turn.conversation.with_appointments(tuple(one for one, _ in shown))
        return ToolOutcome(response={"appointments": [_told(turn, one, full) for one, full in shown]})

    async def reschedule(self, turn: Turn, arguments: RescheduleAppointment) -> ToolOutcome:
        shown = turn.conversation.find_appointment(arguments.appointment_id)
        if shown is None:
            return refuse("unknown_appointment", turn.texts.text("tool-unknown-appointment"))
        offer = turn.conversation.find_offer(arguments.slot_id, turn.now)
        if offer is None:
            return refuse("unknown_slot", turn.texts.text("tool-unknown-slot"))
        if set(offer.service_ids) != set(shown.service_ids) or offer.branch_id != shown.branch_id:
            return refuse("other_services", turn.texts.text("tool-other-services"), service_ids=list(shown.service_ids))
        rules = await turn.scope.crm(BranchId(shown.branch_id)).get_rules()
        if not rules.may_move or too_late(turn, shown, rules.move_deadline):
            return refuse("too_late", turn.texts.text("move-too-late"))
        return ToolOutcome(response=self.proposals.propose_move(turn, shown, offer), ends_turn=True)

    async def cancel(self, turn: Turn, arguments: CancelAppointment) -> ToolOutcome:
        shown = turn.conversation.find_appointment(arguments.appointment_id)
        if shown is None:
            return refuse("unknown_appointment", turn.texts.text("tool-unknown-appointment"))
        rules = await turn.scope.crm(BranchId(shown.branch_id)).get_rules()
        if not rules.may_cancel or too_late(turn, shown, rules.cancel_deadline):
            return refuse("too_late", turn.texts.text("cancel-too-late"))
        return ToolOutcome(response=self.proposals.propose_cancel(turn, shown), ends_turn=True)

    def tools(self) -> tuple[Tool, ...]:
        """Return them as the manager wants them."""
        return (
            Tool(
                name="my_appointments",
                description="The client's own upcoming appointments.",
                arguments=MyAppointments,
                run=self.list_mine,
                available=has_crm,
            ),
            Tool(
                name="reschedule_appointment",
                description="Show the client a move of an appointment to another slot for confirmation. It does not "
                "move by itself. Find slots for the same services first.",
                arguments=RescheduleAppointment,
                run=self.reschedule,
                available=has_crm,
            ),
            Tool(
                name="cancel_appointment",
                description="Show the client a cancellation for confirmation. It does not cancel by itself.",
                arguments=CancelAppointment,
                run=self.cancel,
                available=has_crm,
            ),
        )

    async def _find(self, turn: Turn) -> list[tuple[BranchId, Appointment]]:
        """Read what may be shown, from the CRM itself. Raises CRMError."""
        found: dict[tuple[BranchId, RecordId], Appointment] = {}
        if turn.dialogue.proved_phone:
            for branch in turn.scope.branches:
                today = turn.local(turn.now, branch).date()
                phone = Phone(turn.dialogue.proved_phone)
                for appointment in await turn.scope.crm(branch.id).list_appointments(phone, first=today):
                    found[branch.id, appointment.id] = appointment
        for made in await self.appointments.list_made_here(turn.dialogue):
            key = (made.branch_id, RecordId(made.crm_record_id))
            if key not in found:
                try:
                    found[key] = await turn.scope.crm(made.branch_id).get_appointment(key[1])
                except CRMNotFound:
                    continue
        standing = [(branch_id, one) for (branch_id, _), one in found.items() if not one.cancelled]
        return sorted(
            ((branch_id, one) for branch_id, one in standing if one.starts_at > turn.now),
            key=lambda pair: pair[1].starts_at,
        )


def too_late(turn: Turn, shown: ShownAppointment, deadline: timedelta | None) -> bool:
    """Say whether the salon's own deadline before the visit has passed."""
    return shown.starts_at - turn.now < (deadline or timedelta(0))


def _shown(branch_id: BranchId, appointment: Appointment) -> ShownAppointment:
    return ShownAppointment(
        id=f"a_{secrets.token_hex(5)}",
        branch_id=branch_id,
        record_id=appointment.id,
        starts_at=appointment.starts_at,
        duration=appointment.duration,
        service_ids=tuple(service.id for service in appointment.services),
        service_names=tuple(service.title for service in appointment.services),
        staff_name=appointment.staff.name,
    )


def _told(turn: Turn, shown: ShownAppointment, full: Appointment) -> dict[str, Any]:
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
    if visitor := visitor_in(turn, full.comment.splitlines()):
        told["visitor"] = visitor
    return told


def visitor_in(turn: Turn, comment_lines: Sequence[str]) -> str | None:
    """Find who comes in the record's comment, where the booking put it."""
    prefix = turn.texts.text("comment-visitor", visitor="").rstrip()
    return next((line.removeprefix(prefix).strip() for line in comment_lines if line.startswith(prefix)), None)
