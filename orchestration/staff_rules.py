"""What each role of a company's staff may do and see. Pure: one table, and the few questions that are asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from db.booking_records import BookedAppointment
from db.records import Branch, BranchId
from db.staff import Role, StaffMember
from orchestration.identity import mask_phone
from orchestration.staff_words import StaffCommand


class Right(StrEnum):
    """What somebody may be allowed."""

    ANSWER_CLIENTS = "answer_clients"
    """To take a dialogue over, to write to its client and to hand it back."""
    SEE_DAY = "see_day"
    """What was booked, of what they may see; whose visits: `sees_visit`."""
    SEE_WAITING = "see_waiting"
    """Who waits for a person."""
    SEE_PHONES = "see_phones"
    """A client's whole number, and lists of them. Each view is written down."""
    EXPORT = "export"
    PAUSE = "pause"
    """To stop the agent for the whole company, and to let it answer again."""
    WRITE_NOTES = "write_notes"
    """To propose what is added to the agent's instructions, and to take back what they proposed themselves."""
    DECIDE_NOTES = "decide_notes"
    """To let a note into force, and to take any of them back."""
    MOVE_DAY = "move_day"
    """To have a master's clients of a day offered other times."""
    STATISTICS = "statistics"
    SETTINGS = "settings"


_ADMINISTRATORS = frozenset(Right) - {Right.DECIDE_NOTES, Right.SETTINGS}
RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    # Within their own branches. What the agent is told, and how it is set up, is the company's and so the owner's; that
    # it stops is the safe direction, which must not wait for the owner.
    Role.ADMINISTRATOR: _ADMINISTRATORS,
    # Their own visits, with masked numbers.
    Role.MASTER: frozenset({Right.ANSWER_CLIENTS, Right.SEE_DAY}),
}

NEEDS: Mapping[StaffCommand, Right] = {
    StaffCommand.BACK: Right.ANSWER_CLIENTS,
    StaffCommand.TODAY: Right.SEE_DAY,
    StaffCommand.PAUSE: Right.PAUSE,
    StaffCommand.RESUME: Right.PAUSE,
    StaffCommand.NOTE: Right.WRITE_NOTES,
    StaffCommand.NOTES: Right.WRITE_NOTES,
    StaffCommand.UNDO: Right.WRITE_NOTES,
    StaffCommand.SICK: Right.MOVE_DAY,
}
"""What a command needs; one that is not here needs no more than to be of the staff."""


def may(member: StaffMember, right: Right) -> bool:
    """Say whether this member's role has a right; where it holds, `branches_of` and `sees_visit` say."""
    return right in RIGHTS[member.role]


def may_ask(member: StaffMember, command: StaffCommand) -> bool:
    """Say whether this member may give a command."""
    needed = NEEDS.get(command)
    return needed is None or may(member, needed)


def branches_of(member: StaffMember, branches: Sequence[Branch]) -> tuple[Branch, ...]:
    """Return the branches that a member works in."""
    if member.role is Role.OWNER:
        return tuple(branches)
    return tuple(branch for branch in branches if member.is_of_branch(branch.key))


def sees_visit(member: StaffMember, visit: BookedAppointment, branches: Sequence[Branch]) -> bool:
    """Say whether an appointment is one that the member may see: a master's own, else one of their branches.

    A master is known by who they are in the CRM; of a visit of which that is not known, and of a master who was
    enrolled without it, by the name.
    """
    return sees_visit_with(member, visit.branch_id, visit.staff_id, visit.staff_name, branches)


def sees_visit_with(
    member: StaffMember, branch_id: BranchId, staff_id: str | None, staff_name: str, branches: Sequence[Branch]
) -> bool:
    """Say the same of a visit by whose it is, whoever booked it."""
    mine: set[BranchId] = {branch.id for branch in branches_of(member, branches)}
    if branch_id not in mine:
        return False
    if member.role is not Role.MASTER:
        return True
    if member.crm_staff_id is not None and staff_id is not None:
        return member.crm_staff_id == staff_id
    return _plain(member.name) == _plain(staff_name)


def shown_phone(member: StaffMember, phone: str, *, private: bool) -> str:
    """Return a client's number as this member may see it in a chat: in a group others read along, whatever they may."""
    return phone if private and may(member, Right.SEE_PHONES) else mask_phone(phone)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
