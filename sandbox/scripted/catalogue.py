"""Services, people, slots and appointments as the tools returned them, and how they are written to a client."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from sandbox.scripted.context import Called, View
from sandbox.scripted.phrases import Phrases

_LISTED = 8
_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    id: Any
    name: str
    price: str | None
    minutes: int | None
    booking: str
    link: str | None
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: Any
    name: str
    specialization: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    id: Any
    day: str
    weekday: str
    at: str
    staff: str
    price: str | None

    @property
    def clock(self) -> time | None:
        try:
            return time.fromisoformat(self.at)
        except ValueError:
            return None

    @property
    def date(self) -> date | None:
        try:
            return date.fromisoformat(self.day)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    id: Any
    service: str
    service_ids: tuple[Any, ...]
    staff: str
    day: str
    weekday: str
    at: str
    branch: str


def known_services(view: View) -> list[Service]:
    """List all services that any get_services of the conversation returned, the newest word on each."""
    found: dict[str, Service] = {}
    for call in view.calls:
        if call.name == "get_services":
            for row in call.rows("services"):
                service = _service(row, view.facts.currency)
                found[str(service.id)] = service
    return [one for one in found.values() if one.name]


def known_people(view: View, service_id: Any = None) -> list[Person] | None:
    """List the staff returned for this service, or for all; None when nobody asked yet."""
    lists = [one for one in view.calls if one.name == "get_staff" and one.error is None]
    asked = [one for one in lists if str(one.args.get("service_id", service_id)) == str(service_id)]
    if not asked:
        return None
    exact = [one for one in asked if "service_id" in one.args]
    rows = (exact or asked)[-1].rows("staff")
    return [
        Person(id=row.get("staff_id"), name=_text(row.get("name")), specialization=_text(row.get("specialization")))
        for row in rows
    ]


def slots_of(call: Called, currency: str | None) -> list[Slot]:
    """Read the slots of one get_available_slots."""
    return [
        Slot(
            id=row.get("slot_id"),
            day=_text(row.get("date")),
            weekday=_text(row.get("weekday")),
            at=_text(row.get("time")),
            staff=_text(row.get("staff")),
            price=_price(row.get("price"), currency),
        )
        for row in call.rows("slots")
        if row.get("slot_id") is not None
    ]


def appointments_of(call: Called) -> list[Appointment]:
    """Read the client's appointments from one my_appointments."""
    return [
        Appointment(
            id=row.get("appointment_id"),
            service=_text(row.get("service")),
            service_ids=tuple(row.get("service_ids") or ([row["service_id"]] if row.get("service_id") else ())),
            staff=_text(row.get("staff")),
            day=_text(row.get("date")),
            weekday=_text(row.get("weekday")),
            at=_text(row.get("time")),
            branch=_text(row.get("branch")),
        )
        for row in call.rows("appointments")
        if row.get("appointment_id") is not None
    ]


def service_line(service: Service, phrases: Phrases) -> str:
    """Write a service with what is known of its price and length."""
    minutes = phrases("minutes", count=service.minutes) if service.minutes else None
    details = ", ".join(one for one in (service.price, minutes) if one)
    return f"{service.name}: {details}" if details else service.name


def appointment_line(one: Appointment, phrases: Phrases) -> str:
    details = ", ".join(each for each in (one.staff, one.branch) if each)
    line = f"{one.service}: {phrases.day(one.day, one.weekday)}, {one.at}"
    return f"{line} ({details})" if details else line


def slot_lines(slots: Sequence[Slot], phrases: Phrases) -> str:
    """Write a choice of the slots, one line a day, at most eight times."""
    moments: dict[tuple[str, str], list[Slot]] = {}
    for slot in sorted(slots, key=lambda one: (one.day, one.at)):
        moments.setdefault((slot.day, slot.at), []).append(slot)
    prices = {slot.price for slot in slots}
    days: dict[str, list[tuple[str, str]]] = {}
    weekdays: dict[str, str] = {}
    for day, at in _choice(list(moments)):
        here = moments[(day, at)]
        weekdays[day] = here[0].weekday
        days.setdefault(day, []).append((at, _details(here, with_price=len(prices) > 1)))
    return "\n".join(f"{phrases.day(day, weekdays[day])}: {_times(times)}" for day, times in days.items())


def _times(times: Sequence[tuple[str, str]]) -> str:
    """Write the times of a day; what is the same for all of them is said once."""
    details = {inside for _, inside in times}
    if len(details) == 1:
        inside = details.pop()
        return ", ".join(at for at, _ in times) + (f" ({inside})" if inside else "")
    return ", ".join(f"{at} ({inside})" if inside else at for at, inside in times)


def _details(slots: Iterable[Slot], *, with_price: bool) -> str:
    names = dict.fromkeys(
        ", ".join(one for one in (slot.staff, slot.price if with_price else None) if one) for slot in slots
    )
    return "; ".join(one for one in names if one)


def _choice(moments: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keep all of a few moments, of many those of the first three days, spread evenly over each."""
    if len(moments) <= _LISTED:
        return moments
    days = list(dict.fromkeys(day for day, _ in moments))[:_DAYS]
    quota = _LISTED // len(days)
    chosen: list[tuple[str, str]] = []
    for day in days:
        here = [one for one in moments if one[0] == day]
        last = len(here) - 1
        chosen += here if len(here) <= quota else [here[index * last // (quota - 1)] for index in range(quota)]
    return chosen


def _service(row: dict[str, Any], currency: str | None) -> Service:
    asked = row.get("ask_before") or ()
    minutes = row.get("duration_min")
    return Service(
        id=row.get("service_id"),
        name=_text(row.get("name")),
        price=_price(row.get("price"), currency),
        minutes=minutes if isinstance(minutes, int) else None,
        booking=_text(row.get("booking")) or "agent",
        link=_text(row.get("link") or row.get("url")) or None,
        questions=(asked,) if isinstance(asked, str) else tuple(_text(one) for one in asked if one),
    )


def _price(value: Any, currency: str | None) -> str | None:
    """Write a price as it came; a bare number gets the currency that the prompt's own list uses."""
    if value is None or isinstance(value, bool) or value == "":
        return None
    if isinstance(value, int | float):
        return f"{value:g} {currency}" if currency else f"{value:g}"
    return value if isinstance(value, str) else None


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
