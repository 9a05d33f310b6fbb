"""What a company lets the agent write of its own accord: waiting list, thanks after a visit, win-back. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class OutreachSettings:
    """`waiting_list`: whether clients may ask to be told of a time that becomes free."""

    waiting_list: bool = True
    thank_you: bool = True
    """Whether clients are thanked after a visit and asked how it was."""
    thank_you_after_hours: int = 3
    win_back_weeks: int | None = None
    """So long after a visit a client who agreed to it is invited again; None: nobody is."""
    win_back_services: Mapping[str, int] = field(default_factory=dict)
    """Services, by their names, that are due again after other weeks than `win_back_weeks`."""

    @property
    def thank_you_after(self) -> timedelta:
        return timedelta(hours=self.thank_you_after_hours)

    def win_back_after(self, service_names: tuple[str, ...]) -> timedelta | None:
        """Return after how long a client is invited again; of several services, the one that is due first says."""
        if self.win_back_weeks is None:
            return None
        own = {name.casefold(): weeks for name, weeks in self.win_back_services.items()}
        said = [own[name.casefold()] for name in service_names if name.casefold() in own]
        return timedelta(weeks=min(said, default=self.win_back_weeks))


DEFAULT_OUTREACH = OutreachSettings()


def outreach_to_json(settings: OutreachSettings) -> dict[str, Any]:
    """Return what differs from the defaults, so that a default that changes is everybody's who has not chosen."""
    given = {one.name: getattr(settings, one.name) for one in fields(settings)}
    chosen = {name: value for name, value in given.items() if value != getattr(DEFAULT_OUTREACH, name)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in chosen.items()}


def outreach_from_json(raw: Mapping[str, Any]) -> OutreachSettings:
    """Read it back; fields of a newer version are dropped."""
    known = {one.name for one in fields(OutreachSettings)}
    return OutreachSettings(**{name: value for name, value in raw.items() if name in known})
