"""Free times, as the base computes them in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from crm.account import Clock
from crm.base import Price, ServiceId, Slot, Staff, StaffId
from crm.errors import CRMInvalid, CRMNotFound
from crm.one_c.service.catalogue import Branch, Catalogue
from crm.one_c.service.client import OneCServiceClient
from crm.one_c.service.times import can_be_stated, is_shown, moment_of
from crm.one_c.service.wire import WireSlot
from crm.prices import price_of, sum_of

LONGEST_RANGE = 31


class SlotSearch:
    def __init__(self, client: OneCServiceClient, catalogue: Catalogue, clock: Clock) -> None:
        self._client = client
        self._catalogue = catalogue
        self._clock = clock

    async def list_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: StaffId | None
    ) -> tuple[Slot, ...]:
        """Return free times ordered by time, then by the masters' own order."""
        if (last - first).days >= LONGEST_RANGE:
            raise CRMInvalid(f"free times are asked for {LONGEST_RANGE} days at most")
        if last < first:
            return ()
        masters = await self._masters(service_ids, staff_id)
        if not masters:
            return ()
        found = await self._client.list_slots(service_ids, first=first, last=last, staff_id=staff_id)
        if staff_id is None and await self._catalogue.know_staff(one.staff_id for one in found):
            masters = await self._masters(service_ids, None)
        branch = await self._catalogue.get_branch()
        # Once for all masters: each reading is one of the cache, and takes the whole catalogue apart.
        prices = await self._catalogue.get_prices(service_ids)
        slots = [
            slot
            for master in masters
            for slot in self._of_master(found, branch, master, service_ids, sum_of(prices(master.id)))
            if first <= slot.starts_at.date() <= last
        ]
        return tuple(sorted(slots, key=lambda slot: slot.starts_at))

    async def _masters(self, service_ids: Sequence[ServiceId], staff_id: StaffId | None) -> tuple[Staff, ...]:
        masters = await self._catalogue.get_masters(service_ids)
        if staff_id is None:
            return masters
        chosen = tuple(one for one in masters if one.id == staff_id)
        if not chosen:
            raise CRMNotFound(f"master {staff_id} is not offered for these services")
        return chosen

    def _of_master(
        self,
        found: Sequence[WireSlot],
        branch: Branch,
        master: Staff,
        service_ids: Sequence[ServiceId],
        usual: Price | None,
    ) -> Iterator[Slot]:
        """Yield a master's times that are still to come and that a wall clock can name, each once.

        Where clocks go on, times that are never shown are no times; where they go back, only the first of an hour that
        is shown twice can be told of to the base, so the second is not offered.
        """
        now, seen = self._clock(), set[datetime]()
        for wire in found:
            if wire.staff_id != master.id or not is_shown(wire.start, branch.zone):
                continue
            moment = moment_of(wire.start, branch.zone)
            if moment < now or moment in seen or not can_be_stated(moment):
                continue
            seen.add(moment)
            yield Slot(
                starts_at=moment,
                duration=timedelta(minutes=wire.duration_min),
                staff=master,
                service_ids=tuple(service_ids),
                price=price_of(wire.price, wire.price_max, branch.currency) or usual,
            )
