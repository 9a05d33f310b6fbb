"""Free times. The portal has no method for them: they are the resources' hours less the bookings that stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.account import Clock
from crm.base import ServiceId, Slot, Staff, StaffId
from crm.bitrix24.catalogue import Catalogue
from crm.bitrix24.diary import Diary, Taken
from crm.bitrix24.hours import DAYS
from crm.bitrix24.meaning import at_wall
from crm.bitrix24.wire import WireHours
from crm.errors import CRMInvalid, CRMNotFound, SlotTaken
from crm.prices import sum_of

LONGEST_RANGE = 31


class SlotSearch:
    """Reads hours (kept) and bookings (asked each time)."""

    def __init__(self, diary: Diary, catalogue: Catalogue, *, zone: ZoneInfo, clock: Clock) -> None:
        self._diary = diary
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
        hours = await self._catalogue.list_hours()
        taken = await self._diary.list_taken(first, last, [one.id for one in chosen])
        price = sum_of([one.service.terms.price for one in offered])
        found = [
            Slot(starts_at=start, duration=length, staff=one, service_ids=tuple(service_ids), price=price)
            for one in chosen
            for start in self._free(one, hours.get(one.id, ()), taken, first, last, length, but)
        ]
        return tuple(sorted(found, key=lambda slot: slot.starts_at))

    async def require_free(self, slot: Slot, *, lasts: timedelta | None = None, but: str = "") -> None:
        """Raise SlotTaken where the time is not free any more; `but`: the booking that is to move there."""
        day = slot.starts_at.astimezone(self._zone).date()
        free = await self.list_slots(
            slot.service_ids, first=day, last=day, staff_id=slot.staff.id, lasts=lasts or slot.duration, but=but
        )
        if slot.starts_at not in [one.starts_at for one in free]:
            raise SlotTaken("the time is no longer free")

    def _free(
        self,
        master: Staff,
        hours: Sequence[WireHours],
        taken: Sequence[Taken],
        first: date,
        last: date,
        length: timedelta,
        but: str,
    ) -> Iterator[datetime]:
        busy = [
            (one.begins, one.ends) for one in taken if master.id in one.resource_ids and (not one.id or one.id != but)
        ]
        now = self._clock()
        for day in (first + timedelta(days=shift) for shift in range((last - first).days + 1)):
            for open_ in hours:
                if DAYS[day.weekday()] in open_.week_days:
                    for start in self._starts(day, open_, length):
                        finish = start.astimezone(UTC) + length
                        if start >= now and not any(start < end and begin < finish for begin, end in busy):
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
