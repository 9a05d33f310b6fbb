"""A salon as YCLIENTS keeps it: services, staff, hours, clients, records, and which times are free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from time import time as epoch_seconds
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.business import Business

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`seconds` is the visit's length with a master; `staff` maps a master to a length of its own (None: the usual)."""

    id: int
    title: str
    price_min: float
    price_max: float
    seconds: int
    staff: Mapping[int, int | None]
    category_id: int = 1
    prepaid: str = "forbidden"
    online: bool = True
    comment: str = ""

    def length_with(self, staff_id: int) -> int:
        return self.staff.get(staff_id) or self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    id: int
    name: str
    specialization: str = ""
    bookable: bool = True
    fired: bool = False
    hidden: bool = False


@dataclass(slots=True, kw_only=True)
class Salon:
    """One branch. `hours` maps a weekday (0 is Monday) to opening and closing; None: closed."""

    id: int
    title: str
    time_zone: str
    address: str
    services: tuple[Service, ...]
    masters: tuple[Master, ...]
    hours: Mapping[int, tuple[time, time] | None]
    grid_minutes: int = 30
    lead_seconds: int = 0
    allow_change: bool = True
    change_delay_seconds: int = 0
    allow_delete: bool = True
    delete_delay_seconds: int = 0
    licensed: bool = True
    blacklist: frozenset[str] = frozenset()
    records: dict[int, Json] = field(default_factory=dict)
    clients: dict[int, Json] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def service(self, service_id: int) -> Service | None:
        return next((one for one in self.services if one.id == service_id), None)

    def master(self, staff_id: int) -> Master | None:
        return next((one for one in self.masters if one.id == staff_id and not one.fired), None)

    def masters_for(self, service_ids: list[int]) -> list[Master]:
        """Return who is open for online booking and does all of these."""
        services = [self.service(id_) for id_ in service_ids]
        return [
            master
            for master in self.masters
            if master.bookable
            and not master.fired
            and not master.hidden
            and all(service is not None and master.id in service.staff for service in services)
        ]

    def length(self, service_ids: list[int], staff_id: int) -> int:
        services = [self.service(id_) for id_ in service_ids]
        return sum(service.length_with(staff_id) for service in services if service) or self.grid_minutes * 60

    def busy(self, staff_id: int, starts: datetime, seconds: int, *, but: int | None = None) -> bool:
        """Say whether a standing record of the master overlaps."""
        ends = starts + timedelta(seconds=seconds)
        return any(
            record["staff_id"] == staff_id
            and not record["deleted"]
            and record["id"] != but
            and starts < datetime.fromisoformat(record["datetime"]) + timedelta(seconds=record["seance_length"])
            and datetime.fromisoformat(record["datetime"]) < ends
            for record in self.records.values()
        )

    def works(self, starts: datetime, seconds: int) -> bool:
        """Say whether the whole visit lies within the day's hours."""
        local = starts.astimezone(self.zone)
        opening = self.hours.get(local.weekday())
        if opening is None:
            return False
        ends = (local + timedelta(seconds=seconds)).replace(tzinfo=None)
        return local.time() >= opening[0] and ends <= datetime.combine(local.date(), opening[1])

    def free_times(self, service_ids: list[int], staff_id: int, day: date, now: datetime) -> Iterator[datetime]:
        """Yield the starts that can be booked online."""
        opening = self.hours.get(day.weekday())
        if opening is None:
            return
        seconds = self.length(service_ids, staff_id)
        starts = datetime.combine(day, opening[0], self.zone)
        while starts.date() == day and self.works(starts, seconds):
            if starts >= now + timedelta(seconds=self.lead_seconds) and not self.busy(staff_id, starts, seconds):
                yield starts
            starts += timedelta(minutes=self.grid_minutes)


class Book:
    """All salons of the local vendor, and one condition that is told of every change."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.salons: dict[int, Salon] = {}
        self.changed = asyncio.Condition()
        self.seq = 0
        self._clock = clock or (lambda: datetime.now(UTC))
        # Ids that no earlier run of the demo has given out.
        self._next = int(epoch_seconds() * 10) % 1_000_000_000

    def now(self) -> datetime:
        return self._clock()

    async def tell(self) -> None:
        self.seq += 1
        async with self.changed:
            self.changed.notify_all()

    def next_id(self) -> int:
        self._next += 1
        return self._next

    def add_record(
        self,
        salon: Salon,
        *,
        staff_id: int,
        services: list[Json],
        starts: datetime,
        seconds: int,
        client: Json,
        **more: Any,
    ) -> Json:
        """Write a record, as the journal does."""
        local = starts.astimezone(salon.zone)
        record: Json = {
            "id": self.next_id(),
            "company_id": salon.id,
            "staff_id": staff_id,
            "services": services,
            "client": client,
            "datetime": local.isoformat(),
            "date": local.strftime("%Y-%m-%d %H:%M:%S"),
            "create_date": self.now().isoformat(),
            "last_change_date": self.now().isoformat(),
            "seance_length": seconds,
            "length": seconds,
            "comment": "",
            "online": False,
            "attendance": 0,
            "visit_attendance": 0,
            "confirmed": 1,
            "api_id": "",
            "deleted": False,
            "custom_fields": [],
            "record_labels": [],
            "documents": [],
            "sms_before": 0,
            "activity_id": 0,
            **more,
        }
        salon.records[record["id"]] = record
        return record

    def find_or_make_client(self, salon: Salon, phone: str, name: str) -> Json:
        """Match a card by phone, as both ways of booking do; an existing card keeps its name."""
        digits = "".join(filter(str.isdigit, phone))
        for card in salon.clients.values():
            if "".join(filter(str.isdigit, card["phone"])) == digits:
                return card
        card = {"id": self.next_id(), "name": name, "phone": f"+{digits}", "email": "", "visits": 0, "comment": ""}
        salon.clients[card["id"]] = card
        return card

    def double_bookings(self) -> int:
        """Count the pairs of standing records of one master that overlap."""
        pairs = 0
        for salon in self.salons.values():
            standing = [record for record in salon.records.values() if not record["deleted"]]
            for index, one in enumerate(standing):
                starts = datetime.fromisoformat(one["datetime"])
                ends = starts + timedelta(seconds=one["seance_length"])
                for other in standing[index + 1 :]:
                    begins = datetime.fromisoformat(other["datetime"])
                    over = begins + timedelta(seconds=other["seance_length"])
                    pairs += one["staff_id"] == other["staff_id"] and begins < ends and starts < over
        return pairs


def salon_of(business: Business, *, id_: int, first_service: int = 501, first_master: int = 101) -> Salon:
    """Write a business down as this vendor keeps it; ids are numbered in the business's own order."""
    masters = {one.name: first_master + place for place, one in enumerate(business.masters)}
    return Salon(
        id=id_,
        title=business.title,
        time_zone=business.time_zone,
        address=business.address,
        services=tuple(
            Service(
                id=first_service + place,
                title=one.title,
                price_min=one.low,
                price_max=one.high,
                seconds=one.minutes * 60,
                staff=dict.fromkeys((masters[name] for name in one.masters), None),
                prepaid="required" if one.prepaid else "forbidden",
                online=one.online,
            )
            for place, one in enumerate(business.services)
        ),
        masters=tuple(
            Master(
                id=masters[one.name],
                name=one.name,
                specialization=one.specialization,
                bookable=one.bookable,
                fired=one.fired,
            )
            for one in business.masters
        ),
        hours=business.hours,
        grid_minutes=business.grid_minutes,
    )
