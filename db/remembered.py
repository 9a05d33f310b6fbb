"""What is remembered of a client beyond the last turns, as frozen records. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVisit:
    """A visit that is over, as the CRM has it."""

    at: datetime
    services: tuple[str, ...]
    staff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMemory:
    """What is remembered of a dialogue. `covers_until`: the last message that the summary knows of."""

    summary: str = ""
    covers_until: UUID | None = None
    visits: tuple[PastVisit, ...] = ()
