"""What leaves this package: ids and frozen records. Pure data: no driver, no ORM, nothing of ours above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID, uuid5

import uuid_utils

from db.catalogue import CatalogueProduct, CatalogueService, Hours, Question
from db.outreach_settings import DEFAULT_OUTREACH, OutreachSettings
from db.people_settings import DEFAULT_PEOPLE, PeopleSettings
from db.privacy import DEFAULT_PRIVACY, PrivacySettings
from db.quiet_hours import DEFAULT_QUIET, QuietHours

CompanyId = NewType("CompanyId", UUID)
BranchId = NewType("BranchId", UUID)
ChannelId = NewType("ChannelId", UUID)
DialogueId = NewType("DialogueId", UUID)
ClientId = NewType("ClientId", UUID)

NO_SUBJECT = UUID(int=0)
"""The subject of work that is about the dialogue itself, not about one appointment."""
NO_DIALOGUE = DialogueId(UUID(int=0))
NO_CHANNEL = ChannelId(UUID(int=0))
"""Where work that is the company's own stands."""


def new_id() -> UUID:
    """Return a uuid7: ids grow with time, so that new rows lie together in the index."""
    return UUID(int=uuid_utils.uuid7().int)


def dialogue_id_of(channel_id: ChannelId, key: str) -> DialogueId:
    """Name the dialogue of one client in one channel.

    Derived, not looked up: the intake may ring a dialogue's work without the right to read anything.
    """
    return DialogueId(uuid5(channel_id, key))


ECHO = "echo:"
"""What the dialogue key of words begins with that the business's own people wrote past us to a client, whose key
follows: they are looked at whatever turn of the client's is under way."""


class ChannelType(StrEnum):
    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    VOICE = "voice"
    API = "api"
    """A channel of one's own over `POST /process`, and the terminal chat."""
    EXAMPLE = "example"
    """That of examples/channels, which shows how one is added; nothing serves it."""


PREVIEW = "preview"
"""The option of the channel over which staff try their agent out: nothing that is said there is carried out."""


class ChannelStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    BROKEN = "broken"
    """The messenger refused the channel's credentials; staff must look."""


class InCharge(StrEnum):
    """Who answers a dialogue."""

    AGENT = "agent"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    id: CompanyId
    slug: str
    name: str
    email: str | None = None
    plan: str = "free"
    plan_limits: Mapping[str, int] = field(default_factory=dict)
    channels: tuple[ChannelType, ...] = ()
    """Those that the company is to have, as its file says; a Channel is one that it has."""
    disabled: bool = False
    log_level: str | None = None
    """How much is logged of its work, until `log_level_until`; None: as much as of everybody's."""
    log_level_until: datetime | None = None
    paused_at: datetime | None = None
    """Since when a person answers every client, as `paused_by` said; None: the agent does."""
    paused_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One address of a company. `key` is its name in files and overrides, unique within the company."""

    id: BranchId
    key: str
    name: str
    time_zone: str
    address: str | None = None
    phone: str | None = None
    hours: Hours | None = None
    crm_account_id: str | None = None
    staff_chat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelBudget:
    """What the model may cost in a calendar month (UTC), in US cents; None: no limit.

    At `soft` staff are told; from `hard` on clients are answered by buttons.
    """

    soft: int | None = None
    hard: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """How the company's agent presents it and behaves. Empty fields are left out of the prompt."""

    description: str | None = None
    business_type: str | None = None
    target_audience: str | None = None
    highlights: str | None = None
    services: tuple[CatalogueService, ...] = ()
    products: tuple[CatalogueProduct, ...] = ()
    faq: tuple[Question, ...] = ()
    policies: Mapping[str, str] = field(default_factory=dict)
    instructions: str | None = None
    language: str = "ru"
    currency: str = "RUB"
    mode: str = "always"
    model: str | None = None
    quiet: timedelta | None = None
    """How long a turn waits for the rest of a burst; None: as long as the platform's do."""
    longest_gap: timedelta | None = None
    """How long a client may wait between two parts of a visit; None: as long as anywhere."""
    budget: ModelBudget = ModelBudget()
    tell_of_crm_changes: bool = True
    """Whether clients are told when staff move or cancel their appointments in the CRM."""
    reminders: tuple[timedelta, ...] | None = None
    """How long before a visit its client is reminded, the longest first; empty: the CRM does that itself.

    None: the owner has not said whether it does, so nobody is reminded.
    """
    quiet_hours: QuietHours = DEFAULT_QUIET
    """When clients are not written to unasked, by their own clock."""
    privacy: PrivacySettings = DEFAULT_PRIVACY
    outreach: OutreachSettings = DEFAULT_OUTREACH
    most_open_bookings: int = 5
    people: PeopleSettings = DEFAULT_PEOPLE

    @property
    def hides_clients_from_model(self) -> bool:
        # Russian law (152-FZ, art. 12) makes each transfer of personal data abroad a matter of its own.
        chosen = self.privacy.hide_from_model
        return self.language == "ru" if chosen is None else chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmSettings:
    """The company's CRM: its type, open options, and secrets as ciphertext bound to the company."""

    type: str
    options: Mapping[str, str]
    secrets: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One bot, number or API credential of a company; secrets are ciphertext bound to the company."""

    id: ChannelId
    company_id: CompanyId
    type: ChannelType
    external_id: str
    name: str
    status: ChannelStatus
    options: Mapping[str, Any]
    secrets: str

    @property
    def is_preview(self) -> bool:
        return bool(self.options.get(PREVIEW))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySnapshot:
    """A company with everything a turn needs to know of it, as of one moment."""

    company: Company
    agent: AgentSettings
    branches: tuple[Branch, ...]
    crm: CrmSettings | None
    notes: tuple[str, ...] = ()
    """What staff have added to the agent's instructions from their chat, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One update as it goes into the store: a batch is split before.

    `update_key` is the channel's own id (a repeat of it changes nothing), `dialogue_key` the client within the channel.
    `urgent`: not free text, so no rest of a burst is waited for. `address`: the bot or number it was sent to.
    """

    update_key: str
    dialogue_key: str
    payload: bytes
    urgent: bool = False
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredUpdate:
    """An accepted update waiting to be processed."""

    id: UUID
    company_id: CompanyId
    channel_id: ChannelId
    dialogue_id: DialogueId
    dialogue_key: str
    update_key: str
    payload: bytes
    accepted_at: datetime
    attempts: int
    trace: str | None = None
    """The W3C traceparent of the request that brought it."""


class WorkKind(StrEnum):
    TURN = "turn"
    DELIVERY = "delivery"
    SWEEP = "sweep"
    """Of a company, not of a dialogue: what is kept only for a time goes."""
    CRM = "crm"
    """Of a branch, whose id stands for the dialogue's: what was changed in its CRM is looked into."""
    MEMORY = "memory"
    """Of a dialogue: what was said longer ago becomes a note."""
    WAITING = "waiting"
    """Of a company: what became free is offered to those who wait for it."""
    CARE = "care"
    """Of a dialogue: thanks after a visit, and being invited again."""
    REMINDER = "reminder"
    """Of an appointment, whose id is the subject: its client is reminded of it, and the CRM told what they say."""
    MIRROR = "mirror"
    """Of a dialogue that a person has taken over: what was said in it is shown to staff."""
    HANDOVER = "handover"
    """Of the same: staff are rung again for what waits, and who has been silent for long hands back."""
    SICK = "sick"
    """Of a list, whose id stands for the dialogue's: whose visits of a master's day are settled is shown to staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A lease on one row of work. `wake` was read at the claim, `fence` guards the commit."""

    company_id: CompanyId
    dialogue_id: DialogueId
    kind: WorkKind
    subject_id: UUID
    channel_id: ChannelId
    wake: int
    fence: int
    attempts: int
    lost_leases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueState:
    """The dialogue's FSM: a state's name (None: at rest), its data, and a version that grows with each commit."""

    state: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """One client in one channel of one company.

    `proved_phone` (E.164) is what the channel itself vouches for; `typed_phone` is only what the client wrote.
    """

    id: DialogueId
    company_id: CompanyId
    channel_id: ChannelId
    key: str
    in_charge: InCharge = InCharge.AGENT
    client_name: str | None = None
    language: str | None = None
    proved_phone: str | None = None
    typed_phone: str | None = None
    client_id: ClientId | None = None
    """Who it is, once a phone is proved: the same person in another channel has the same one."""
    language_chosen: bool = False
    """The client chose the language; what they write in does not change it."""
    source: str | None = None
    """What brought the client here: the deep link's parameter."""
    greeted_at: datetime | None = None
    last_message_at: datetime | None = None
    unreachable_at: datetime | None = None
    """Since when the client has blocked the bot or is gone: nothing is sent until they write again."""
    notice_at: datetime | None = None
    """When the client was told that their data is processed, in the words of `notice_version`."""
    notice_version: str | None = None
    shown_to_staff: bool = False
    """Staff see what is said in it as it is said, and may answer. Known where the dialogue itself was read."""


class Author(StrEnum):
    CLIENT = "client"
    AGENT = "agent"
    PERSON = "person"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryMessage:
    """One message of a dialogue's history. `parts` is what the model saw or said, in the model port's own words."""

    author: Author
    text: str
    at: datetime
    turn_id: UUID
    id: UUID = field(default_factory=new_id)
    parts: tuple[Mapping[str, Any], ...] = ()
    model: str | None = None
    prompt_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallRecord:
    """One call of a tool by the model, kept for replay and statistics; arguments and result without secrets."""

    turn_id: UUID
    name: str
    arguments: Mapping[str, Any]
    outcome: str
    took: timedelta
    at: datetime
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a turn's model calls cost in tokens."""

    calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


class DeliveryStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    """A person answered before it was sent: the agent does not talk over them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingReply:
    """A reply on its way out. `payload` is the channel-neutral Reply as JSON."""

    id: UUID
    dialogue_id: DialogueId
    channel_id: ChannelId
    dialogue_key: str
    payload: Mapping[str, Any]
    attempts: int = 0
    status: DeliveryStatus = DeliveryStatus.WAITING
    sent_parts: int = 0
    """How many of its pieces the messenger has taken (a long text goes out in several)."""
    last_message_id: str | None = None
    """What the last of them became, by the messenger's own id."""
    client_wrote_at: datetime | None = None
    """When the client last wrote: some messengers take free words only for a time after it."""
    window_closed: bool = False
    """The messenger has said already that this one came too late for free words."""
    trace: str | None = None
    """The W3C traceparent of the turn that wrote it."""
    about: DialogueId | None = None
    """The client's dialogue that a message to staff is about."""
    file: bytes | None = None
    """Its file, where that has to be carried over from another channel."""


class DeliveryEvent(StrEnum):
    """What a messenger tells of a message of ours after it took it."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    WINDOW_CLOSED = "window_closed"
    """It was not delivered because the client wrote too long ago."""
    UNREACHABLE = "unreachable"
    """It was not delivered because the client cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """One such word of a messenger. `message_id` is the messenger's, `code` its own name of a failure."""

    message_id: str
    event: DeliveryEvent
    at: datetime
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmHook:
    """What a branch's CRM told, as it came; it proves nothing."""

    id: UUID
    content_type: str
    headers: Mapping[str, str]
    body: bytes
