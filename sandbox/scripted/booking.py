"""Booking and moving: which service, day, person; then free times; then the call with the slot that was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

from sandbox.gemini.wire import Part, text_part
from sandbox.scripted.catalogue import (
    Appointment,
    Person,
    Service,
    Slot,
    known_people,
    known_services,
    service_line,
    slot_lines,
    slots_of,
)
from sandbox.scripted.context import Called, Unclear, View
from sandbox.scripted.dates import Span
from sandbox.scripted.handover import hand_over, recover
from sandbox.scripted.phrases import Phrases
from sandbox.scripted.wish import Wish
from sandbox.scripted.words import find_staff_hint, may_name_staff, names_person

_LISTED = 8
_QUOTED, _LONGEST_WISH = 3, 400
Masters: TypeAlias = dict[Any, Person]
"""Whom the client wants for a service, by its id."""
SLOT_ERRORS = ("slot_taken", "slot_expired", "unknown_slot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Free times; widened tells how far from the wish they are: 0 as wished, 1 the same days, 2 later days."""

    slots: Sequence[Slot]
    widened: int


def book(view: View, wish: Wish, phrases: Phrases) -> list[Part]:
    """Take the next step of a new booking."""
    if (written := _written(view, "create_appointment", phrases)) is not None:
        return written
    services = known_services(view)
    if not services and (calls := _look_up(view, wish)):
        return calls
    if (failed := view.done("get_services")) and failed.error:
        return recover(view, failed, phrases)
    chosen = _chosen_services(wish, services, phrases)
    if chosen is None:
        return [text_part(_which_service(view, wish, services, phrases))]
    if (elsewhere := next((one for one in chosen if one.booking != "agent"), None)) is not None:
        return _booked_elsewhere(view, wish, elsewhere, phrases)
    if wish.days is None:
        return [text_part(phrases("which_day"))]
    staff = _choose_staff(view, wish, chosen, phrases)
    if isinstance(staff, list):
        return staff
    label = "; ".join(service_line(one, phrases) for one in chosen)
    found = find_slots(view, wish, [one.id for one in chosen], staff, phrases)
    if isinstance(found, list):
        return found
    slot = _exact(found, wish)
    if slot is None or _must_offer(view):
        return [text_part(_offer(view, wish, found, label, phrases))]
    if questions := [one for each in chosen for one in each.questions if wish.answer is None]:
        return [text_part("\n".join(questions))]
    return view.call(
        "create_appointment",
        slot_id=slot.id,
        client_name=wish.client_name,
        visitor_name=wish.visitor_name,
        phone=wish.phone,
        comment=wish.answer,
    ) or hand_over(view, "booking", phrases)


def move(view: View, wish: Wish, appointment: Appointment, phrases: Phrases) -> list[Part]:
    """Take the next step of moving this appointment."""
    if (written := _written(view, "reschedule_appointment", phrases)) is not None:
        return written
    if wish.days is None and not wish.at:
        return [text_part(phrases("which_time"))]
    if wish.days is None:
        wish.days = _same_day(appointment)
    ids = list(appointment.service_ids) or [
        one.id for one in known_services(view) if one.name.lower() == appointment.service.lower()
    ]
    if not ids:
        return view.call("get_services") or hand_over(view, "move", phrases)
    found = find_slots(view, wish, ids[:1] if not appointment.service_ids else ids, {}, phrases)
    if isinstance(found, list):
        return found
    same = [one for one in found.slots if one.staff == appointment.staff]
    slot = _exact(Found(slots=same, widened=found.widened), wish) or _exact(found, wish)
    if slot is None or _must_offer(view):
        return [text_part(_offer(view, wish, found, appointment.service, phrases))]
    return view.call("reschedule_appointment", appointment_id=appointment.id, slot_id=slot.id) or hand_over(
        view, "move", phrases
    )


def find_slots(view: View, wish: Wish, service_ids: list[Any], staff: Masters, phrases: Phrases) -> Found | list[Part]:
    """Ask for free times, wider each time nothing is found; return them, or the parts to answer with now."""
    for widened, args in _attempts(view, wish, service_ids, staff):
        call = view.made("get_available_slots", **args) or (_earlier(view, wish, args) if widened == 0 else None)
        if call is None:
            calls = view.call("get_available_slots", **args)
            if calls:
                return calls
            if widened == 0:
                return hand_over(view, "slots", phrases)
            continue
        if call.error is not None:
            return recover(view, call, phrases)
        slots = [one for one in slots_of(call, view.facts.currency) if _fits(one, wish, staff, widened)]
        if slots:
            return Found(slots=slots, widened=widened)
    return [text_part(phrases("no_slots"))]


def _attempts(view: View, wish: Wish, service_ids: list[Any], staff: Masters) -> list[tuple[int, dict[str, Any]]]:
    today = view.facts.now.date()
    days = wish.days or Span(first=today, last=today + timedelta(days=6))
    later = days.last + timedelta(days=1)
    base: dict[str, Any] = {"services": [{"service_id": one} for one in service_ids]}
    here = base | {"date_from": days.first.isoformat(), "date_to": days.last.isoformat()}
    first = dict(here)
    if wish.window and not wish.at:
        first |= {"time_from": f"{wish.window[0]:%H:%M}", "time_to": f"{wish.window[1]:%H:%M}"}
    if staff:
        first["services"] = [
            {"service_id": one, "staff_id": staff[one].id} if one in staff else {"service_id": one}
            for one in service_ids
        ]
    after = {"date_from": later.isoformat(), "date_to": (later + timedelta(days=6)).isoformat()}
    return [(0, first), *([(1, here)] if first != here else []), (2, base | after)]


def _earlier(view: View, wish: Wish, args: dict[str, Any]) -> Called | None:
    """Find what an earlier turn showed, if it answers this search and nothing has shown it to be stale."""
    call = view.last("get_available_slots")
    if call is None or call in view.turn or len(view.recent) < len(view.turn) or wish.days is None:
        return None
    shown = call.args
    pairs = _same_services(shown.get("services") or [], args["services"])
    same_staff = all(one.get("staff_id") in (None, other.get("staff_id")) for one, other in pairs)
    covers_days = str(shown.get("date_from")) <= args["date_from"] and args["date_to"] <= str(
        shown.get("date_to") or shown.get("date_from")
    )
    if not (pairs and same_staff and covers_days):
        return None
    fitting = [one for one in slots_of(call, view.facts.currency) if _fits(one, wish, {}, 0)]
    if wish.at:
        return call if "time_from" not in shown or any(one.clock in wish.at for one in fitting) else None
    same_window = all(shown.get(key) in (None, args.get(key)) for key in ("time_from", "time_to"))
    return call if fitting and same_window else None


def _same_services(some: Sequence[Any], others: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pair what two searches look for; nothing where it is not the same services."""
    ids = [[str(one.get("service_id")) for one in each] for each in (some, others)]
    return list(zip(some, others, strict=True)) if ids[0] == ids[1] else []


def _fits(slot: Slot, wish: Wish, staff: Masters, widened: int) -> bool:
    if widened == 2:
        return True
    day, clock = slot.date, slot.clock
    if wish.days is not None and (day is None or day not in wish.days):
        return False
    if widened == 1:
        return True
    if slot.staff and not all(names_person(slot.staff, one.name) for one in staff.values()):
        return False
    return wish.window is None or bool(wish.at) or (clock is not None and wish.window[0] <= clock <= wish.window[1])


def _exact(found: Found, wish: Wish) -> Slot | None:
    """Choose the slot at the time the client named; None when there is none, or on several days."""
    if wish.earliest and found.widened == 0:
        return min(found.slots, key=lambda one: (one.day, one.at))
    for clock in wish.at:
        there = [one for one in found.slots if one.clock == clock]
        if there and len({one.day for one in there}) == 1 and found.widened == 0:
            return there[0]
    return None


def _must_offer(view: View) -> bool:
    """Tell whether the client has to choose anew: the time turned out taken, or trying again has not helped."""
    # A slot whose offer had only lapsed may be tried once more, now that it has been shown anew.
    failed = [one for one in view.turn if one.error in SLOT_ERRORS and "slot_id" in one.args]
    return len(failed) > 1 or any(one.error == "slot_taken" for one in failed)


def _offer(view: View, wish: Wish, found: Found, service: str, phrases: Phrases) -> str:
    refused = {str(one.args.get("slot_id")) for one in view.turn if one.error in SLOT_ERRORS}
    free = [one for one in found.slots if str(one.id) not in refused]
    slots = _nearest(free, wish)
    at_time = [one for one in free if one.clock in wish.at]
    note = next((str(one.data["note"]) for one in view.turn if one.data.get("note")), None)
    if any(one.error == "slot_taken" for one in view.turn):
        key = "slot_taken"
    elif found.widened == 2:
        key = "slots_other_day"
    elif len({one.day for one in at_time}) > 1:
        key, slots = "several_days", at_time
    else:
        key = "slots_other_time" if wish.at or found.widened else "slots"
    text = phrases(key, service=service, lines=slot_lines(slots, phrases))
    return f"{text}\n{note}" if note else text


def _nearest(free: Sequence[Slot], wish: Wish) -> Sequence[Slot]:
    """Keep the times nearest to the one the client named, else all."""
    if not wish.at:
        return free
    first_days = sorted({one.day for one in free})[:3]
    free = [one for one in free if one.day in first_days]
    wanted = wish.at[0].hour * 60 + wish.at[0].minute

    def distance(slot: Slot) -> int:
        clock = slot.clock
        return abs(clock.hour * 60 + clock.minute - wanted) if clock else 24 * 60

    moments = sorted({(distance(one), one.day, one.at) for one in free})[:_LISTED]
    return [one for one in free if (distance(one), one.day, one.at) in moments]


def _written(view: View, name: str, phrases: Phrases) -> list[Part] | None:
    """Answer to the outcome of a write of this turn; None when there is none or other times must be looked for."""
    call = view.done(name)
    if call is None or (call.error in SLOT_ERRORS):
        return None
    return recover(view, call, phrases) if call.error else [text_part(phrases("confirm"))]


def _look_up(view: View, wish: Wish) -> list[Part]:
    """Ask for the catalogue, and for the staff at the same time when the client named somebody."""
    calls = view.call("get_services")
    named = any(find_staff_hint(one) for one in wish.staff_texts)
    return calls + view.call("get_staff") if calls and named else calls


def _chosen_services(wish: Wish, services: Sequence[Service], phrases: Phrases) -> list[Service] | None:
    """Return the services that are certain, None while one is not."""
    groups = wish.groups or ([[services[0]]] if len(services) == 1 else [])
    return [one[0] for one in groups] if groups and all(len(one) == 1 for one in groups) else None


def _which_service(view: View, wish: Wish, services: Sequence[Service], phrases: Phrases) -> str:
    if not wish.groups and view.unclear is Unclear.PICTURE:
        return phrases("unseen")
    unsure = next((one for one in wish.groups if len(one) > 1), None)
    options = "; ".join(service_line(one, phrases) for one in (unsure or services)[:_LISTED])
    if len(unsure or services) > _LISTED:
        options += f"; {phrases('more')}"
    return phrases("which_of" if unsure else "which_service", options=options).strip()


def _booked_elsewhere(view: View, wish: Wish, service: Service, phrases: Phrases) -> list[Part]:
    if service.booking == "link" and "give_booking_link" in view.tools:
        if wish.days is None:
            return [text_part(phrases("which_day"))]
        said = "; ".join(reversed(view.client_texts[:_QUOTED]))
        return view.call("give_booking_link", service_id=service.id, wish=said[:_LONGEST_WISH])
    if service.booking == "link" and service.link:
        return [text_part(phrases("link_books", service=service.name, link=service.link))]
    if (calls := hand_over(view, "booked_by_person", phrases))[0].function_call is not None:
        return calls
    return [text_part(phrases("person_books", service=service.name, handed=calls[0].text))]


def _choose_staff(view: View, wish: Wish, services: Sequence[Service], phrases: Phrases) -> Masters | list[Part]:
    """Return whom the client wants for each service, or the parts to ask with."""
    if len(services) > 1:
        return _named_staff(view, wish, services)
    chosen = _choose_one(view, wish, services[0], phrases)
    return chosen if isinstance(chosen, list) else {services[0].id: chosen} if chosen else {}


def _named_staff(view: View, wish: Wish, services: Sequence[Service]) -> Masters | list[Part]:
    """Return who of each service's people was named; of several services nobody else is asked about."""
    if not any(find_staff_hint(one) or may_name_staff(one) for one in wish.staff_texts):
        return {}
    if calls := [
        call for one in services if not _is_known(view, one) for call in view.call("get_staff", service_id=one.id)
    ]:
        return calls
    chosen = {}
    for service in services:
        named = [one for one in known_people(view, service.id) or [] if _is_named(wish, one)]
        if named:
            chosen[service.id] = named[0]
    return chosen


def _is_known(view: View, service: Service) -> bool:
    """Tell whether it was asked who does exactly this service."""
    asked = [one for one in view.calls if one.name == "get_staff" and one.error is None]
    return any(str(one.args.get("service_id")) == str(service.id) for one in asked)


def _is_named(wish: Wish, person: Person) -> bool:
    return any(names_person(text, person.name) for text in wish.staff_texts)


def _choose_one(view: View, wish: Wish, service: Service, phrases: Phrases) -> Person | list[Part] | None:
    """Return whom the client wants, None for anyone, or the parts to ask with."""
    people = known_people(view, service.id)
    hint = find_staff_hint(wish.staff_texts[-1]) if wish.staff_texts else None
    undecided = not wish.anyone and not wish.at and wish.questions == 0
    if people is None and (undecided or any(may_name_staff(one) for one in wish.staff_texts)):
        calls = view.call("get_staff", service_id=service.id)
        if calls:
            return calls
    if (failed := view.done("get_staff")) and failed.error:
        return recover(view, failed, phrases)
    people = people or []
    for text in reversed(wish.staff_texts):
        for person in people:
            if names_person(text, person.name):
                return person
    names = ", ".join(one.name for one in people[:_LISTED])
    if hint and people and not wish.anyone:
        return [text_part(phrases("no_such_staff", names=names))]
    if undecided and len(people) > 1:
        return [text_part(phrases("which_staff", names=names))]
    return None


def _same_day(appointment: Appointment) -> Span | None:
    try:
        day = date.fromisoformat(appointment.day)
    except ValueError:
        return None
    return Span(first=day, last=day)
