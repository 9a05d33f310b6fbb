"""Which pages of the console are whose: by the rights of roles that count everywhere (orchestration/staff_rules.py)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from db.audit import Actor
from db.staff import Role, StaffMember
from orchestration.staff_rules import Right, may


class Page(StrEnum):
    """What stands in the navigation, in its order."""

    DIALOGUES = "dialogues"
    DAY = "day"
    FIGURES = "figures"
    SETTINGS = "settings"


_NEEDS: Mapping[Page, Right] = {
    # A master answers clients in the staff group, where they are shown one; the list of all is not theirs.
    Page.DIALOGUES: Right.SEE_WAITING,
    Page.DAY: Right.SEE_DAY,
    Page.FIGURES: Right.STATISTICS,
    Page.SETTINGS: Right.SETTINGS,
}


def may_open(member: StaffMember, page: Page) -> bool:
    """Say whether a page is there for somebody.

    The figures are the whole company's: who is of some branches only is not shown the others' in them.
    """
    if page is Page.FIGURES and member.role is not Role.OWNER and member.branches:
        return False
    return may(member, _NEEDS[page])


def actor_of(member: StaffMember) -> Actor:
    """Return who acts, for the audit."""
    if member.telegram_user_id is None:
        return Actor("staff", f"member:{member.id}")
    return Actor.staff("telegram", member.telegram_user_id)
