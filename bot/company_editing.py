"""A company's settings, changed field by field: by the same rules as its file. Names are the file's own, with dots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from bot.company_file import agent_of
from bot.company_outreach import OFF, write_quiet, write_reminders
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
OUTREACH_FIELDS = (
    "reminders",
    "quiet_hours",
    "outreach.waiting_list",
    "outreach.thank_you",
    "outreach.thank_you_after_hours",
    "outreach.win_back_weeks",
)
"""What clients are written to unasked."""
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
_SINGLE = frozenset({*AGENT_FIELDS, "mode", "reminders", "quiet_hours"})
"""Fields that are settings by themselves, not parts of one."""
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
        "reminders": _joined(write_reminders(agent.reminders)),
        "quiet_hours": write_quiet(agent.quiet_hours),
        "outreach.waiting_list": agent.outreach.waiting_list,
        "outreach.thank_you": agent.outreach.thank_you,
        "outreach.thank_you_after_hours": agent.outreach.thank_you_after_hours,
        "outreach.win_back_weeks": agent.outreach.win_back_weeks,
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
        if name in _SINGLE and (attribute := _ATTRIBUTES.get(name, name))
    }
    if any(name in PEOPLE_FIELDS for name in given):
        # What a form has no field for stays.
        kept = agent.people
        changed["people"] = replace(
            read.people, modes=kept.modes, branch_modes=kept.branch_modes, crm_phrase=kept.crm_phrase
        )
    if any(name.startswith("outreach.") for name in given):
        changed["outreach"] = replace(read.outreach, win_back_services=agent.outreach.win_back_services)
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
            inner[last] = _read(name, text)
    return nested


def _field_at(place: tuple[int | str, ...]) -> str:
    """Return the field that is meant, whichever of its lines is at fault."""
    return ".".join(step for step in place if isinstance(step, str))


def _read(name: str, text: str) -> str | list[str]:
    """Return a field as the file has it: a list where it is one."""
    if name == "people.topics":
        return _parts(text.splitlines())
    return _parts(text.split(",")) if name == "reminders" and text != OFF else text


def _parts(texts: Iterable[str]) -> list[str]:
    return [text.strip() for text in texts if text.strip()]


def _joined(value: str | list[str] | None) -> str | None:
    return ", ".join(value) if isinstance(value, list) else value


def _tidy(text: str) -> str:
    """Write lines as we keep them: a browser sends them as on paper tape."""
    return text.replace("\r\n", "\n").strip()


def _written(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return f"{value:g}"
