"""What each role may see and do in the console (docs/console.md has the table)."""

from __future__ import annotations

from enum import StrEnum

from db.audit import Actor
from db.staff import Role, StaffMember


class Right(StrEnum):
    DAY = "day"
    """The day's visits: a master's own ones."""
    DIALOGUES = "dialogues"
    """Reading dialogues, taking them over, answering, handing back."""
    PHONES = "phones"
    """Seeing a client's number whole, which is written down each time."""
    FIGURES = "figures"
    COST = "cost"
    """What the model costs."""
    SETTINGS = "settings"
    """What the agent is told and how it behaves, and trying that out."""
    PRIVACY = "privacy"
    """What is done with clients' data, and which CRM they are written into."""


_OF_ROLE = {
    Role.OWNER: frozenset(Right),
    Role.ADMINISTRATOR: frozenset({Right.DAY, Right.DIALOGUES, Right.PHONES, Right.FIGURES, Right.SETTINGS}),
    Role.MASTER: frozenset({Right.DAY}),
}
_OF_THE_WHOLE_COMPANY = frozenset({Right.FIGURES, Right.SETTINGS})


def rights_of(member: StaffMember) -> frozenset[Right]:
    """Return what somebody may. Who is of some branches only has no say in what is the whole company's."""
    rights = _OF_ROLE[member.role]
    if member.role is Role.ADMINISTRATOR and member.branches:
        rights -= _OF_THE_WHOLE_COMPANY
    return rights


def actor_of(member: StaffMember) -> Actor:
    """Return who acts, for the audit."""
    if member.telegram_user_id is None:
        return Actor("staff", f"member:{member.id}")
    return Actor.staff("telegram", member.telegram_user_id)
