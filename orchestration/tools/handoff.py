"""Tools that bring people in: call a person, leave staff a note."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import Field

from crm.errors import CRMError
from db.records import BranchId
from orchestration.conversation import ShownAppointment
from orchestration.handover import hand_over
from orchestration.lateness import late_notice
from orchestration.own_appointments import OwnAppointments
from orchestration.ports import Appointments
from orchestration.tools.base import Arguments, Tool, ToolOutcome, refuse
from orchestration.trouble import client_label
from orchestration.turns import StaffNotice, Turn

_SOON = timedelta(hours=12)
"""Who is late means a visit of these hours."""


class CallPerson(Arguments):
    kind: Literal["unknown_topic", "complaint", "health", "asked_for", "other"] = Field(
        description="unknown_topic: neither the company's information nor the tools answer it; complaint; health: a "
        "question of health, allergy or pregnancy; asked_for: the client wants a person; other: anything else."
    )
    summary: str = Field(description="What the person should know, in one or two sentences.", max_length=1000)


class TellStaff(Arguments):
    kind: Literal["late", "note"] = Field(description="late: the client is running late; note: anything else.")
    text: str = Field(description="What to tell the staff, in one sentence.", max_length=500)
    appointment_id: str | None = Field(None, description="Which appointment, from my_appointments, if it is known.")


async def call_a_person(turn: Turn, arguments: CallPerson) -> ToolOutcome:
    hand_over(turn, arguments.kind, arguments.summary)
    return ToolOutcome(response={"status": "person_called"}, ends_turn=True)


@dataclass(frozen=True, slots=True)
class HandoffTools:
    """The tools of this file; what is told to staff of a client who is late is looked up among their visits."""

    own: OwnAppointments
    appointments: Appointments

    async def tell_staff(self, turn: Turn, arguments: TellStaff) -> ToolOutcome:
        shown = turn.conversation.find_appointment(arguments.appointment_id) if arguments.appointment_id else None
        if arguments.appointment_id and shown is None:
            return refuse("unknown_appointment", turn.texts.text("tool-unknown-appointment"))
        if arguments.kind == "late":
            shown = shown or await self._next_visit(turn)
            turn.notices.append(await late_notice(turn, arguments.text, shown, self.appointments))
        else:
            turn.notices.append(_note(turn, arguments.text, shown))
        # The agent promises nothing for the staff: it may only say that they were told.
        return ToolOutcome(response={"status": "staff_told", "promise": "nothing; only that the message was passed on"})

    async def _next_visit(self, turn: Turn) -> ShownAppointment | None:
        """Return the visit that a client who is late must mean: the only one of these hours."""
        near = [one for one in turn.conversation.appointments if abs(one.starts_at - turn.now) < _SOON]
        if not near:
            try:
                found = await self.own.show(turn)
            except CRMError:
                return None
            near = [one.shown for one in found if one.shown.starts_at - turn.now < _SOON]
        return near[0] if len(near) == 1 else None

    def tools(self) -> tuple[Tool, ...]:
        """Return them as the manager wants them."""
        return (
            Tool(
                name="call_a_person",
                description="Call a member of staff into the dialogue: the client asks for a person, complains, asks "
                "about health, or asks what neither the company's information nor the tools answer. The client is told "
                "by itself.",
                arguments=CallPerson,
                run=call_a_person,
            ),
            Tool(
                name="tell_staff",
                description="Pass a short message to the staff: the client is running late, or a note. Promise "
                "nothing.",
                arguments=TellStaff,
                run=self.tell_staff,
            ),
        )


def _note(turn: Turn, words: str, shown: ShownAppointment | None) -> StaffNotice:
    appointment, branch_id = "—", None
    if shown is not None:
        branch_id = BranchId(shown.branch_id)
        when = turn.staff_texts.moment(turn.local(shown.starts_at, turn.scope.branch(branch_id)))
        appointment = f"{when}, {', '.join(shown.service_names)}, {shown.staff_name}"
    text = turn.staff_texts.text("staff-note", client=client_label(turn), text=words, appointment=appointment)
    return StaffNotice(text=text, branch_id=branch_id)
