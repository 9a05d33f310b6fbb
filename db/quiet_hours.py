"""When nobody is written to unasked: a company's setting. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A stretch of each day by the client's own clock, `until` not included; it may go over midnight."""

    begins: time
    until: time


DEFAULT_QUIET = QuietHours(begins=time(21), until=time(9))


def quiet_to_json(quiet: QuietHours) -> list[str] | None:
    """Return None for the default, so that a default that changes is everybody's who has not chosen."""
    return None if quiet == DEFAULT_QUIET else [f"{quiet.begins:%H:%M}", f"{quiet.until:%H:%M}"]


def quiet_from_json(raw: list[str] | None) -> QuietHours:
    if raw is None:
        return DEFAULT_QUIET
    begins, until = (time.fromisoformat(one) for one in raw)
    return QuietHours(begins=begins, until=until)
