"""What a configuration has to offer so that a salon can live in it, and what all of them do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from sandbox.business import Business, BusinessService
from sandbox.one_c.odata.base import Infobase, Json
from sandbox.one_c.odata.schema import EntitySet
from sandbox.staff_side import Visit

DAYS_BEFORE, DAYS_AFTER = 250, 130
"""Work schedules are filled for so many days around today."""


class Configuration(ABC):
    """The names that one base wears. `mapping`: what of the ready mappings fits it; empty: none."""

    name: ClassVar[str]
    mapping: ClassVar[str]
    sets: ClassVar[Sequence[EntitySet]]
    services: ClassVar[str]
    staff: ClassVar[str]
    clients: ClassVar[str]
    visits: ClassVar[str]
    calls: ClassVar[Mapping[str, tuple[str, str, str]]]
    """Operation -> method, part of the address, a word in the query."""

    def __init__(self, business: Business) -> None:
        self.business = business

    @abstractmethod
    def fill(self, base: Infobase, today: date) -> None:
        """Write the business's catalogues, prices and schedules."""

    @abstractmethod
    def add_client(self, base: Infobase, name: str, phone: str) -> str: ...

    @abstractmethod
    def phone_of(self, card: Json) -> str: ...

    @abstractmethod
    def book(
        self, base: Infobase, service: BusinessService, *, master: str, client: str, starts: datetime, minutes: int
    ) -> str:
        """Write an appointment as the staff's form does; `master` and `client` are keys."""

    @abstractmethod
    def move(self, base: Infobase, key: str, starts: datetime) -> None: ...

    @abstractmethod
    def cancel(self, base: Infobase, key: str) -> None: ...

    @abstractmethod
    def visit_of(self, base: Infobase, row: Json) -> Visit: ...

    def title_of(self, base: Infobase, name: str, key: str) -> str:
        row = base.rows[name].get((key,))
        return str(row["Description"]) if row else ""

    def key_of(self, base: Infobase, name: str, title: str) -> str:
        row = base.find(name, Description=title)
        return str(row["Ref_Key"]) if row else ""

    def written(self, base: Infobase, row: Json) -> None:  # noqa: B027 - most configurations do nothing there
        """Stand for the configuration's own handler, called after an entity was written through the interface."""

    def shifts(self, today: date) -> Iterator[tuple[date, time, time]]:
        for shift in range(-DAYS_BEFORE, DAYS_AFTER):
            day = today + timedelta(days=shift)
            opening = self.business.hours.get(day.weekday())
            if opening is not None:
                yield day, *opening

    def working(self, base: Infobase) -> Iterator[Json]:
        """Yield the staff's rows that stand in the schedule: people who have not left."""
        gone = {one.name for one in self.business.masters if one.fired or not one.bookable}
        yield from (row for row in base.rows[self.staff].values() if row["Description"] not in gone)


def at(day: date, clock: time) -> str:
    return datetime.combine(day, clock).isoformat()


def clock_only(length: time | timedelta) -> str:
    """A time or a length in a field of the date type: on the first day of the first year."""
    start = datetime(1, 1, 1)  # noqa: DTZ001 - the platform's dates have no zone
    moment = start + length if isinstance(length, timedelta) else datetime.combine(start.date(), length)
    return moment.isoformat()


def minutes_of(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return moment.hour * 60 + moment.minute


def contact(phone: str) -> Json:
    """A row of contact information as the library's form writes it: the text as typed, and the digits."""
    return {"Тип": "Телефон", "Представление": phone, "НомерТелефона": "".join(filter(str.isdigit, phone))}


def find_or_add(configuration: Configuration, base: Infobase, name: str, phone: str) -> str:
    """Return the card with these digits, made where there is none."""
    digits = "".join(filter(str.isdigit, phone))
    for card in base.rows[configuration.clients].values():
        if "".join(filter(str.isdigit, configuration.phone_of(card))) == digits:
            return str(card["Ref_Key"])
    return configuration.add_client(base, name, phone)


def calls_of(services: str, shifts: str, clients: str, visits: str, client_word: str) -> dict[str, Any]:
    """Name the requests behind each operation of the staff's side."""
    return {
        "catalogue": ("GET", services, ""),
        "times": ("GET", shifts, ""),
        "clients": ("GET", clients, ""),
        "read": ("GET", f"{visits}(", ""),
        "list": ("GET", visits, client_word),
        "day": ("GET", visits, ""),
        "create": ("POST", visits, ""),
        "move": ("PATCH", visits, ""),
        "cancel": ("PATCH", visits, ""),
    }
