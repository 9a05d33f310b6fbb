"""Answers that need no plan: prices, hours, staff, products, the client's own appointments, messages to staff."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sandbox.gemini.wire import Part, text_part
from sandbox.scripted.booking import move
from sandbox.scripted.catalogue import (
    Appointment,
    appointment_line,
    appointments_of,
    known_people,
    known_services,
    service_line,
)
from sandbox.scripted.context import Called, View
from sandbox.scripted.dates import Span
from sandbox.scripted.handover import hand_over, recover
from sandbox.scripted.phrases import Phrases
from sandbox.scripted.wish import Topic, Wish, find_groups
from sandbox.scripted.words import best_matches, count_matches, features, names_person

_LISTED = 10


class Answer(NamedTuple):
    """Parts to answer with now, where otherwise data would be returned."""

    parts: list[Part]


def tell_prices(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
    """Tell the price of what was named, or all prices."""
    calls = view.call("get_services")
    if calls and any(count_matches(features(view.text), name) for name, _ in view.facts.products):
        calls += view.call("get_products")
    if calls and not known_services(view):
        return calls
    if (failed := view.done("get_services")) and failed.error:
        return recover(view, failed, phrases)
    services = known_services(view)
    named = [one for group in find_groups(view.text, services) for one in group]
    lines = [service_line(one, phrases) for one in named or services]
    if not services:
        lines = _written_lines(view.facts.services, view.text)
    goods = view.done("get_products")
    if goods is not None:
        lines = (lines if named else []) + _product_lines(goods, view.text)
    if not lines:
        return hand_over(view, "unknown_question", phrases)
    return [text_part(phrases("price_list", lines="\n".join(lines[:_LISTED])))]


def tell_services(view: View, wish: Wish, phrases: Phrases) -> list[Part]:
    """List the services."""
    if not known_services(view) and (calls := view.call("get_services")):
        return calls
    if not known_services(view) and not view.facts.services:
        return tell_prices(view, wish, phrases)
    lines = [service_line(one, phrases) for one in known_services(view)] or [line for _, line in view.facts.services]
    return [text_part(phrases("services", lines="\n".join(lines[:_LISTED])))]


def tell_staff_names(view: View, wish: Wish, phrases: Phrases) -> list[Part]:
    """List the staff, those of a service if one was named."""
    if not known_services(view) and (calls := view.call("get_services")):
        return calls
    named = [one for group in find_groups(view.text, known_services(view)) for one in group]
    service_id = named[0].id if len(named) == 1 else None
    people = known_people(view, service_id)
    if people is None and (calls := view.call("get_staff", service_id=service_id)):
        return calls
    if not people:
        return hand_over(view, "unknown_question", phrases)
    lines = [f"{one.name}: {one.specialization}" if one.specialization else one.name for one in people[:_LISTED]]
    return [text_part(phrases("staff", lines="\n".join(lines)))]


def tell_products(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
    """List the products, those named if any is."""
    if calls := view.call("get_products"):
        return calls
    done = view.done("get_products")
    if done is not None and done.error:
        return recover(view, done, phrases)
    lines = _product_lines(done, view.text) if done else _written_lines(view.facts.products, view.text)
    if not lines:
        return hand_over(view, "unknown_question", phrases)
    return [text_part(phrases("products", lines="\n".join(lines[:_LISTED])))]


def tell_fact(name: str) -> Callable[[View, Wish, Phrases], list[Part]]:
    """Make the reply that repeats one line of the prompt's contacts, or hands over where it is not there."""

    def reply(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
        value = getattr(view.facts, name)
        return [text_part(phrases(name, value=value))] if value else hand_over(view, "unknown_question", phrases)

    return reply


def tell_staff(kind: str) -> Callable[[View, Wish, Phrases], list[Part]]:
    """Make the reply that passes the client's words on to the staff."""

    def reply(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
        told = view.done("tell_staff")
        if told is not None:
            return recover(view, told, phrases) if told.error else [text_part(phrases("staff_told"))]
        shown = view.last("my_appointments")
        today = view.facts.now.date().isoformat()
        known = [one for one in appointments_of(shown) if one.day == today] if shown else []
        which = known[0].id if len(known) == 1 else None
        return view.call("tell_staff", kind=kind, text=view.text, appointment_id=which) or hand_over(
            view, kind, phrases
        )

    return reply


def tell_mine(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
    """List the client's appointments."""
    found = _appointments(view, phrases)
    if isinstance(found, Answer):
        return found.parts
    lines = [appointment_line(one, phrases) for one in found]
    return [text_part(phrases("mine", lines="\n".join(lines)) if lines else phrases("none_mine"))]


def change_mine(view: View, wish: Wish, phrases: Phrases) -> list[Part]:
    """Move or cancel one of the client's appointments, asking which where several fit."""
    found = _appointments(view, phrases, with_services=wish.topic is Topic.MOVE)
    if isinstance(found, Answer):
        return found.parts
    if not found:
        return [text_part(phrases("none_mine"))]
    meant = _meant(found, wish)
    if len(meant) > 1:
        lines = "\n".join(appointment_line(one, phrases) for one in meant)
        return [text_part(phrases("which_appointment", lines=lines))]
    if wish.topic is Topic.MOVE:
        return move(view, wish, meant[0], phrases)
    cancelled = view.done("cancel_appointment")
    if cancelled is not None:
        return recover(view, cancelled, phrases) if cancelled.error else [text_part(phrases("confirm"))]
    return view.call("cancel_appointment", appointment_id=meant[0].id) or hand_over(view, "cancel", phrases)


def _appointments(view: View, phrases: Phrases, *, with_services: bool = False) -> list[Appointment] | Answer:
    done = view.done("my_appointments")
    if done is None:
        calls = view.call("my_appointments")
        if calls and with_services and not known_services(view):
            calls += view.call("get_services")
        return Answer(calls or hand_over(view, "appointments", phrases))
    return Answer(recover(view, done, phrases)) if done.error is not None else appointments_of(done)


def _meant(appointments: Sequence[Appointment], wish: Wish) -> list[Appointment]:
    """Narrow the appointments by all that was said of them; a word that fits none of them is not about them."""
    left = list(appointments)
    said = " ".join(wish.texts)
    best = best_matches(features(said), [one.service for one in left])
    left = [left[index] for index in best] or left
    if wish.source is not None:
        left = [one for one in left if _is_on(one, wish.source)] or left
    if wish.source_at:
        left = [one for one in left if one.at in {f"{clock:%H:%M}" for clock in wish.source_at}] or left
    return [one for one in left if one.staff and names_person(said, one.staff)] or left


def _is_on(appointment: Appointment, span: Span) -> bool:
    return span.first.isoformat() <= appointment.day <= span.last.isoformat()


def _written_lines(entries: Sequence[tuple[str, str]], text: str) -> list[str]:
    """Pick the prompt's own lines that the client means, else all."""
    places = best_matches(features(text), [name for name, _ in entries])
    return [entries[index][1] for index in places] or [line for _, line in entries]


def _product_lines(call: Called, text: str) -> list[str]:
    rows = call.rows("products")
    places = best_matches(features(text), [str(row.get("name", "")) for row in rows])
    chosen = [rows[index] for index in places] or rows
    fields = ([str(row[key]) for key in ("name", "price") if row.get(key) is not None] for row in chosen)
    return [": ".join(each) for each in fields]
