"""The tool that puts a client on the waiting list. It writes nothing: it asks the client, and only their yes does."""

from __future__ import annotations

from datetime import date, time, timedelta

from pydantic import Field

from crm.base import Capability, StaffId
from db.records import Branch, new_id
from orchestration.conversation import WaitingWish
from orchestration.tools.base import Tool, ToolOutcome, refuse
from orchestration.tools.booking import chosen_services
from orchestration.tools.catalogue import BranchArguments, pick_branch
from orchestration.turns import Turn
from orchestration.waiting_list import ask_to_wait, has_waiting_list, may_wait

_FURTHEST = timedelta(days=180)
_LONGEST = timedelta(days=31)


class JoinWaitingList(BranchArguments):
    service_ids: list[str] = Field(description="What is wanted, from get_services.", min_length=1, max_length=3)
    staff_id: str | None = Field(None, description="The master that the client wants; empty: any.")
    date_from: date = Field(description="First day that suits the client, YYYY-MM-DD.")
    date_to: date | None = Field(None, description="Last day that suits; empty: the same day. At most a month.")
    time_from: time | None = Field(None, description="Earliest start that suits, HH:MM.")
    time_to: time | None = Field(None, description="Latest start that suits, HH:MM.")


async def join_waiting_list(turn: Turn, arguments: JoinWaitingList) -> ToolOutcome:
    if not may_wait(turn):
        return refuse("cannot_be_told", turn.texts.text("tool-cannot-be-told"))
    branch = pick_branch(turn, arguments.branch_id)
    if isinstance(branch, ToolOutcome):
        return branch
    today = turn.local(turn.now, branch).date()
    last = arguments.date_to or arguments.date_from
    if last < arguments.date_from or last < today:
        return refuse("dates_past", turn.texts.text("tool-dates-past"))
    if last - today > _FURTHEST or last - arguments.date_from > _LONGEST:
        return refuse("dates_too_far", turn.texts.text("tool-dates-too-far"))
    services = await chosen_services(turn, branch, arguments.service_ids)
    if isinstance(services, ToolOutcome):
        return services
    staff_name = await _name_of(turn, arguments.staff_id, branch) if arguments.staff_id else ""
    if staff_name is None:
        return refuse("unknown_staff", turn.texts.text("tool-not-found"))
    wish = WaitingWish(
        id=new_id(),
        branch_id=branch.id,
        service_ids=tuple(str(service.id) for service in services),
        service_names=tuple(service.name for service in services),
        staff_id=arguments.staff_id,
        staff_name=staff_name,
        first_day=max(arguments.date_from, today),
        last_day=last,
        earliest=arguments.time_from,
        latest=arguments.time_to,
    )
    ask_to_wait(turn, wish)
    return ToolOutcome(response={"status": "client_asked_to_agree"}, ends_turn=True)


async def _name_of(turn: Turn, staff_id: str, branch: Branch) -> str | None:
    """Return the master's name; None where there is no such master open for booking."""
    crm = turn.scope.crm(branch.id)
    if Capability.STAFF_CHOICE not in crm.capabilities:
        return None
    return next((one.name for one in await crm.get_staff() if one.id == StaffId(staff_id)), None)


WAITING_TOOLS = (
    Tool(
        name="join_waiting_list",
        description="Offer the client to be told when a time becomes free, where none that is free suits them. It asks "
        "the client itself; they are on the list only after their own yes. Never say that they are.",
        arguments=JoinWaitingList,
        run=join_waiting_list,
        available=has_waiting_list,
    ),
)
