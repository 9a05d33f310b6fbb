"""Tools that bring people in: call a person, leave staff a note."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from db.records import BranchId
from orchestration.handover import hand_over
from orchestration.tools.base import Arguments, Tool, ToolOutcome, refuse
from orchestration.trouble import client_label
from orchestration.turns import StaffNotice, Turn


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


async def tell_staff(turn: Turn, arguments: TellStaff) -> ToolOutcome:
    appointment, branch_id = "", None
    if arguments.appointment_id:
        shown = turn.conversation.find_appointment(arguments.appointment_id)
        if shown is None:
            return refuse("unknown_appointment", turn.texts.text("tool-unknown-appointment"))
        branch_id = BranchId(shown.branch_id)
        when = turn.staff_texts.moment(turn.local(shown.starts_at, turn.scope.branch(branch_id)))
        appointment = f"{when}, {', '.join(shown.service_names)}, {shown.staff_name}"
    key = "staff-late" if arguments.kind == "late" else "staff-note"
    notice = turn.staff_texts.text(key, client=client_label(turn), text=arguments.text, appointment=appointment or "—")
    turn.notices.append(StaffNotice(text=notice, branch_id=branch_id))
    # The agent promises nothing for the staff: it may only say that they were told.
    return ToolOutcome(response={"status": "staff_told", "promise": "nothing; only that the message was passed on"})


HANDOFF_TOOLS = (
    Tool(
        name="call_a_person",
        description="Call a member of staff into the dialogue: the client asks for a person, complains, asks about "
        "health, or asks what neither the company's information nor the tools answer. The client is told by itself.",
        arguments=CallPerson,
        run=call_a_person,
    ),
    Tool(
        name="tell_staff",
        description="Pass a short message to the staff: the client is running late, or a note. Promise nothing.",
        arguments=TellStaff,
        run=tell_staff,
    ),
)
