"""The CRM port: what every adapter promises, in the business's own words. Pure: no driver, no vendor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType, Protocol
from zoneinfo import ZoneInfo

ServiceId = NewType("ServiceId", str)
StaffId = NewType("StaffId", str)
ClientId = NewType("ClientId", str)
RecordId = NewType("RecordId", str)
Phone = NewType("Phone", str)
"""E.164: +79161234567."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in minor units (kopecks) of an ISO 4217 currency."""

    minor_units: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a service costs. `high` None: exactly `low`; else a range, which stays a range in every text."""

    low: Money
    high: Money | None = None

    @property
    def is_range(self) -> bool:
        return self.high is not None and self.high != self.low


class Prepayment(StrEnum):
    NONE = "none"
    ALLOWED = "allowed"
    REQUIRED = "required"
    """Cannot be booked by us: the client gets the CRM's own link, staff a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Price and duration of a service with one master; None: the CRM does not say."""

    price: Price | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that is open for online booking.

    `terms` holds for any master; `by_staff` what differs with a certain one. `booking_url` is where the client books by
    hand (prepayment), None where the CRM gives none.
    """

    id: ServiceId
    title: str
    terms: Terms = Terms()
    by_staff: Mapping[StaffId, Terms] = field(default_factory=dict)
    category: str | None = None
    description: str | None = None
    prepayment: Prepayment = Prepayment.NONE
    booking_url: str | None = None

    def terms_with(self, staff_id: StaffId | None) -> Terms:
        """Return price and duration with a master, each falling back to what holds for any."""
        special = self.by_staff.get(staff_id) if staff_id is not None else None
        if special is None:
            return self.terms
        return Terms(price=special.price or self.terms.price, duration=special.duration or self.terms.duration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A master who is open for online booking."""

    id: StaffId
    name: str
    specialization: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time at which the services can be booked with this master, as the CRM said when asked.

    `starts_at` is aware, in the branch's zone. `price` is the sum over the services, None where the CRM does not say.
    """

    starts_at: datetime
    duration: timedelta
    staff: Staff
    service_ids: tuple[ServiceId, ...]
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The client's card in the CRM."""

    id: ClientId
    name: str
    phone: Phone | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAppointment:
    """An appointment to be written. `external_id` is ours; the CRM keeps it and finds it again after a crash."""

    external_id: str
    slot: Slot
    client_name: str
    phone: Phone
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentService:
    id: ServiceId
    title: str
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An appointment as it stands in the CRM. `starts_at` is aware, in the branch's zone."""

    id: RecordId
    starts_at: datetime
    duration: timedelta
    staff: Staff
    services: tuple[AppointmentService, ...]
    client_name: str = ""
    phone: Phone | None = None
    comment: str = ""
    external_id: str | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    id: str
    title: str
    price: Price | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRules:
    """What the branch allows online. A deadline counts back from the appointment's start; None: no limit known."""

    time_zone: ZoneInfo
    title: str = ""
    lead_time: timedelta = timedelta(0)
    may_move: bool = True
    may_cancel: bool = True
    move_deadline: timedelta | None = None
    cancel_deadline: timedelta | None = None


class Capability(StrEnum):
    """What a CRM may lack. The agent's tools offer only what the company's CRM can do."""

    SLOTS = "slots"
    STAFF_CHOICE = "staff_choice"
    CREATE = "create"
    MOVE = "move"
    CANCEL = "cancel"
    LIST = "list"
    PRODUCTS = "products"
    FIND_BY_EXTERNAL_ID = "find_by_external_id"
    """After an uncertain write it can be found out whether it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One field that `ai-admin crm set` asks for. Secret ones come from a prompt or stdin and are stored encrypted."""

    name: str
    title: str
    secret: bool = False
    required: bool = True
    default: str | None = None
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a CRM integration is: what it asks for, what it can do, how well it is proven, what it was written from."""

    type: str
    title: str
    fields: tuple[SettingField, ...]
    capabilities: frozenset[Capability]
    tier: str
    documents: tuple[str, ...]


class CheckStatus(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One line of `crm check`: what was tried, how it went, what to do about it."""

    subject: str
    status: CheckStatus
    detail: str


class Pace(Protocol):
    """Keeps a vendor's limit on calls over all companies and processes."""

    async def wait(self, vendor: str, *, rate: int, per: timedelta, burst: int) -> None:
        """Return when one more call is allowed; bounded: raises TimeoutError past its own limit."""


class Cache(Protocol):
    """Keeps short-lived answers of a CRM, shared by all processes. Losing it costs speed, nothing else."""

    async def get(self, key: str) -> str | None: ...

    async def set(self, key: str, value: str, *, ttl: timedelta) -> None: ...

    async def delete(self, key: str) -> None: ...


class BaseCRMAdapter(ABC):
    """One branch's account in one CRM.

    Every method may raise CRMAuthFailed, CRMRateLimited, CRMUnavailable, and CRMUnsupported where the manifest lacks
    the capability. "Nothing free" is an empty tuple; "could not be asked" is an error: the two are never one value.
    Writes raise CRMOutcomeUnknown instead of CRMUnavailable once the request may have reached the CRM.
    """

    manifest: Manifest

    @abstractmethod
    async def get_rules(self) -> BookingRules:
        """Return the branch's zone, lead time and deadlines."""

    @abstractmethod
    async def get_services(self) -> tuple[Service, ...]:
        """Return the services that are open for online booking."""

    @abstractmethod
    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        """Return the masters open for online booking; with `service_ids`, those who do all of them."""

    @abstractmethod
    async def get_available_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        """Return free slots from `first` to `last` (both included, local dates), ordered by time.

        `staff_id` None: any master; each slot names the master it would be with. Raises CRMNotFound for a service or
        master that is not offered.
        """

    @abstractmethod
    async def get_client_by_phone(self, phone: Phone) -> Client | None:
        """Return the card whose phone is exactly this one; None where there is none."""

    @abstractmethod
    async def create_client(self, *, name: str, phone: Phone) -> Client:
        """Create a card. An existing one is never renamed by us."""

    @abstractmethod
    async def create_appointment(self, new: NewAppointment) -> Appointment:
        """Book, and return the record as read back from the CRM.

        Checks that the slot is still free right before the write. Raises SlotTaken, CRMInvalid, CRMNotFound (nothing
        was written) or CRMOutcomeUnknown (find it by its external id before anything else).
        """

    @abstractmethod
    async def find_appointment(self, external_id: str, *, day: date) -> Appointment | None:
        """Return the appointment that carries our external id and starts on that day; None where there is none."""

    @abstractmethod
    async def get_appointment(self, record_id: RecordId) -> Appointment:
        """Return a record, cancelled ones included. Raises CRMNotFound."""

    @abstractmethod
    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        """Return the standing appointments of the client with this phone from a day on, ordered by time."""

    @abstractmethod
    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        """Move a record to a slot and return it as read back. Raises as `create_appointment` does."""

    @abstractmethod
    async def cancel_appointment(self, record_id: RecordId) -> None:
        """Cancel a record; one that is cancelled already is a success."""

    async def get_products(self) -> tuple[Product, ...]:
        """Return products on sale; CRMs without the capability have none of their own."""
        return ()

    @abstractmethod
    async def check(self) -> tuple[CheckLine, ...]:
        """Try what permissions allow without leaving a trace; report, do not raise CRM errors."""
