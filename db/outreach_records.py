"""What leaves this package of messages that nobody asked for: wishes, offers, consents, ratings. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from db.records import BranchId, DialogueId


class ConsentKind(StrEnum):
    WAITING_LIST = "waiting_list"
    WIN_BACK = "win_back"
    ALL = "all"
    """Only ever refused: the client wants nothing unasked any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A client's yes or no to one kind of messages, in one channel: one of `given_at` and `refused_at` is set."""

    kind: ConsentKind
    channel: str
    wording_version: str | None = None
    given_at: datetime | None = None
    refused_at: datetime | None = None
    withdrawn_at: datetime | None = None


MOST_STARS, FEW_STARS = 5, 3
"""A visit is given one to five stars; of few of them staff are told."""


class MessageKind(StrEnum):
    """What is written to a client unasked."""

    OFFER = "waiting_list"
    THANKS = "thank_you"
    WIN_BACK = "win_back"


class WaitingStatus(StrEnum):
    WAITING = "waiting"
    BOOKED = "booked"
    LEFT = "left"
    """The client does not want to be told any more."""
    OVER = "over"
    """The last of the days is past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEntry:
    """What one client waits for. Days and times of day are the branch's; `staff_id` None: any master."""

    id: UUID
    branch_id: BranchId
    dialogue_id: DialogueId
    service_ids: tuple[str, ...]
    service_names: tuple[str, ...]
    staff_id: str | None
    staff_name: str
    first_day: date
    last_day: date
    earliest: time | None
    latest: time | None
    created_at: datetime
    asked_at: datetime
    status: WaitingStatus = WaitingStatus.WAITING


class FreedOutcome(StrEnum):
    """What became of a time that was freed."""

    BOOKED = "booked"
    NOBODY = "nobody"
    """Nobody (else) waits for it."""
    PAST = "past"


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedTime:
    """A stretch of a master's time that a visit has left. `staff_name` empty: the CRM did not say whose."""

    id: UUID
    branch_id: BranchId
    staff_name: str
    starts_at: datetime
    duration: timedelta
    closed_at: datetime | None = None


class OfferOutcome(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    """The client wants it and is being asked to confirm."""
    BOOKED = "booked"
    DECLINED = "declined"
    EXPIRED = "expired"
    """The client let it pass; also: wanted it, and did not confirm."""
    GONE = "gone"
    """The CRM has sold it meanwhile."""


STANDING = frozenset({OfferOutcome.OPEN, OfferOutcome.TAKEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingOffer:
    """A freed time as it is offered to one who waits, until `expires_at`."""

    id: UUID
    freed_id: UUID
    entry: WaitingEntry
    staff_id: str
    starts_at: datetime
    offered_at: datetime
    expires_at: datetime
    outcome: OfferOutcome = OfferOutcome.OPEN
    passed_on: bool = False
    """The same time stands offered to somebody else now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """How a client was asked of a visit, and what they said. `stars`: 1 to 5; None: nothing yet."""

    id: UUID
    visit: str
    dialogue_id: DialogueId
    branch_id: BranchId
    service_names: tuple[str, ...]
    staff_name: str
    starts_at: datetime
    outcome: str
    stars: int | None = None


ASKED = "asked"
"""The outcome of a rating that the client was asked for; else it says why they were not."""
