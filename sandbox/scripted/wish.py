"""What the client wants, gathered over the whole conversation: later words narrow or replace earlier ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum

from sandbox.scripted.catalogue import Service, known_services
from sandbox.scripted.context import Called, Said, View
from sandbox.scripted.dates import Days, Span, find_days
from sandbox.scripted.intents import Intent, find_intents, is_question, says_anyone
from sandbox.scripted.phrases import Phrases
from sandbox.scripted.times import find_times
from sandbox.scripted.words import (
    best_matches,
    count_matches,
    features,
    find_client_name,
    find_phone,
    find_staff_hint,
    find_visitor_name,
    may_name_staff,
    plain,
    without_phone,
)

_WRITES = ("create_appointment", "reschedule_appointment", "cancel_appointment")
_SEGMENTS = re.compile(r"[,;.+&]|\bи\b|\band\b|\bплюс\b|\bplus\b", re.IGNORECASE)
_EARLIEST = re.compile(
    r"\bсам\w+ (?:ранн|перв|ближайш)|\bперв\w+ (?:вариант|время|из)|\b(?:the )?(?:first|earliest|soonest)\b"
)
# "Good evening" is no wish for an evening.
_GREETED = re.compile(r"\bдобр\w+\s+(?:утр\w+|дн\w+|день|вечер\w*)|\bgood (?:morning|afternoon|evening|day)\b")
_ADDS = re.compile(r"\bеще\b|\bтакже\b|\bзаодно\b|\balso\b|\bas well\b")
_ASIDE = {
    Intent.PERSON,
    Intent.ROBOT,
    Intent.POLICY,
    Intent.LATE,
    Intent.NOTE,
    Intent.MINE,
    Intent.HOURS,
    Intent.ADDRESS,
    Intent.PHONE,
}
_INFO = {Intent.PRICES, Intent.SERVICES, Intent.STAFF, Intent.PRODUCTS}


class Topic(StrEnum):
    BOOK = "book"
    MOVE = "move"
    CANCEL = "cancel"


_TOPICS = {Intent.CANCEL: Topic.CANCEL, Intent.MOVE: Topic.MOVE, Intent.BOOK: Topic.BOOK}


@dataclass(slots=True, kw_only=True)
class Wish:
    """The wish so far; touched tells that the client's last words added to it."""

    topic: Topic | None = None
    groups: list[list[Service]] = field(default_factory=list)
    days: Span | None = None
    at: tuple[time, ...] = ()
    window: tuple[time, time] | None = None
    source: Span | None = None
    source_at: tuple[time, ...] = ()
    texts: list[str] = field(default_factory=list)
    staff_texts: list[str] = field(default_factory=list)
    anyone: bool = False
    earliest: bool = False
    answer: str | None = None
    questions: int = 0
    proposed: bool = False
    phone: str | None = None
    client_name: str | None = None
    visitor_name: str | None = None
    touched: bool = False


def read_wish(view: View, phrases: Phrases) -> Wish:
    """Gather the wish from everything said and found before the current turn, and the client's last words."""
    wish = Wish()
    services = known_services(view)
    before = ""
    current = {id(one) for one in view.turn}
    for event in view.events:
        if isinstance(event, Called):
            if id(event) not in current:
                _hear_call(wish, event)
        elif event.by_client:
            wish.touched = False
            wish = _hear_client(wish, event, before, services, view.facts.now.date(), phrases)
        else:
            before = event.text
            wish.questions += 1 if wish.topic and "?" in before else 0
    return wish


def find_groups(text: str, services: Sequence[Service]) -> list[list[Service]]:
    """Match a text against a catalogue: one group for each thing named, several services where words fit several."""
    names = [one.name for one in services]
    groups: list[list[Service]] = []
    for segment in _SEGMENTS.split(text):
        found = [services[index] for index in best_matches(features(segment), names)]
        if not found:
            continue
        shared = next((one for one in groups if any(each in one for each in found)), None)
        if shared is None:
            groups.append(found)
        else:
            shared[:] = [each for each in shared if each in found]
    if len(groups) <= 1:
        whole = [services[index] for index in best_matches(features(text), names)]
        return [whole] if whole else []
    return groups


def _hear_call(wish: Wish, call: Called) -> None:
    if call.error is not None:
        return
    if call.name in _WRITES:
        wish.proposed = True
    if call.name == "get_available_slots" and wish.topic is not Topic.CANCEL:
        wish.days = _searched(call) or wish.days


def _searched(call: Called) -> Span | None:
    try:
        first = date.fromisoformat(str(call.args.get("date_from")))
        return Span(first=first, last=date.fromisoformat(str(call.args.get("date_to") or first)))
    except ValueError:
        return None


def _hear_client(
    wish: Wish, said: Said, before: str, services: Sequence[Service], today: date, phrases: Phrases
) -> Wish:
    intents = find_intents(said.text)
    topic = next((_TOPICS[one] for one in intents if one in _TOPICS), None)
    if any(question in before for one in services for question in one.questions) and topic in (None, Topic.BOOK):
        wish.answer, wish.touched = said.text, True
        return wish
    days = find_days(_GREETED.sub(" ", plain(without_phone(said.text))), today)
    if intents and intents[0] in _ASIDE and not (Intent.BOOK in intents and days.wanted):
        return wish
    wish = _hear_topic(wish, topic, has_services=bool(find_groups(said.text, services)))
    _hear_identity(wish, said.text)
    _hear_services(wish, said.text, services)
    if intents and intents[0] in _INFO and Intent.BOOK not in intents and not days.wanted:
        return wish
    _hear_staff(wish, said.text, before, phrases)
    about_existing = phrases.asked("which_appointment", before)
    dated = _hear_when(wish, days, about_existing=about_existing) or about_existing
    wish.earliest = phrases.asked("slots", before) and _EARLIEST.search(plain(said.text)) is not None
    wish.touched = wish.touched or dated or wish.earliest
    if wish.topic is None and wish.touched and (wish.days or not is_question(said.text)):
        wish.topic = Topic.BOOK
    wish.texts.append(said.text)
    return wish


def _hear_topic(wish: Wish, topic: Topic | None, *, has_services: bool) -> Wish:
    if topic is None:
        return wish
    # "Запись" within a move or a cancellation does not change the matter.
    continues = topic is Topic.BOOK and wish.topic not in (None, Topic.BOOK) and not wish.proposed and not has_services
    if not continues and (topic is not wish.topic or (wish.proposed and has_services)):
        # Who the client is stays known, and so does a service that was only asked about until now.
        groups = wish.groups if wish.topic is None else []
        wish = Wish(topic=topic, groups=groups, phone=wish.phone, client_name=wish.client_name)
    elif wish.proposed and topic is Topic.BOOK:
        wish.at, wish.window, wish.staff_texts, wish.anyone = (), None, [], False
    wish.touched = True
    return wish


def _hear_identity(wish: Wish, text: str) -> None:
    wish.phone = find_phone(text) or wish.phone
    wish.client_name = find_client_name(text) or wish.client_name
    wish.visitor_name = find_visitor_name(text) or wish.visitor_name


def _hear_services(wish: Wish, text: str, services: Sequence[Service]) -> None:
    groups = find_groups(text, services)
    if not groups:
        return
    wish.touched = True
    kept: list[list[Service]] = []
    for group in groups:
        old = next((one for one in wish.groups if any(each in one for each in group)), None)
        narrowed = [each for each in old if each in group] if old else group
        kept.append(_best_by_all_words(narrowed, [*wish.texts, text]))
    others = [one for one in wish.groups if not any(each in one for group in groups for each in group)]
    # The words narrow one of several services, or add one: the others stay wished. Else they replace them.
    if len(others) < len(wish.groups) or _ADDS.search(plain(text)):
        kept += others
    wish.groups = kept


def _best_by_all_words(group: list[Service], texts: Sequence[str]) -> list[Service]:
    said = features(" ".join(texts))
    best = best_matches(said, [one.name for one in group])
    named = [group[index] for index in best] or group
    whole = [one for one in named if count_matches(said, one.name) == len(features(one.name))]
    return whole if len(whole) == 1 and len(named) > 1 and len(texts) > 1 else named


def _hear_staff(wish: Wish, text: str, before: str, phrases: Phrases) -> None:
    answers = phrases.asked("which_staff", before) or phrases.asked("no_such_staff", before)
    if says_anyone(text):
        wish.anyone, wish.staff_texts, wish.touched = True, [], True
    elif find_staff_hint(text):
        wish.anyone, wish.staff_texts, wish.touched = False, [text], True
    else:
        wish.staff_texts.append(text)
        wish.touched = wish.touched or answers or (wish.topic is not None and may_name_staff(text))


def _hear_when(wish: Wish, days: Days, *, about_existing: bool) -> bool:
    times = find_times(days.rest)
    wanted, source = days.wanted, days.source
    if wish.topic is Topic.BOOK and source and not wanted:
        wanted, source = Span(first=source.first, last=source.first + timedelta(days=6)), None
    if wish.topic is Topic.CANCEL or about_existing:
        wish.source = wanted or source or wish.source
        wish.source_at = times.at or wish.source_at
        return bool(wanted or source or times.at)
    wish.source = source or wish.source
    wish.days = wanted or wish.days
    if times.at or times.window:
        wish.at, wish.window = times.at, times.window
    return bool(wanted or source or times.at or times.window)
