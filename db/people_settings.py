"""How a company lets its agent loose, and when its people take part. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

ALWAYS, DRAFT, OFF_HOURS, IF_UNANSWERED = "always", "draft", "off_hours", "if_unanswered"
CAREFUL = (ALWAYS, IF_UNANSWERED, OFF_HOURS, DRAFT)
"""The modes by how little the agent does of itself, the least last."""
MODES = (ALWAYS, DRAFT, OFF_HOURS, IF_UNANSWERED)
"""What the agent does of itself: answers; writes what staff send with one tap; answers while nobody is at work; or
where nobody has answered for some minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSettings:
    """`modes`: by channel type, over the company's own; `branch_modes`: by the branch's key. `topics`: words that bring
    a person in, whatever the model would say."""

    modes: Mapping[str, str] = field(default_factory=dict)
    branch_modes: Mapping[str, str] = field(default_factory=dict)
    answer_minutes: int = 5
    """In the mode `if_unanswered`: how long staff have before the agent answers."""
    ring_minutes: int = 10
    """How long a client waits in working hours until staff are rung again."""
    hand_back_hours: int = 2
    """How long a person is silent after their own last word until the agent answers again."""
    topics: tuple[str, ...] = ()
    crm_phrase: str | None = None
    """What a comment in the CRM starts with that goes to the client, in a person's name; None: none does."""


DEFAULT_PEOPLE = PeopleSettings()


def people_to_json(people: PeopleSettings) -> dict[str, Any]:
    """Return what differs from the defaults, so that a default that changes is everybody's who has not chosen."""
    given = {one.name: getattr(people, one.name) for one in fields(people)}
    raw = {name: value for name, value in given.items() if value != getattr(DEFAULT_PEOPLE, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in raw.items()}


def people_from_json(raw: Mapping[str, Any]) -> PeopleSettings:
    """Read it back; fields of a newer version are dropped."""
    known = {one.name for one in fields(PeopleSettings)}
    kept = {name: value for name, value in raw.items() if name in known}
    return PeopleSettings(**{**kept, "topics": tuple(kept.get("topics", ()))})
