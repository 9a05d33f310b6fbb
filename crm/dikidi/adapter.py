"""The CRM port over DIKIDI's public booking page and widget, as far as the company's mode allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pydantic import TypeAdapter

from crm.account import Account, Clock
from crm.base import (
    Appointment,
    AppointmentService,
    BaseCRMAdapter,
    BookingRules,
    Cache,
    Capability,
    CheckLine,
    CheckStatus,
    NewAppointment,
    Pace,
    RecordId,
    Service,
    ServiceId,
    Slot,
    Staff,
    StaffId,
    Terms,
)
from crm.dikidi import BY_MODE, LINK, MANIFEST
from crm.dikidi.access import Access
from crm.dikidi.client import DikidiClient
from crm.dikidi.refusals import Refused, Surprised
from crm.dikidi.standing import Standing
from crm.dikidi.wire import WireBooking, WireCatalogue, WireMaster, WireMasters, WireService
from crm.errors import CRMError, CRMInvalid, CRMNotFound, CRMUnsupported, SlotTaken
from crm.http import CRMHttp
from crm.kept import Kept
from crm.prices import price_of, sum_of
from crm.together import all_of

KEPT = timedelta(minutes=5)
LONGEST_RANGE = 31
WEEK = timedelta(days=6)
_CATALOGUE = TypeAdapter(WireCatalogue)
_MASTERS = TypeAdapter(WireMasters)


class DikidiAdapter(BaseCRMAdapter):
    """One company's public booking. Times are the branch's wall clock: the widget names no zone."""

    manifest = MANIFEST

    def __init__(self, account: Account, *, http: CRMHttp, pace: Pace, cache: Cache, clock: Clock) -> None:
        self._access = Access.of(account)
        self._zone = account.time_zone
        self._clock = clock
        self._client = DikidiClient(http, pace, self._access)
        self._kept = Kept(cache, self._access.scope)
        self._standing = Standing(self._access, cache)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return BY_MODE[self._standing.mode]

    async def settle(self) -> None:
        await self._standing.learn()

    async def get_rules(self) -> BookingRules:
        return BookingRules(time_zone=self._zone, may_move=False, may_cancel=False)

    async def get_booking_page(self, service_ids: Sequence[ServiceId] = (), staff_id: StaffId | None = None) -> str:
        """Return the company's page; how it would be opened at a service is not known."""
        return self._access.page_url

    async def get_services(self) -> tuple[Service, ...]:
        self._require(Capability.CATALOGUE)
        catalogue = await self._catalogue()
        return tuple(self._service(row, group.name) for group in catalogue.list for row in group.services)

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        self._require(Capability.CATALOGUE)
        return tuple(_staff(one) for one in (await self._masters(service_ids)).masters)

    async def get_available_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None = None
    ) -> tuple[Slot, ...]:
        self._require(Capability.SLOTS)
        if (last - first).days >= LONGEST_RANGE:
            raise CRMInvalid(f"free times are asked for {LONGEST_RANGE} days at most")
        if last < first:
            return ()
        services = await self._wanted(service_ids)
        masters = {one.id: one for one in await self.get_staff(service_ids)}
        if staff_id is not None and staff_id not in masters:
            raise CRMNotFound(f"master {staff_id} is not offered for these services")
        free = await self._watch_days(service_ids, first, last)
        found = await all_of([lambda day=day: self._starts(service_ids, staff_id, day) for day in free])  # type: ignore[misc]
        return tuple(
            Slot(
                starts_at=start.replace(tzinfo=self._zone),
                duration=_length(services),
                staff=masters[StaffId(master)],
                service_ids=tuple(service_ids),
                price=sum_of([self._terms(one).price for one in services]),
            )
            for starts in found
            for start, master in starts
            if StaffId(master) in masters
        )

    async def create_appointment(self, new: NewAppointment) -> Appointment:
        """Session, hold, check, booking: only the last one books. Raises CRMUnsupported where the vendor wants a person
        (a code from an SMS): the client gets the booking page."""
        self._require(Capability.CREATE)
        await self._wanted(new.slot.service_ids)
        return await self._standing.watch(lambda: self._book(new))

    async def check(self) -> tuple[CheckLine, ...]:
        await self.settle()
        page = CheckLine(subject="booking page", status=CheckStatus.OK, detail=self._access.page_url)
        words = f"{self._access.mode}: {', '.join(sorted(BY_MODE[self._access.mode]))}"
        lines = [page, CheckLine(subject="mode", status=CheckStatus.OK, detail=words)]
        if self._standing.dropped:
            detail = "the widget could not be read: only the booking page is given for half an hour"
            lines.append(CheckLine(subject="widget", status=CheckStatus.WARNING, detail=detail))
        if self._standing.mode == LINK:
            return tuple(lines)
        try:
            return (*lines, *await self._check_widget())
        except CRMError as error:
            failed = CheckLine(subject="widget", status=CheckStatus.FAILED, detail=f"{error.code}: {error}")
            return (*lines, failed)

    async def _check_widget(self) -> tuple[CheckLine, ...]:
        catalogue = await self._client.get_catalogue()
        services = [row for group in catalogue.list for row in group.services]
        masters = (await self._client.list_masters(())).masters
        today = self._clock().astimezone(self._zone).date()
        ids = [ServiceId(one.id) for one in services[:1]]
        days = (await self._client.list_days(ids, first=today, last=today + WEEK)).dates_true if ids else ()
        told = (
            ("services", len(services), f"{len(services)} in the widget"),
            ("staff", len(masters), f"{len(masters)} in the widget"),
            ("free times", len(days), f"{services[0].name}: free on {len(days)} of the next 7 days" if ids else "none"),
        )
        return tuple(
            CheckLine(subject=subject, status=CheckStatus.OK if count else CheckStatus.WARNING, detail=detail)
            for subject, count, detail in told
        )

    async def _book(self, new: NewAppointment) -> Appointment:
        slot = new.slot
        wall = slot.starts_at.replace(tzinfo=None)
        if (wall, slot.staff.id) not in await self._ask_starts(slot.service_ids, slot.staff.id, wall.date()):
            raise SlotTaken("the time is no longer free")
        cookies = await self._client.open_session()
        try:
            cookies = await self._client.hold(cookies, slot.service_ids, staff_id=slot.staff.id, starts=wall)
        except Refused as error:
            # Nobody documents with which words a taken time is refused: whether it is still free tells.
            if (wall, slot.staff.id) in await self._ask_starts(slot.service_ids, slot.staff.id, wall.date()):
                raise CRMUnsupported(str(error)) from None
            raise SlotTaken(str(error)) from None
        try:
            cookies = await self._client.check(cookies, new)
            booked = (await self._client.book(cookies, new)).bookings
        except Refused as error:
            # A code from an SMS, a prepayment, a black list: a person can go on, we cannot.
            raise CRMUnsupported(str(error)) from None
        return self._appointment(booked[0], new)

    async def _watch_days(self, service_ids: Sequence[ServiceId], first: date, last: date) -> list[date]:
        async def ask() -> list[date]:
            found = (await self._client.list_days(service_ids, first=first, last=last)).dates_true
            try:
                days = sorted({date.fromisoformat(one) for one in found})
            except ValueError:
                raise Surprised("days: not dates") from None
            return [day for day in days if first <= day <= last]

        return await self._standing.watch(ask)

    async def _starts(
        self, service_ids: Sequence[ServiceId], staff_id: StaffId | None, day: date
    ) -> list[tuple[datetime, str]]:
        return await self._standing.watch(lambda: self._ask_starts(service_ids, staff_id or "", day))

    async def _ask_starts(
        self, service_ids: Sequence[ServiceId], staff_id: str, day: date
    ) -> list[tuple[datetime, str]]:
        """Return free starts of a day that are still to come, with whose they are, by time."""
        answer = await self._client.list_times(service_ids, staff_id=staff_id, day=day)
        now = self._clock().astimezone(self._zone).replace(tzinfo=None)
        found = [
            (start.replace(tzinfo=None), master)
            for master, starts in answer.times.items()
            for start in starts
            if staff_id in ("", master)
        ]
        return sorted(pair for pair in found if pair[0].date() == day and pair[0] >= now)

    async def _wanted(self, service_ids: Sequence[ServiceId]) -> list[WireService]:
        offered = {row.id: row for group in (await self._catalogue()).list for row in group.services}
        missing = [one for one in service_ids if one not in offered]
        if missing or not service_ids:
            raise CRMNotFound(f"services that the widget does not offer: {', '.join(missing) or 'none named'}")
        return [offered[one] for one in service_ids]

    async def _catalogue(self) -> WireCatalogue:
        return await self._standing.watch(
            lambda: self._kept.get("catalogue", _CATALOGUE, self._client.get_catalogue, ttl=KEPT)
        )

    async def _masters(self, service_ids: Sequence[ServiceId]) -> WireMasters:
        async def load() -> WireMasters:
            return await self._client.list_masters(service_ids)

        key = f"masters:{','.join(sorted(service_ids))}"
        return await self._standing.watch(lambda: self._kept.get(key, _MASTERS, load, ttl=KEPT))

    def _service(self, row: WireService, category: str) -> Service:
        return Service(
            id=ServiceId(row.id),
            title=row.name,
            terms=self._terms(row),
            category=category or None,
            booking_url=self._access.page_url,
        )

    def _terms(self, row: WireService) -> Terms:
        length = timedelta(minutes=row.time) if row.time else None
        return Terms(price=price_of(row.price, None, self._access.currency), duration=length)

    def _appointment(self, booked: WireBooking, new: NewAppointment) -> Appointment:
        return Appointment(
            id=RecordId(booked.id),
            starts_at=booked.time.replace(tzinfo=self._zone),
            duration=booked.time_to - booked.time,
            staff=_staff(booked.employees[0]),
            services=tuple(
                AppointmentService(
                    id=ServiceId(one.id), title=one.name, price=price_of(one.cost, None, self._access.currency)
                )
                for one in booked.services
            ),
            client_name=new.client_name,
            phone=new.phone,
            comment=new.comment,
        )

    def _require(self, capability: Capability) -> None:
        if capability not in self.capabilities:
            raise self._lacks(capability)


def _length(services: Sequence[WireService]) -> timedelta:
    return timedelta(minutes=sum(one.time or 0 for one in services))


def _staff(row: WireMaster) -> Staff:
    return Staff(id=StaffId(row.id), name=row.username, specialization=row.post or None)
