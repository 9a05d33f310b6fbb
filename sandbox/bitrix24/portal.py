"""What a portal holds: a diary of bookings, contacts, deals, and a catalogue of services."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.bitrix24.calling import Json, Refused
from sandbox.business import Business
from sandbox.diary import Card, Diary, Entry

IBLOCK = 23
DURATION, MASTERS = 101, 102
"""The custom properties of a service in which this portal's people keep its minutes and who does it."""


@dataclass(slots=True)
class Texts:
    name: str
    description: str | None


Tell = Callable[[str, Json], None]


@dataclass(slots=True)
class TellingDiary(Diary):
    """A diary that tells of every visit that is made, changed or taken back, by the API or by hand.

    A visit is a booking, or, in a portal without the booking module, a deal: one that is taken back stays as a deal.
    """

    told: Tell = lambda event, data: None
    of_deals: bool = False

    def write(self, entry: Entry) -> Entry:
        new = entry.id not in self.entries
        super(TellingDiary, self).write(entry)
        if self.of_deals:
            self.told("ONCRMDEALADD" if new else "ONCRMDEALUPDATE", {"FIELDS": {"ID": entry.id}})
        else:
            event = "ONBOOKINGADD" if new else "ONBOOKINGDELETE" if entry.cancelled else "ONBOOKINGUPDATE"
            self.told(event, {"ID": entry.id})
        return entry


@dataclass(slots=True)
class Portal:
    """One business's portal. Resources are its masters, numbered from 5; services are goods of kind "service"."""

    business: Business
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    tell: Tell = lambda event, data: None
    booking_module: bool = True
    pages: str = ""
    """Whether bookings are listed by fifty: empty (all at once), `told` (with `next`), `silent` (without)."""
    diary: Diary = field(init=False)
    texts: dict[str, Texts] = field(default_factory=dict)
    contacts_of: dict[str, list[str]] = field(default_factory=dict)
    external: dict[str, list[Json]] = field(default_factory=dict)
    items: dict[int, dict[int, Json]] = field(default_factory=lambda: {1: {}, 2: {}})

    def __post_init__(self) -> None:
        numbers = itertools.count(1823)
        self.diary = TellingDiary(
            self.business, lambda: str(next(numbers)), self.clock, told=self.tell, of_deals=not self.booking_module
        )

    @property
    def zone(self) -> ZoneInfo:
        return self.business.zone

    def resources(self) -> dict[int, str]:
        """Return masters open to clients by number: what does not work is no resource here."""
        shown = enumerate(self.business.masters, 5)
        return {number: one.name for number, one in shown if one.bookable and not one.fired}

    def services(self) -> dict[int, str]:
        return {number: one.title for number, one in enumerate(self.business.services, 501)}

    def resource(self, number: int) -> str:
        try:
            return self.resources()[number]
        except KeyError:
            raise Refused(400, 1009, "Resource not found") from None

    def entry(self, number: object) -> Entry:
        entry = self.diary.entries.get(str(number))
        if entry is None or entry.cancelled:
            raise Refused(400, 1021, "Booking not found")
        return entry

    def shown(self, entry: Entry) -> Json:
        """Return a booking; it carries neither clients nor deals."""
        texts = self.texts.get(entry.id) or Texts(f"{', '.join(entry.services)}, {entry.client}", None)
        numbers = {name: number for number, name in self.resources().items()}
        return {
            "id": int(entry.id),
            "name": texts.name,
            "description": texts.description,
            "resourceIds": [numbers[entry.master]],
            "datePeriod": {
                "from": self._moment(entry.start),
                "to": self._moment(self.diary.end_of(entry)),
            },
        }

    def contact_by_phone(self, phone: str) -> Card | None:
        """Find a contact as the portal does: by digits, an 8 at the beginning being a 7."""
        wanted = plain_phone(phone)
        return next((card for card in self.diary.cards.values() if plain_phone(card.phone) == wanted), None)

    def name_clients(self, entry: Entry, contacts: list[str]) -> None:
        """Let staff see who comes."""
        self.contacts_of[entry.id] = contacts
        if contacts:
            card = self.diary.cards[contacts[0]]
            entry.client, entry.phone = card.name, card.phone
            self.diary.seq += 1

    def services_in(self, name: str) -> list[str]:
        """Guess from a booking's name what is done: the booking itself does not say."""
        return [one.title for one in self.business.services if one.title in name]

    def wall(self, period: Json) -> datetime:
        moment = datetime.fromtimestamp(int(period["timestamp"]), UTC)
        return moment.astimezone(ZoneInfo(str(period["timezone"]))).replace(tzinfo=None)

    def place(self, entry: Entry, master: str, start: datetime, lasts: timedelta) -> None:
        """Put a booking somewhere. Raises Refused 1018 where the resource is busy then."""
        if lasts <= timedelta(0):
            raise Refused(400, 422, "Invalid date period")
        if not self.diary.is_free(master, start, lasts, but=entry.id):
            raise Refused(400, 1018, "Empty resource collection")
        entry.master, entry.start, entry.lasts = master, start, lasts
        self.diary.write(entry)

    def _moment(self, wall: datetime) -> Json:
        return {"timestamp": int(wall.replace(tzinfo=self.zone).timestamp()), "timezone": self.business.time_zone}


def plain_phone(phone: str) -> str:
    digits = "".join(filter(str.isdigit, phone))
    return "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits
