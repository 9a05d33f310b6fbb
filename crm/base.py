"""The CRM port: what every adapter promises, in the business's own words. Pure: no driver, no vendor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from crm.errors import CRMError, CRMUnsupported
from crm.ports import Cache as Cache
from crm.ports import Pace as Pace

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
    missed: bool = False
    """The client did not come, as far as the CRM says."""


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
    """What a CRM may lack. The agent's tools and the buttons' flow offer only what the company's CRM can do."""

    CATALOGUE = "catalogue"
    """Services and masters can be read; without it the company's own file tells of them."""
    SLOTS = "slots"
    STAFF_CHOICE = "staff_choice"
    CREATE = "create"
    MOVE = "move"
    CANCEL = "cancel"
    LIST = "list"
    CLIENTS = "clients"
    """Clients' cards can be found and made by themselves."""
    PRODUCTS = "products"
    FIND_BY_EXTERNAL_ID = "find_by_external_id"
    """After an uncertain write it can be found out whether it happened."""
    IDEMPOTENT_CREATE = "idempotent_create"
    """The same external id sent twice makes one appointment, whatever was heard of the first."""
    BOOKING_PAGE = "booking_page"
    """There is a page on which the client books by hand."""
    HOOKS = "hooks"
    """The CRM tells of changes by a webhook."""
    CHANGES = "changes"
    """It can be asked what has changed since a moment."""
    CONFIRM = "confirm"
    """A record has a field for the client's word that they come."""
    DAY = "day"
    """All that stands on a day can be read, whoever booked it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One field that `ai-admin crm set` asks for. Secret ones come from a prompt or stdin and are stored encrypted.

    `any_letters`: a secret that is encoded before it is sent (a password in Basic authentication), so that it need not
    be ASCII as one that stands in a header or an address must.
    """

    name: str
    title: str
    secret: bool = False
    any_letters: bool = False
    required: bool = True
    default: str | None = None
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a CRM integration is: what it asks for, what it can do, how well it is proven, what it was written from.

    `capabilities` is the most that it can do; an account's settings may leave it less.
    """

    type: str
    title: str
    fields: tuple[SettingField, ...]
    capabilities: frozenset[Capability]
    tier: str
    documents: tuple[str, ...]
    may_lessen: bool = False
    """What an account can do may lessen by itself: ask `settle` before relying on its capabilities."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingLine:
    """One line of `crm mapping`: which of the CRM's fields carries what; `found` None: it could not be looked at."""

    what: str
    field: str
    found: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A CRM's webhook as it came. It proves nothing: only ids are taken from it, and what they name is read again."""

    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class BaseCRMAdapter(ABC):
    """One branch's account in one CRM.

    Every method may raise CRMAuthFailed, CRMRateLimited, CRMUnavailable, and raises CRMUnsupported where the account
    lacks the capability: an adapter writes the methods that it can keep, and leaves the others as they are. "Nothing
    free" is an empty tuple; "could not be asked" is an error: the two are never one value. Writes raise
    CRMOutcomeUnknown instead of CRMUnavailable once the request may have reached the CRM.
    """

    manifest: Manifest

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this account can do: the manifest's, less what its settings leave out."""
        return self.manifest.capabilities

    async def settle(self) -> None:
        """Learn what the account can do just now, where that changes by itself (`may_lessen`); asks the CRM nothing."""
        return

    @abstractmethod
    async def get_rules(self) -> BookingRules:
        """Return the branch's zone, lead time and deadlines."""

    async def check(self) -> tuple[CheckLine, ...]:
        """Try what permissions allow without leaving a trace; report, do not raise CRM errors.

        Here: read the catalogue. An adapter that knows more of its CRM's rights and settings tells more.
        """
        try:
            detail = (
                f"{len(await self.get_services())} services, {len(await self.get_staff())} masters open for booking"
            )
        except CRMError as error:
            return (CheckLine(subject="catalogue", status=CheckStatus.FAILED, detail=f"{error.code}: {error}"),)
        return (CheckLine(subject="catalogue", status=CheckStatus.OK, detail=detail),)

    async def get_services(self) -> tuple[Service, ...]:
        """Return the services that are open for online booking (CATALOGUE)."""
        raise self._lacks(Capability.CATALOGUE)

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        """Return the masters open for online booking (CATALOGUE); with `service_ids`, those who do all of them."""
        raise self._lacks(Capability.CATALOGUE)

    async def get_available_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        """Return free slots from `first` to `last` (both included, local dates), ordered by time (SLOTS).

        `staff_id` None: any master; each slot names the master it would be with, who does all the services. Raises
        CRMNotFound for a service or master that is not offered, CRMInvalid for more than 31 days.
        """
        raise self._lacks(Capability.SLOTS)

    async def get_fresh_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        """Return the same as `get_available_slots`, never as it was kept: for the check right before a write."""
        return await self.get_available_slots(service_ids, first=first, last=last, staff_id=staff_id)

    async def get_client_by_phone(self, phone: Phone) -> Client | None:
        """Return the card with exactly this phone, however it is written there; None where there is none (CLIENTS)."""
        raise self._lacks(Capability.CLIENTS)

    async def create_client(self, *, name: str, phone: Phone) -> Client:
        """Create a card (CLIENTS). One with this phone is returned under its own name: we never rename."""
        raise self._lacks(Capability.CLIENTS)

    async def create_appointment(self, new: NewAppointment) -> Appointment:
        """Book, and return the record as read back from the CRM (CREATE).

        Checks that the slot is still free right before the write. Raises SlotTaken, CRMInvalid, CRMNotFound (nothing
        was written) or CRMOutcomeUnknown (find it by its external id before anything else).
        """
        raise self._lacks(Capability.CREATE)

    async def find_appointment(self, external_id: str, *, day: date) -> Appointment | None:
        """Return the appointment that carries our external id and starts on that day (FIND_BY_EXTERNAL_ID).

        One that was cancelled since is found too (`cancelled`), as long as the CRM keeps it. None where there is none.
        """
        raise self._lacks(Capability.FIND_BY_EXTERNAL_ID)

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        """Return a record (LIST); a cancelled one is `cancelled`, or CRMNotFound where the CRM erases it."""
        raise self._lacks(Capability.LIST)

    async def list_appointments(self, phone: Phone, *, first: date) -> tuple[Appointment, ...]:
        """Return the standing appointments of the client with this phone from a day on, ordered by time (LIST)."""
        raise self._lacks(Capability.LIST)

    async def list_changed(self, since: datetime) -> tuple[Appointment, ...]:
        """Return the appointments made, changed or cancelled since an aware moment (CHANGES)."""
        raise self._lacks(Capability.CHANGES)

    async def list_day(self, day: date) -> tuple[Appointment, ...]:
        """Return the standing appointments that start on a local day, whoever booked them, ordered by time (DAY).

        A client's name and phone are there as far as the account's rights show them.
        """
        raise self._lacks(Capability.DAY)

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        """Move a record to a slot and return it as read back (MOVE). Raises as `create_appointment` does."""
        raise self._lacks(Capability.MOVE)

    async def cancel_appointment(self, record_id: RecordId) -> None:
        """Cancel a record (CANCEL); one that is cancelled or erased already is a success."""
        raise self._lacks(Capability.CANCEL)

    async def confirm_visit(self, record_id: RecordId) -> None:
        """Write into a record that its client has said to come (CONFIRM); once it stands there, nothing is changed.

        Whatever else the record holds stays, a word of staff's own on how the visit went too. Raises CRMNotFound for
        one that is cancelled or erased. Safe to repeat.
        """
        raise self._lacks(Capability.CONFIRM)

    async def get_products(self) -> tuple[Product, ...]:
        """Return products on sale (PRODUCTS)."""
        raise self._lacks(Capability.PRODUCTS)

    async def get_booking_page(self, service_ids: Sequence[ServiceId] = (), staff_id: StaffId | None = None) -> str:
        """Return the address of the page on which the client books by hand (BOOKING_PAGE)."""
        raise self._lacks(Capability.BOOKING_PAGE)

    def read_hook(self, hook: Hook) -> tuple[RecordId, ...]:
        """Return the records that a webhook says to have changed (HOOKS), none where it is about something else.

        Asks nobody. Raises CRMInvalid for what is no hook of this CRM, CRMAuthFailed where a secret of it is wrong.
        """
        raise self._lacks(Capability.HOOKS)

    async def describe_mapping(self) -> tuple[MappingLine, ...]:
        """Return which of the CRM's fields carry what, where the settings choose them; empty where they do not."""
        return ()

    async def forget(self, *, catalogue: bool) -> None:
        """Drop kept free times, as something has changed in the CRM; `catalogue`: and let that be read anew."""
        return

    async def refresh(self) -> None:
        """Read anew what is kept of the catalogue and will soon be old; for the background, where nobody waits."""
        return

    def _lacks(self, capability: Capability) -> CRMUnsupported:
        return CRMUnsupported(f"{self.manifest.type}: this account cannot do: {capability.value}")
