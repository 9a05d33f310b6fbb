"""A company's settings, changed field by field: by the same rules as its file. Names are the file's own, with dots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from bot.company_file import agent_of
from bot.company_schema import CompanyYaml
from db.records import AgentSettings

AGENT_FIELDS = (
    "description",
    "highlights",
    "target_audience",
    "instructions",
    "language",
    "quiet_seconds",
    "most_open_bookings",
    "tell_clients_of_crm_changes",
)
"""What the agent is told, and how it behaves."""
PEOPLE_FIELDS = (
    "mode",
    "people.answer_minutes",
    "people.ring_minutes",
    "people.hand_back_hours",
    "people.topics",
)
"""When the company's people take part in what it does."""
PRIVACY_FIELDS = (
    "privacy.operator",
    "privacy.policy_url",
    "privacy.notice",
    "privacy.notice_text",
    "privacy.hide_from_model",
    "privacy.keep_days.texts",
    "privacy.keep_days.media",
    "privacy.keep_days.summaries",
    "privacy.keep_days.clients",
)
"""What is done with clients' data."""
_ATTRIBUTES = {"quiet_seconds": "quiet", "tell_clients_of_crm_changes": "tell_of_crm_changes"}
_LISTS = frozenset({"people.topics"})
"""Fields with an entry a line."""
_ANY_NAME = "-"


class FieldFaults(Exception):
    """Fields that say what they must not. `names`: which."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(names))
        super().__init__(", ".join(self.names))


def fields_of(agent: AgentSettings) -> dict[str, str]:
    """Return every field as a form shows it; "" where nothing is set."""
    privacy = agent.privacy
    values: dict[str, Any] = {
        "description": agent.description,
        "highlights": agent.highlights,
        "target_audience": agent.target_audience,
        "instructions": agent.instructions,
        "language": agent.language,
        "quiet_seconds": _number(agent.quiet.total_seconds()) if agent.quiet is not None else None,
        "most_open_bookings": agent.most_open_bookings,
        "tell_clients_of_crm_changes": agent.tell_of_crm_changes,
        "mode": agent.mode,
        "people.answer_minutes": agent.people.answer_minutes,
        "people.ring_minutes": agent.people.ring_minutes,
        "people.hand_back_hours": agent.people.hand_back_hours,
        "people.topics": "\n".join(agent.people.topics),
        "privacy.operator": privacy.operator,
        "privacy.policy_url": privacy.policy_url,
        "privacy.notice": privacy.notice,
        "privacy.notice_text": privacy.notice_text,
        "privacy.hide_from_model": privacy.hide_from_model,
        "privacy.keep_days.texts": privacy.keep.texts,
        "privacy.keep_days.media": privacy.keep.media,
        "privacy.keep_days.summaries": privacy.keep.summaries,
        "privacy.keep_days.clients": privacy.keep.clients,
    }
    return {name: _written(value) for name, value in values.items()}


def edited(agent: AgentSettings, given: Mapping[str, str]) -> AgentSettings:
    """Return the settings with these fields changed; what is not given stays. Raises FieldFaults."""
    all_of_them = {**fields_of(agent), **{name: _tidy(text) for name, text in given.items()}}
    try:
        read = agent_of(CompanyYaml.model_validate({"name": _ANY_NAME, **_nested(all_of_them)}))
    except ValidationError as error:
        raise FieldFaults(_field_at(fault["loc"]) for fault in error.errors()) from None
    changed: dict[str, Any] = {
        attribute: getattr(read, attribute)
        for name in given
        if name in (*AGENT_FIELDS, "mode") and (attribute := _ATTRIBUTES.get(name, name))
    }
    if any(name in PEOPLE_FIELDS for name in given):
        # What a form has no field for stays.
        changed["people"] = replace(read.people, modes=agent.people.modes)
    if any(name in PRIVACY_FIELDS for name in given):
        changed["privacy"] = read.privacy
    return replace(agent, **changed)


def version_of(agent: AgentSettings) -> str:
    """Return what tells whether somebody has changed the settings meanwhile."""
    return sha256(repr(agent).encode()).hexdigest()[:16]


def _nested(fields: Mapping[str, str]) -> dict[str, Any]:
    """Put dotted names into each other; what is empty is left out."""
    nested: dict[str, Any] = {}
    for name, text in fields.items():
        if text:
            *path, last = name.split(".")
            inner = nested
            for step in path:
                inner = inner.setdefault(step, {})
            inner[last] = _lines(text) if name in _LISTS else text
    return nested


def _field_at(place: tuple[int | str, ...]) -> str:
    """Return the field that is meant, whichever of its lines is at fault."""
    return ".".join(step for step in place if isinstance(step, str))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _tidy(text: str) -> str:
    """Write lines as we keep them: a browser sends them as on paper tape."""
    return text.replace("\r\n", "\n").strip()


def _written(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return f"{value:g}"
