"""What a company says about its clients' personal data: who processes it, and for how long. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """For how many days a company keeps what its clients leave; the sweeper deletes what is older.

    The appointments themselves are the CRM's, and so is the time that it keeps them for.
    """

    texts: int = 365
    """What was said, by whomever: history, replies, calls of tools and telephone, handovers, dead updates."""
    media: int = 8
    """Updates as the messenger sent them: the only place where pictures and voice notes, or the way to them, stand."""
    summaries: int = 365
    """The notes on older turns and the past visits that were read for them."""
    clients: int = 1095
    """Of a client who was silent for so long nothing is kept: name, numbers, appointments made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """`operator`: who answers for the data before the law, with the address; None: the company by its name."""

    operator: str | None = None
    policy_url: str | None = None
    notice: bool | None = None
    """Whether clients are told at first contact that their data is processed; None: where the language is Russian."""
    notice_text: str | None = None
    """The company's own words for it."""
    hide_from_model: bool | None = None
    """Whether the model is shown placeholders for clients' names, numbers and addresses; None: where it is Russian."""
    keep: Retention = Retention()


DEFAULT_PRIVACY = PrivacySettings()


def privacy_to_json(privacy: PrivacySettings) -> dict[str, Any]:
    """Return what differs from the defaults, so that a default that changes is everybody's who has not chosen."""
    raw = _chosen(privacy, DEFAULT_PRIVACY)
    keep = _chosen(privacy.keep, Retention())
    return {**{name: value for name, value in raw.items() if name != "keep"}, **({"keep": keep} if keep else {})}


def privacy_from_json(raw: Mapping[str, Any]) -> PrivacySettings:
    """Read it back; fields of a newer version are dropped."""
    keep = Retention(**_known(raw.get("keep", {}), Retention))
    return PrivacySettings(**{**_known(raw, PrivacySettings), "keep": keep})


def _chosen(value: Any, default: Any) -> dict[str, Any]:
    given = {one.name: getattr(value, one.name) for one in fields(value)}
    return {name: one for name, one in given.items() if one != getattr(default, name)}


def _known(raw: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in raw.items() if name in names}
