"""A client who is late: what staff are told of the visit and of the time after it, and how they may answer.

The agent promises nothing: staff press a button, and code tells the client exactly what was pressed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from crm.base import BaseCRMAdapter, Capability, ServiceId, Slot
from crm.errors import CRMError
from db.records import Branch, BranchId, new_id
from locales import Translator
from orchestration.catalogue import list_offered_services
from orchestration.conversation import ShownAppointment
from orchestration.menu import MENU, MY
from orchestration.messages import Button, Reply
from orchestration.ports import Appointments
from orchestration.staff_press import About, StaffPress
from orchestration.trouble import client_label
from orchestration.turns import StaffNotice, Turn

_GRID = timedelta(minutes=15)
"""What may lie between two bookable times though nobody is booked there: times are sold on a grid."""
_MOST_LOOKED_AT = 10


class LateAnswer(StrEnum):
    WAIT = "wait"
    SHORTEN = "shorten"
    MOVE = "move"


_LABELS: Mapping[LateAnswer, str] = {
    LateAnswer.WAIT: "staff-late-wait",
    LateAnswer.SHORTEN: "staff-late-shorten",
    LateAnswer.MOVE: "staff-late-move",
}
_TOLD: Mapping[LateAnswer, str] = {
    LateAnswer.WAIT: "late-wait",
    LateAnswer.SHORTEN: "late-shorten",
    LateAnswer.MOVE: "late-move",
}


async def late_notice(
    turn: Turn, words: str, shown: ShownAppointment | None, appointments: Appointments
) -> StaffNotice:
    """Return what the branch's staff are told, with the ways to answer where the client can be written to."""
    texts = turn.staff_texts
    lines = [texts.text("staff-late", client=client_label(turn), text=words, appointment=_visit(turn, shown))]
    branch = turn.scope.branch(BranchId(shown.branch_id)) if shown is not None else None
    if shown is not None and branch is not None:
        lines.append(await _after(turn, branch, shown, appointments))
    if turn.call is not None:
        return StaffNotice(text="\n".join(lines), branch_id=branch.id if branch else None)
    id_ = new_id()
    row = tuple(
        StaffPress(About.LATE, answer, (turn.dialogue.id, id_)).button(texts.text(label))
        for answer, label in _LABELS.items()
    )
    return StaffNotice(text="\n".join(lines), branch_id=branch.id if branch else None, buttons=(row,))


def told_to_late_client(texts: Translator, answer: LateAnswer) -> Reply:
    """Return exactly what staff have answered, in the client's language."""
    buttons = ((Button(text=texts.text("menu-my"), action=f"{MENU}:{MY}"),),) if answer is LateAnswer.MOVE else ()
    return Reply(text=texts.text(_TOLD[answer]), buttons=buttons)


def label_of(texts: Translator, answer: LateAnswer) -> str:
    """Return the words on the button of an answer."""
    return texts.text(_LABELS[answer])


def _visit(turn: Turn, shown: ShownAppointment | None) -> str:
    if shown is None:
        return "—"
    when = turn.staff_texts.moment(turn.local(shown.starts_at, turn.scope.branch(BranchId(shown.branch_id))))
    return f"{when}, {', '.join(shown.service_names)}, {shown.staff_name}"


async def _after(turn: Turn, branch: Branch, shown: ShownAppointment, appointments: Appointments) -> str:
    """Say how long the master is free after the visit, as far as anybody can tell."""
    texts, ends = turn.staff_texts, shown.starts_at + shown.duration
    lines = []
    try:
        free = await _free_after(turn, branch, shown, ends)
    except CRMError:
        free = None
    if free is None:
        lines.append(texts.text("staff-late-gap-unknown"))
    elif free:
        until = texts.time(turn.local(ends + free, branch).time())
        lines.append(texts.text("staff-late-gap", length=texts.duration(free), until=until))
    else:
        lines.append(texts.text("staff-late-no-gap"))
    following = await appointments.find_next_with(
        turn.dialogue.company_id, branch.id, staff_name=shown.staff_name, after=shown.starts_at
    )
    if following is not None and turn.local(following, branch).date() == turn.local(ends, branch).date():
        lines.append(texts.text("staff-late-next", time=texts.time(turn.local(following, branch).time())))
    return "\n".join(lines)


async def _free_after(turn: Turn, branch: Branch, shown: ShownAppointment, ends: datetime) -> timedelta | None:
    """Return how long the CRM would sell the master's time after the visit, without a gap; None: it cannot be told.

    Raises CRMError.
    """
    crm = turn.scope.crm(branch.id)
    if not crm.capabilities.issuperset({Capability.SLOTS, Capability.CATALOGUE}):
        return None
    if ends - turn.now < (await crm.get_rules()).lead_time:
        # So near a time is not sold, whether it is free or not.
        return None
    services = await _shortest(turn, branch, crm, shown)
    if not services:
        return None
    day = turn.local(ends, branch).date()
    slots = await crm.get_available_slots(services, first=day, last=day)
    return free_from(ends, [slot for slot in slots if slot.staff.name == shown.staff_name])


def free_from(moment: datetime, slots: Sequence[Slot]) -> timedelta:
    """Return how long there is one free time after the other from a moment on."""
    until = moment
    for slot in sorted(slots, key=lambda one: one.starts_at):
        if slot.starts_at < moment or slot.starts_at > until + _GRID:
            continue
        until = max(until, slot.starts_at + slot.duration)
    return until - moment


async def _shortest(turn: Turn, branch: Branch, crm: BaseCRMAdapter, shown: ShownAppointment) -> tuple[ServiceId, ...]:
    """Return the shortest service that the master does: it shows the smallest gaps. Else those of the visit itself."""
    offered = await list_offered_services(turn.scope, branch)
    by_length = sorted(
        ((one.terms.duration, one.id) for one in offered if one.terms.duration is not None), key=lambda pair: pair[0]
    )
    for _, service_id in by_length[:_MOST_LOOKED_AT]:
        if any(one.name == shown.staff_name for one in await crm.get_staff([service_id])):
            return (service_id,)
    return tuple(ServiceId(one) for one in shown.service_ids)
