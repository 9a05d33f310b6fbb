"""What a turn decides about messages that go out unasked; the turn's commit keeps it, all or nothing with the reply."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.outreach_records import ConsentKind, OfferOutcome
from orchestration.conversation import WaitingWish
from orchestration.privacy_notice import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswered:
    """The client's yes or no to exactly these words."""

    kind: ConsentKind
    words: Notice
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The client wants nothing unasked any more: every yes is withdrawn, and they leave the waiting list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJoined:
    wish: WaitingWish


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLeft:
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NextWanted:
    """The client asked to be told of the next time that becomes free."""

    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAnswered:
    """What the client made of an offer; `until`: how long one that they want is kept for them."""

    offer_id: UUID
    outcome: OfferOutcome
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRated:
    rating_id: UUID
    stars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingExplained:
    """What was wrong, in the client's words."""

    rating_id: UUID
    words: str


OutreachAct = (
    ConsentAnswered | Stopped | WaitingJoined | WaitingLeft | NextWanted | OfferAnswered | VisitRated | RatingExplained
)
