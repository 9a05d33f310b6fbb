"""Free times. The portal has no method for them: they are the resources' hours less the bookings that stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.account import Clock
from crm.base import ServiceId, Slot, Staff, StaffId
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.client import Bitrix24Client
from crm.bitrix24.meaning import at_wall
from crm.bitrix24.wire import WireBooking, WireBookings, WireHours
from crm.errors import CRMInvalid, CRMNotFound
from crm.prices import sum_of

LONGEST_RANGE = 31
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class SlotSearch:
    """Reads hours (kept) and bookings (asked each time)."""

    def __init__(self, client: Bitrix24Client, catalogue: Catalogue, *, zone: ZoneInfo, clock: Clock) -> None:
        self._client = client
        self._catalogue = catalogue
        self._zone = zone
        self._clock = clock

    async def list_slots(
        self,
        service_ids: Sequence[ServiceId],
        *,
        first: date,
        last: date,
        staff_id: StaffId | None,
        lasts: timedelta | None = None,
        but: str = "",
    ) -> tuple[Slot, ...]:
        """Return free times by time, then by resource. `but`: a booking that does not count (one that is moved);
        `lasts`: how long it takes, where that is known better than from the catalogue."""
        if (last - first).days >= LONGEST_RANGE:
            raise CRMInvalid(f"free times are asked for {LONGEST_RANGE} days at most")
        if last < first:
            return ()
        offered = await self._catalogue.require(service_ids)
        staff = await self._catalogue.list_staff()
        if staff_id is not None and staff_id not in staff:
            raise CRMNotFound(f"resource {staff_id} is not there")
        chosen = [one for id_, one in staff.items() if staff_id in (None, id_) and all(s.done_by(id_) for s in offered)]
        if staff_id is not None and not chosen:
            raise CRMNotFound(f"resource {staff_id} does not do these services")
        length = lasts or sum((one.service.terms.duration or timedelta(0) for one in offered), timedelta(0))
        if not length:
            raise CRMInvalid("the catalogue does not say how long these services take: set duration_property")
        hours, taken = await self._catalogue.list_hours(), await self.list_bookings(first, last)
        price = sum_of([one.service.terms.price for one in offered])
        found = [
            Slot(starts_at=start, duration=length, staff=one, service_ids=tuple(service_ids), price=price)
            for one in chosen
            for start in self._free(one, hours.get(one.id, ()), taken, first, last, length, but)
        ]
        return tuple(sorted(found, key=lambda slot: slot.starts_at))

    async def list_bookings(self, first: date, last: date) -> tuple[WireBooking, ...]:
        """Return what stands on these days, local ones."""
        begins = datetime.combine(first, time.min, self._zone)
        ends = datetime.combine(last + timedelta(days=1), time.min, self._zone)
        within = {"dateFrom": int(begins.timestamp()), "dateTo": int(ends.timestamp())}
        body = {"filter": {"within": within}, "order": {"id": "ASC"}}
        return (await self._client.ask("booking.v1.booking.list", body, WireBookings)).booking

    def _free(
        self,
        master: Staff,
        hours: Sequence[WireHours],
        taken: Sequence[WireBooking],
        first: date,
        last: date,
        length: timedelta,
        but: str,
    ) -> Iterator[datetime]:
        busy = [
            (one.period.begins.at, one.period.ends.at)
            for one in taken
            if master.id in one.resource_ids and one.id != but
        ]
        now = self._clock()
        for day in (first + timedelta(days=shift) for shift in range((last - first).days + 1)):
            for open_ in hours:
                if DAYS[day.weekday()] in open_.week_days:
                    for start in self._starts(day, open_, length):
                        if start >= now and not any(start < end and begin < start + length for begin, end in busy):
                            yield start

    def _starts(self, day: date, open_: WireHours, length: timedelta) -> Iterator[datetime]:
        """Yield a day's steps by the wall clock of the resource's zone, told in the branch's."""
        zone = ZoneInfo(open_.timezone)
        midnight = datetime.combine(day, time.min)
        minutes = round(length / timedelta(minutes=1))
        for step in range(open_.opens, open_.closes - minutes + 1, open_.slot_size):
            start = at_wall(midnight + timedelta(minutes=step), zone)
            if start is not None:
                yield start.astimezone(self._zone)
