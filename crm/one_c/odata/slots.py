"""Free times, computed: what the masters' schedules have, less what the day's documents take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

from crm.account import Clock
from crm.base import Service, ServiceId, Slot, Staff
from crm.errors import CRMInvalid, CRMNotFound, SlotTaken
from crm.one_c.odata.catalogue import Catalogue
from crm.one_c.odata.diary import Days, Diary, starts_within
from crm.one_c.odata.mapping import Rules
from crm.one_c.odata.wall_clock import Span, shown_once, wall_of
from crm.prices import sum_of

LONGEST_RANGE = 31


class SlotSearch:
    def __init__(self, catalogue: Catalogue, diary: Diary, rules: Rules, zone: ZoneInfo, clock: Clock) -> None:
        self._catalogue = catalogue
        self._diary = diary
        self._rules = rules
        self._zone = zone
        self._clock = clock

    async def list_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: str | None
    ) -> tuple[Slot, ...]:
        """Return free times ordered by time, then by the masters' names.

        A time whose wall clock is shown twice (the night when clocks go back) is not offered: 1C could not tell which
        of the two was meant.
        """
        if (last - first).days >= LONGEST_RANGE:
            raise CRMInvalid(f"free times are asked for {LONGEST_RANGE} days at most")
        if last < first:
            return ()
        services = await self._catalogue.require_services(service_ids)
        masters = await self._catalogue.get_staff(service_ids)
        if staff_id is not None:
            masters = tuple(one for one in masters if one.id == staff_id)
            if not masters:
                raise CRMNotFound(f"master {staff_id} is not offered for these services")
        if not masters:
            return ()
        days = await self._diary.read(first, last)
        slots = [slot for master in masters for slot in self._slots(days, master, services)]
        wanted = [slot for slot in slots if first <= slot.starts_at.date() <= last]
        return tuple(sorted(wanted, key=lambda slot: slot.starts_at))

    async def require_free(self, slot: Slot, *, but: str = "") -> None:
        """Ask the base once more. Raises SlotTaken where the time is not free; `but`: a document left out."""
        wanted = span_of(slot)
        if wanted[0] <= self._clock():
            raise SlotTaken("the time has passed")
        days = await self._diary.read(wall_of(wanted[0], self._zone).date(), wall_of(wanted[1], self._zone).date())
        if not days.is_free(slot.staff.id, wanted, but=but):
            raise SlotTaken("the time is no longer free")

    def _slots(self, days: Days, master: Staff, services: Sequence[Service]) -> Iterator[Slot]:
        terms = [one.terms_with(master.id) for one in services]
        lengths = [one.duration for one in terms]
        if None in lengths:
            raise CRMInvalid("the base does not say how long these services take: set services.default_minutes")
        length = sum((one for one in lengths if one), timedelta(0))
        earliest = self._clock() + timedelta(minutes=self._rules.lead_minutes)
        price, step = sum_of([one.price for one in terms]), timedelta(minutes=self._rules.step_minutes)
        taken = days.taken(master.id)
        shifts = days.shifts_of(master.id)
        for starts in sorted({one for shift in shifts for one in starts_within(shift, length, step, taken)}):
            if starts >= earliest and shown_once(starts, self._zone) and shown_once(starts + length, self._zone):
                yield Slot(
                    starts_at=starts.astimezone(self._zone),
                    duration=length,
                    staff=master,
                    service_ids=tuple(one.id for one in services),
                    price=price,
                )


def span_of(slot: Slot) -> Span:
    starts = slot.starts_at.astimezone(UTC)
    return starts, starts + slot.duration
