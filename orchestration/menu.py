"""What buttons ask for, and the few that stand under many an answer."""

from __future__ import annotations

from crm.base import Capability
from orchestration.conversation import Flow
from orchestration.messages import Button
from orchestration.turns import Turn

# A pressed button is "verb:what it is about"; a channel gives at most 64 bytes back.
FLOW = "f"
"""`f:<flow>:<step or way>:<choice>`: the booking by buttons."""
BACK, CANCEL, LATER, SOONER = "back", "cancel", "later", "sooner"
TELL_ME = "tell"
MENU = "menu"
"""`menu:<what>`: what a command asks for as well."""
BOOK, MY = "book", "my"
AGENT_AGAIN = f"{MENU}:agent"
"""The client would rather go on with the assistant than wait for a person."""
MINE = "mine"
"""`mine:<what>:<appointment>`: one of the client's appointments."""
SICK = "sick"
"""`sick:<way>:<appointment>`: what a client would like instead of a visit that the salon cannot hold."""
REMIND = "rem"
"""`rem:<what>:<appointment>:<time>`: what a client answers to a reminder of that appointment at that time."""
LANGUAGE = "lang"
ERASE = "erase"


def menu_rows(turn: Turn) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons that lead on without words; none where the company books nothing online."""
    can = turn.scope.can
    row = (
        *([_menu_button(turn, "menu-book", BOOK)] if can(Capability.CREATE) or can(Capability.BOOKING_PAGE) else []),
        *([_menu_button(turn, "menu-my", MY)] if can(Capability.CREATE) or can(Capability.LIST) else []),
    )
    return (row,) if row else ()


def _menu_button(turn: Turn, key: str, what: str) -> Button:
    return Button(text=turn.texts.text(key), action=f"{MENU}:{what}")


def ways(turn: Turn, flow: Flow) -> tuple[Button, ...]:
    """Return the ways out of a step of the booking by buttons: back, if there is anything before it, and out."""
    back = [flow_button(turn, flow, "flow-back", BACK)] if flow.trail else []
    return (*back, flow_button(turn, flow, "flow-cancel", CANCEL))


def flow_button(turn: Turn, flow: Flow, key: str, verb: str, argument: str = "") -> Button:
    return Button(text=turn.texts.text(key), action=f"{FLOW}:{flow.id}:{verb}:{argument}")
