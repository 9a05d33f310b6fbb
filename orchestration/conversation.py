"""What a dialogue remembers between turns besides its words: slots shown, an open proposal, a wish that waits for a
phone number. It is the data of the dialogue's FSM; the FSM's state says which of them the client is being asked about.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

from crm.base import Money, Price, ServiceId, Slot, Staff, StaffId
from crm.prices import sum_of
from db.booking_records import IntentKind
from db.records import DialogueState

OFFER_LIFETIME = timedelta(minutes=30)
PROPOSAL_LIFETIME = timedelta(minutes=10)
_MOST_OFFERS = 60
_MOST_APPOINTMENTS = 20


class Step(StrEnum):
    """The FSM's states: what the client was just asked for."""

    CONFIRMING = "confirming"
    AWAITING_CODE = "awaiting_code"
    """The digits that were sent to the caller's messenger."""
    TAKING_MESSAGE = "taking_message"
    """What a caller wants to have told to a person who is not there now."""
    AWAITING_CONTACT = "awaiting_contact"
    TELLING_WHY = "telling_why"
    """What was wrong with the visit that the client has just given few stars."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class KeptPrice(_Kept):
    low: int
    high: int | None = None
    currency: str

    @classmethod
    def of(cls, price: Price | None) -> Self | None:
        if price is None:
            return None
        high = price.high.minor_units if price.high else None
        return cls(low=price.low.minor_units, high=high, currency=price.low.currency)

    def price(self) -> Price:
        high = Money(minor_units=self.high, currency=self.currency) if self.high is not None else None
        return Price(low=Money(minor_units=self.low, currency=self.currency), high=high)


class Part(_Kept):
    """What becomes one record in the CRM: services that one master does in a row."""

    service_ids: tuple[str, ...]
    service_names: tuple[str, ...]
    staff_id: str
    staff_name: str
    starts_at: datetime
    duration: timedelta
    price: KeptPrice | None

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + self.duration

    def slot(self) -> Slot:
        return Slot(
            starts_at=self.starts_at,
            duration=self.duration,
            staff=Staff(id=StaffId(self.staff_id), name=self.staff_name),
            service_ids=tuple(ServiceId(id_) for id_ in self.service_ids),
            price=self.price.price() if self.price else None,
        )


class Offer(_Kept):
    """A visit that the CRM's free times showed to this dialogue, under an opaque id. Only such ones can be booked.

    Nearly always it is one part; several follow each other in time, and are shown and confirmed as one.
    """

    id: str
    branch_id: UUID
    parts: tuple[Part, ...]
    shown_at: datetime

    @model_validator(mode="before")
    @classmethod
    def _of_one_slot(cls, kept: Any) -> Any:
        """Read an offer of a version that knew no parts: versions run side by side."""
        if isinstance(kept, dict) and "parts" not in kept:
            return {**kept, "parts": [{name: kept[name] for name in Part.model_fields if name in kept}]}
        return kept

    @property
    def service_ids(self) -> tuple[str, ...]:
        return tuple(id_ for part in self.parts for id_ in part.service_ids)

    @property
    def service_names(self) -> tuple[str, ...]:
        return tuple(name for part in self.parts for name in part.service_names)

    @property
    def staff_name(self) -> str:
        """Who does it; several in the order of the visit."""
        return ", ".join(dict.fromkeys(part.staff_name for part in self.parts))

    @property
    def starts_at(self) -> datetime:
        return self.parts[0].starts_at

    @property
    def duration(self) -> timedelta:
        """How long the client is there, what is waited between the parts included."""
        return self.parts[-1].ends_at - self.starts_at

    @property
    def price(self) -> KeptPrice | None:
        """What all parts cost together: a range if one of them is, None where one is not known."""
        return KeptPrice.of(sum_of([part.price.price() if part.price else None for part in self.parts]))


class ShownAppointment(_Kept):
    """An appointment that was listed to this client, under an opaque id. Only such ones can be moved or cancelled."""

    id: str
    branch_id: UUID
    record_id: str
    starts_at: datetime
    duration: timedelta
    service_ids: tuple[str, ...] = ()
    service_names: tuple[str, ...]
    staff_name: str
    visit: str | None = None
    """What it has in common with the other records of a visit that was booked as several; None: it is alone."""
    by_salon: bool = False
    """The salon cannot hold it and asks for a change: its deadlines do not count."""


class Proposal(_Kept):
    """The one action that the client is asked to confirm, exactly as it was shown.

    `id` becomes the intent's id and, with it, the external id in the CRM: however often the yes is handled, it is one
    booking. `others` are the visit's further records, which are cancelled together with `appointment`.
    """

    id: UUID
    kind: IntentKind
    shown_at: datetime
    offer: Offer | None = None
    appointment: ShownAppointment | None = None
    others: tuple[ShownAppointment, ...] = ()
    client_name: str = ""
    visitor_name: str | None = None
    phone: str = ""
    phone_proved: bool = False
    comment: str = ""
    turn_id: UUID | None = None
    """The turn whose reply asks for it; None: of a version that did not keep it."""


class Wish(_Kept):
    """A booking that only lacks a phone number."""

    offer: Offer
    client_name: str
    visitor_name: str | None = None
    comment: str = ""


class Ask(StrEnum):
    """What the booking by buttons asks for, in its order. Phone and confirmation are asked for as everywhere."""

    BRANCH = "branch"
    SERVICE = "service"
    STAFF = "staff"
    DAY = "day"
    TIME = "time"
    ANSWERS = "answers"
    """The questions that a service wants answered before it is booked."""
    NAME = "name"


class Flow(_Kept):
    """The booking by buttons: what is chosen so far, and what is being asked for.

    `id` stands in its buttons, so that those of an earlier one do nothing. `trail` is what was asked before, for the
    way back. `staff_id` None: anyone. `moves`: the appointment that is to be moved, None for a new booking.
    """

    id: str
    asks: Ask
    trail: tuple[Ask, ...] = ()
    page: int = 0
    branch_id: UUID | None = None
    service_ids: tuple[str, ...] = ()
    service_names: tuple[str, ...] = ()
    staff_id: str | None = None
    staff_name: str = ""
    day: date | None = None
    offer: Offer | None = None
    comment: str = ""
    moves: ShownAppointment | None = None


class WaitingWish(_Kept):
    """What a client would like to be told of, once it becomes free: it stands in no list before they agree to that.

    `id` stands in the question's buttons, and becomes the entry's. Days and times of day are the branch's.
    """

    id: UUID
    branch_id: UUID
    service_ids: tuple[str, ...]
    service_names: tuple[str, ...]
    staff_id: str | None = None
    staff_name: str = ""
    first_day: date
    last_day: date
    earliest: time | None = None
    latest: time | None = None


class Choice(_Kept):
    """A button as it was shown: typed words, or its number where nothing is drawn, press it too."""

    label: str
    action: str


class SentCode(_Kept):
    """Digits that prove whose phone the caller has; only their digest is kept. `tries`: wrong ones so far."""

    digest: str
    phone: str
    sent_at: datetime
    tries: int = 0


class Conversation(_Kept):
    """All of it.

    Unknown fields of a newer version are dropped and missing ones have defaults: versions run side by side.
    """

    step: Step | None = None
    offers: tuple[Offer, ...] = ()
    appointments: tuple[ShownAppointment, ...] = ()
    proposal: Proposal | None = None
    wish: Wish | None = None
    """What is booked as soon as there is a phone number, or, after a lost slot, with another of the times shown."""
    flow: Flow | None = None
    choices: tuple[Choice, ...] = ()
    """The buttons of the last reply that had some."""
    wants_list: bool = False
    """The client asked for their appointments, and is shown them as soon as there is a proved phone."""
    code: SentCode | None = None
    receipts: tuple[str, ...] = ()
    """What was booked, moved and cancelled in a call, as it is written to the client after it."""
    waits: WaitingWish | None = None
    """What the client is asked whether they want to be told of."""
    failures: int = 0
    """In how many turns running the agent had no answer."""
    rated: UUID | None = None
    """The rating whose reasons the client is asked for."""

    @property
    def asks_elsewhere(self) -> bool:
        """Say whether the client is asked for something that is not the flow's: a yes, a phone number."""
        return self.step is not None or self.proposal is not None or self.wish is not None

    @classmethod
    def from_state(cls, state: DialogueState) -> Self:
        step = state.state if state.state in Step._value2member_map_ else None
        return cls.model_validate({**state.data, "step": step})

    def to_state(self, version: int) -> DialogueState:
        data: Mapping[str, Any] = self.model_dump(mode="json", exclude={"step"}, exclude_defaults=True)
        return DialogueState(state=self.step, data=data, version=version)

    def with_offers(self, new: tuple[Offer, ...], now: datetime) -> Self:
        """Remember what was shown; the oldest are forgotten first, the expired at once."""
        standing = tuple(offer for offer in self.offers if now - offer.shown_at < OFFER_LIFETIME)
        return self.model_copy(update={"offers": (*standing, *new)[-_MOST_OFFERS:]})

    def with_appointments(self, shown: tuple[ShownAppointment, ...]) -> Self:
        return self.model_copy(update={"appointments": shown[-_MOST_APPOINTMENTS:]})

    def find_offer(self, offer_id: str, now: datetime) -> Offer | None:
        """Return the offer, or None where this dialogue was never shown it or it was too long ago."""
        for offer in self.offers:
            if offer.id == offer_id and now - offer.shown_at < OFFER_LIFETIME:
                return offer
        return None

    def find_appointment(self, appointment_id: str) -> ShownAppointment | None:
        return next((shown for shown in self.appointments if shown.id == appointment_id), None)

    def find_rest_of_visit(self, shown: ShownAppointment) -> tuple[ShownAppointment, ...]:
        """Return the other records of the visit that this one was booked with, as they were listed."""
        if shown.visit is None:
            return ()
        return tuple(one for one in self.appointments if one.visit == shown.visit and one.id != shown.id)

    def proposing(self, proposal: Proposal) -> Self:
        """Put one proposal before the client; it voids any earlier one."""
        return self.model_copy(
            update={"step": Step.CONFIRMING, "proposal": proposal, "wish": None, "wants_list": False}
        )

    def wishing(self, wish: Wish | None) -> Self:
        """Wait for the client's contact; a proposal that stood open is void."""
        return self.model_copy(update={"step": Step.AWAITING_CONTACT, "wish": wish, "proposal": None})

    def retrying(self, wish: Wish) -> Self:
        """Keep what was wished, for another slot."""
        return self.model_copy(update={"step": None, "proposal": None, "wish": wish})

    def at_rest(self) -> Self:
        """Ask nothing any more."""
        return self.model_copy(
            update={
                "step": None,
                "proposal": None,
                "wish": None,
                "flow": None,
                "choices": (),
                "wants_list": False,
                "waits": None,
                "rated": None,
            }
        )

    def flowing(self, flow: Flow) -> Self:
        """Go on with the booking by buttons; what was asked for otherwise is void."""
        return self.model_copy(update={"step": None, "proposal": None, "wish": None, "flow": flow, "wants_list": False})
