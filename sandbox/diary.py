"""A business's appointment book, as the simpler local CRMs keep it: entries, cards, and which times are free.

Masters and services go by their names; a server that numbers them does so itself. Times are the branch's wall clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sandbox.business import Business, BusinessService
from sandbox.staff_side import Visit

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Entry:
    """One appointment. `changed_at` is aware; `lasts` None: as long as its services take."""

    id: str
    master: str
    services: list[str]
    start: datetime
    client: str
    phone: str
    comment: str = ""
    external_id: str = ""
    cancelled: bool = False
    changed_at: datetime = _NEVER
    lasts: timedelta | None = None


@dataclass(slots=True, kw_only=True)
class Card:
    id: str
    name: str
    phone: str


@dataclass(slots=True)
class Diary:
    """The book of one branch. `new_id` names entries and cards as the vendor does."""

    business: Business
    new_id: Callable[[], str]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    entries: dict[str, Entry] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    seq: int = 0

    def services(self) -> list[BusinessService]:
        """Return what is open to clients."""
        return [one for one in self.business.services if one.online]

    def masters(self, services: Sequence[str] = ()) -> list[str]:
        """Return who works, is open to clients and does all of these."""
        wanted = [one for one in self.business.services if one.title in services]
        return [
            master.name
            for master in self.business.masters
            if master.bookable and not master.fired and all(master.name in one.masters for one in wanted)
        ]

    def lasts(self, services: Sequence[str]) -> timedelta:
        return timedelta(minutes=sum(one.minutes for one in self.business.services if one.title in services))

    def free_starts(self, master: str, services: Sequence[str], day: date) -> Iterator[datetime]:
        """Yield the times at which the master can begin all of these, still to come."""
        opening = self.business.hours.get(day.weekday())
        if opening is None:
            return
        start, closes = (datetime.combine(day, one) for one in opening)
        now = self.clock().astimezone(self.business.zone).replace(tzinfo=None)
        while start + self.lasts(services) <= closes:
            if start >= now and self.is_free(master, start, self.lasts(services)):
                yield start
            start += timedelta(minutes=self.business.grid_minutes)

    def is_free(self, master: str, start: datetime, lasts: timedelta, *, but: str = "") -> bool:
        return not any(
            one.master == master
            and not one.cancelled
            and one.id != but
            and start < self.end_of(one)
            and one.start < start + lasts
            for one in self.entries.values()
        )

    def end_of(self, entry: Entry) -> datetime:
        return entry.start + (entry.lasts or self.lasts(entry.services))

    def write(self, entry: Entry) -> Entry:
        """Keep an entry, new or changed, and say when that was."""
        entry.changed_at = self.clock()
        self.entries[entry.id] = entry
        self.seq += 1
        return entry

    async def tell(self) -> None:
        """Wake those who wait for a change."""
        async with self.changed:
            self.changed.notify_all()

    def visits(self) -> tuple[Visit, ...]:
        return tuple(
            Visit(
                id=one.id,
                starts=one.start,
                minutes=round((self.end_of(one) - one.start) / timedelta(minutes=1)),
                master=one.master,
                services=tuple(one.services),
                client=one.client,
                phone=one.phone,
                comment=one.comment,
                external_id=one.external_id,
                cancelled=one.cancelled,
            )
            for one in sorted(self.entries.values(), key=lambda one: one.start)
        )

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        entry = Entry(id=self.new_id(), master=master, services=[service], start=starts, client=client, phone=phone)
        return self.write(entry).id

    def move_by_hand(self, record_id: str, starts: datetime) -> None:
        self.entries[record_id].start = starts
        self.write(self.entries[record_id])

    def cancel_by_hand(self, record_id: str) -> None:
        self.entries[record_id].cancelled = True
        self.write(self.entries[record_id])

    def add_client(self, name: str, phone: str) -> str:
        card = Card(id=self.new_id(), name=name, phone=phone)
        self.cards[card.id] = card
        return card.id
