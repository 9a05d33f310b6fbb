"""Free times over a range of days, each with its master, within a bounded number of calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm.base import ServiceId, Slot, Staff, Terms
from crm.errors import CRMInvalid, CRMNotFound
from crm.prices import sum_of
from crm.together import all_of
from crm.yclients.catalogue import Catalogue
from crm.yclients.client import YclientsClient
from crm.yclients.meaning import staff_of
from crm.yclients.wire import WireSeance

LONGEST_RANGE = 31
MOST_MASTERS = 12
MOST_TIMES = 16
"""Calls of book_times for one question, more only where there are more free days. At 4 a second: 4 seconds."""
ANYBODY = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A free time as the vendor wrote it, to be handed back letter for letter."""

    starts_at: datetime
    duration: timedelta
    verbatim: str


class SlotSearch:
    def __init__(self, client: YclientsClient, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    async def list_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: str | None
    ) -> tuple[Slot, ...]:
        """Return free times ordered by time, then by the masters' own order.

        One master: every time of every day. Anybody: every master's times on each free day while the calls suffice;
        beyond, each free day still has the times of a master who is free then, so no free day is ever shown as full.
        """
        if (last - first).days >= LONGEST_RANGE:
            raise CRMInvalid(f"free times are asked for {LONGEST_RANGE} days at most")
        if last < first:
            return ()
        await self._catalogue.require_services(service_ids)
        masters = await self._masters(service_ids, staff_id)
        if not masters:
            return ()
        days = await self._free_days(service_ids, staff_id or ANYBODY, first, last)
        pairs = await self._plan(service_ids, masters, days)
        found = await all_of([self._times(service_ids, master.id, day) for day, master in pairs])
        free = list(dict.fromkeys(master.id for (_, master), times in zip(pairs, found, strict=True) if times))
        terms = dict(zip(free, await all_of([self._terms(one) for one in free]), strict=True))
        slots = [
            self._slot(one, master, service_ids, terms[master.id])
            for (_, master), times in zip(pairs, found, strict=True)
            for one in times
        ]
        return tuple(sorted(slots, key=lambda slot: slot.starts_at))

    async def find_time(self, slot: Slot) -> Found | None:
        """Return a slot's time as it stands in the CRM now; None where it is not free any more."""
        wall = slot.starts_at.replace(tzinfo=None)
        times = await self._times(slot.service_ids, slot.staff.id, wall.date())()
        return next((one for one in times if one.starts_at.replace(tzinfo=None) == wall), None)

    async def _masters(self, service_ids: Sequence[ServiceId], staff_id: str | None) -> list[Staff]:
        shown = await self._catalogue.list_staff(service_ids)
        if staff_id is None:
            return [staff_of(one) for one in shown if one.bookable][:MOST_MASTERS]
        chosen = [staff_of(one) for one in shown if one.id == staff_id]
        if not chosen:
            raise CRMNotFound(f"master {staff_id} is not offered for these services")
        return chosen

    async def _free_days(self, service_ids: Sequence[ServiceId], staff_id: str, first: date, last: date) -> list[date]:
        # The filter takes any day of the wanted month; a range of 31 days touches two of them, or three over February.
        months = sorted({(day.year, day.month) for day in _days(first, last)})
        asked = [max(first, date(year, month, 1)) for year, month in months]
        answers = await all_of([self._dates(service_ids, staff_id, month) for month in asked])
        return sorted({day for answer in answers for day in answer if first <= day <= last})

    async def _plan(
        self, service_ids: Sequence[ServiceId], masters: Sequence[Staff], days: Sequence[date]
    ) -> list[tuple[date, Staff]]:
        """Return whose times to ask on which day, in order of days."""
        everything = [(day, master) for day in days for master in masters]
        if len(masters) <= 1 or len(everything) <= MOST_TIMES:
            return everything
        own = await all_of([self._own_days(service_ids, master.id, days) for master in masters])
        by_day = {day: [master for master, free in zip(masters, own, strict=True) if day in free] for day in days}
        chosen: list[tuple[date, Staff]] = []
        for turn in range(len(masters)):
            asked = [(day, by_day[day][turn]) for day in days if turn < len(by_day[day])]
            room = len(asked) if turn == 0 else max(0, MOST_TIMES - len(chosen))
            chosen += asked[:room]
        order = {master.id: place for place, master in enumerate(masters)}
        return sorted(chosen, key=lambda pair: (pair[0], order[pair[1].id]))

    def _own_days(
        self, service_ids: Sequence[ServiceId], staff_id: str, days: Sequence[date]
    ) -> Callable[[], Awaitable[list[date]]]:
        return lambda: self._free_days(service_ids, staff_id, days[0], days[-1])

    def _dates(
        self, service_ids: Sequence[ServiceId], staff_id: str, month: date
    ) -> Callable[[], Awaitable[tuple[date, ...]]]:
        return lambda: self._client.list_dates(service_ids, staff_id=staff_id, month=month)

    def _times(
        self, service_ids: Sequence[ServiceId], staff_id: str, day: date
    ) -> Callable[[], Awaitable[list[Found]]]:
        async def asking() -> list[Found]:
            zone = (await self._catalogue.get_branch()).zone
            seances = await self._client.list_seances(service_ids, staff_id=staff_id, day=day)
            return [_found(one, one.starts_at(day).replace(tzinfo=zone)) for one in seances]

        return asking

    def _terms(self, staff_id: str) -> Callable[[], Awaitable[Mapping[str, Terms]]]:
        return lambda: self._catalogue.get_terms(staff_id)

    @staticmethod
    def _slot(found: Found, master: Staff, service_ids: Sequence[ServiceId], terms: Mapping[str, Terms]) -> Slot:
        own = [terms.get(one, Terms()) for one in service_ids]
        return Slot(
            starts_at=found.starts_at,
            duration=found.duration or sum((one.duration or timedelta(0) for one in own), timedelta(0)),
            staff=master,
            service_ids=tuple(service_ids),
            price=sum_of([one.price for one in own]),
        )


def _found(seance: WireSeance, starts_at: datetime) -> Found:
    verbatim = seance.moment if seance.moment and not seance.moment.isdigit() else starts_at.isoformat()
    return Found(starts_at=starts_at, duration=timedelta(seconds=seance.seance_length or 0), verbatim=verbatim)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=shift) for shift in range((last - first).days + 1)]
