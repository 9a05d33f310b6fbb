"""What orchestration needs of the outside, as Protocols. `bot/app.py` plugs the real parts in; the type checker proves
the fit there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from db.booking_records import BookedAppointment, Intent, IntentKind, StaffTime
from db.outreach_records import Consent, Rating, WaitingEntry, WaitingOffer
from db.records import BranchId, Claim, CompanyId, Dialogue, Usage
from orchestration.messages import Attachment


class Clock(Protocol):
    """Tells the time: an aware datetime in UTC. Tests move it."""

    def __call__(self) -> datetime: ...


# ---- the model -----------------------------------------------------------------------------------------------------


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextPart(_Part):
    """Words. `signature` is the provider's opaque mark on a part, handed back exactly as it came."""

    kind: Literal["text"] = "text"
    text: str
    thought: bool = False
    signature: str | None = None


class CallPart(_Part):
    """The model asks for a tool. `id` may be empty where the provider gives none."""

    kind: Literal["call"] = "call"
    id: str | None = None
    name: str
    arguments: dict[str, Any]
    signature: str | None = None


class ResultPart(_Part):
    """What a tool answered; `response` is a JSON object."""

    kind: Literal["result"] = "result"
    id: str | None = None
    name: str
    response: dict[str, Any]


class MediaPart(_Part):
    """A recording or a picture that the client sent. Shown to the model in one request and never kept with the history.

    `mime_type` is bare, without parameters.
    """

    kind: Literal["media"] = "media"
    mime_type: str
    data: bytes = Field(repr=False)


Part = Annotated[TextPart | CallPart | ResultPart | MediaPart, Field(discriminator="kind")]


class Content(BaseModel):
    """One entry of the conversation with the model. Parts are never merged, reordered or rebuilt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "model"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Return the words meant for the client, thoughts left out."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart) and not part.thought)

    @property
    def calls(self) -> tuple[CallPart, ...]:
        return tuple(part for part in self.parts if isinstance(part, CallPart))


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDeclaration:
    """A tool as the model sees it; `parameters` is JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(slots=True)
class Listener:
    """Hears an answer's words while the model writes them, piece by piece, thoughts left out.

    Once it has heard anything (`begun`), the answer cannot be asked for anew: a failure is told as one.
    """

    take: Callable[[str], Awaitable[None]]
    begun: bool = False

    async def hear(self, piece: str) -> None:
        """Take the next piece; what `take` raises ends the answer."""
        if piece:
            self.begun = True
            await self.take(piece)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to the model. `model` None: the platform's default. `timeout` bounds the whole call.

    `stable`: the beginning of `system` that is the same in many questions, for a provider that can keep it.
    `listener`: who hears the words as they are written; None: the whole answer is enough.
    """

    system: str
    stable: str = ""
    contents: Sequence[Content]
    tools: Sequence[ToolDeclaration]
    timeout: timedelta
    model: str | None = None
    listener: Listener | None = None
    private: Sequence[str] | None = None
    """The names of the person spoken with, whose data the model is not to see; None: it may."""

    @property
    def is_heard(self) -> bool:
        """Say whether a part of the answer was heard already: it must not begin anew."""
        return self.listener is not None and self.listener.begun


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    """What the model said. `model` is the version that really answered."""

    content: Content
    usage: Usage
    model: str


class Model(Protocol):
    async def generate(self, request: ModelRequest) -> ModelAnswer:
        """Answer, or raise ModelError (see errors.py). Retries within `request.timeout` are the implementation's."""


# ---- what clients send besides words --------------------------------------------------------------------------------


class MediaSource(Protocol):
    """Fetches what a client's message carries, from the channel that it came through."""

    async def fetch(self, attachment: Attachment, *, most_bytes: int) -> bytes:
        """Return the file. Raises MediaTooLarge, or MediaUnavailable where it cannot be had (now, or any more)."""


# ---- what is durable -----------------------------------------------------------------------------------------------


class Intents(Protocol):
    """CRM writes recorded before they are made. Every step is a commit of its own, made under the claim's lease.

    A step raises LeaseLost where the lease has run out or another worker holds the dialogue: nothing is written then,
    and nothing more may be asked of the CRM. Nobody here catches it.
    """

    async def record(
        self,
        claim: Claim,
        *,
        intent_id: UUID,
        branch_id: BranchId,
        kind: IntentKind,
        external_id: str,
        action: Mapping[str, Any],
    ) -> Intent:
        """Record a confirmed write, or return the one that stands under this id already."""

    async def find(self, dialogue: Dialogue, intent_id: UUID) -> Intent | None:
        """Return an intent of this dialogue. No step: it needs no lease."""

    async def mark_called(
        self,
        claim: Claim,
        intent_id: UUID,
        *,
        times: Mapping[UUID, StaffTime],
        held_for: timedelta,
        visit: str | None = None,
    ) -> bool:
        """Say that the CRM is about to be called (again, after a lookup that found nothing), and claim the times.

        `times` are those of the whole visit, each under the intent that books it: one for nearly every booking, none
        where the write needs no time. They are nobody else's from then on for `held_for`, or until their intent is
        refused. `visit` is the CRM's record that is moved: it does not stand in its own way. False: somebody else has
        claimed a part of one of the times; nothing is claimed or marked, and the CRM must not be called.
        """

    async def mark_done(
        self,
        claim: Claim,
        intent_id: UUID,
        *,
        crm_record_id: str,
        appointment: BookedAppointment | None,
        cancelled: bool,
    ) -> None:
        """Say that the write stands in the CRM; our own row of the appointment is changed with it."""

    async def mark_refused(self, claim: Claim, intent_id: UUID, error: str) -> None:
        """Say that nothing was written; the time is free again."""

    async def mark_unknown(self, claim: Claim, intent_id: UUID, error: str) -> None:
        """Say that it cannot be found out whether it was written."""


class Messengers(Protocol):
    """Where else a client can be written to, for who only hears them on the telephone."""

    async def find(self, dialogue: Dialogue, phone: str) -> Dialogue | None:
        """Return the dialogue of this number's proved owner in a messenger of the same company; None: there is none."""

    async def may_send_code(self, dialogue: Dialogue, phone: str) -> bool:
        """Say whether one more code may go to this number, and count it: nobody is flooded by forged calls."""


class ClaimedTimes(Protocol):
    """Times that somebody is booking right now, or has just booked: no use to offer them, whatever the CRM shows."""

    async def list_claimed(
        self, company_id: CompanyId, branch_id: BranchId, *, first: datetime, last: datetime
    ) -> Sequence[StaffTime]:
        """Return those that lie, at least in part, between the two moments."""


class Appointments(Protocol):
    """Appointments that were made by dialogues of ours."""

    async def list_made_here(self, dialogue: Dialogue) -> Sequence[BookedAppointment]:
        """Return the upcoming ones this very chat made, whatever phone was typed for them."""

    async def list_open(self, dialogue: Dialogue, phone: str, *, proved: bool) -> Sequence[BookedAppointment]:
        """Return the upcoming ones of this client, and those that were made for this number by anybody: with the number
        proved, or with it only typed, as `proved` says. What somebody typed counts against no owner of a number."""

    async def list_cancelled_here(self, dialogue: Dialogue) -> Sequence[BookedAppointment]:
        """Return those of this very chat that would be upcoming, were they not cancelled."""

    async def find_next_with(
        self, company_id: CompanyId, branch_id: BranchId, *, staff_name: str, after: datetime
    ) -> datetime | None:
        """Return when the next standing one of this master begins, whoever's it is; None: we know of none."""


class OutreachView(Protocol):
    """What is known of messages that go out unasked to the client of a dialogue, in all of their channels."""

    async def list_consents(self, dialogue: Dialogue) -> Sequence[Consent]:
        """Return everything that they said to being written to, the oldest first."""

    async def list_waiting(self, dialogue: Dialogue) -> Sequence[WaitingEntry]:
        """Return what they wait for."""

    async def find_offer(self, dialogue: Dialogue, offer_id: UUID) -> WaitingOffer | None:
        """Return a time that was offered to them; None where it was not."""

    async def find_rating(self, dialogue: Dialogue, rating_id: UUID) -> Rating | None:
        """Return what they were asked of a visit of theirs; None where they were not."""

    async def find_open_rating(self, dialogue: Dialogue, *, since: datetime) -> Rating | None:
        """Return the latest visit of which they were asked since then and have not answered."""


class VisitAnswers(Protocol):
    """What clients answer to reminders of their visits. A visit is its records by time, none where it does not stand or
    is not the client's own."""

    async def find_visit(self, dialogue: Dialogue, appointment_id: UUID | None) -> Sequence[BookedAppointment]:
        """Return the visit that this appointment belongs to."""

    async def find_reminded(self, dialogue: Dialogue, turn_id: UUID) -> Sequence[BookedAppointment]:
        """Return the visit of which this message of the history reminded."""

    async def keep_coming(self, dialogue: Dialogue, visit: Sequence[BookedAppointment]) -> None:
        """Keep that the client comes, and ask that the CRM is told; committed when this returns."""
