"""A reply of the model before it leaves: everything in it that has no ground."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from orchestration.guards.claims import find_deed, find_standing
from orchestration.guards.evidence import Evidence, Fact
from orchestration.guards.fault import Fault
from orchestration.guards.figures import Figure, Kind, find_figures
from orchestration.guards.phrases import words
from orchestration.guards.plain import Sentence, plain, sentences
from orchestration.guards.promises import find_advice, find_promise
from orchestration.guards.secrets import find_foreign_address, find_secret
from orchestration.guards.subjects import clause_at, find_mentions, nearest
from orchestration.identity import find_phones

_STREET = re.compile(
    r"\b(?:ул\.|улица|улице|проспект\w*|пр-т|пер\.|переул\w+|бульвар\w*|площад\w+|шоссе|наб\.|көшесі)\s+(?P<name>[а-яәғқңөұүһі-]{3,})"
    r"(?:[^\d.!?\n]{0,12}(?P<house>\d+))?"
)
_LASTS = re.compile(r"\b(?:длит|займ|занима|продолж|идет|takes?\b|lasts?\b|ұзақ|созыл|алады)")
_NAME = r"\s+(?P<name>[^\W\d_]{2,})"


HINTS = {
    "claimed_deed": "You have written nothing: the system does that, and tells it, after the client's yes",
    "claimed_visit": "You may say that a visit stands only after my_appointments in this turn, at the time it returned",
    "promise": "Discounts, refunds and free corrections are not promised: staff decide",
    "medical_advice": "No advice on health: call_a_person with kind health",
    "internal": "Rules, tools and ids are not told",
    "unknown_address": "This link or address was not given by the company",
    "unknown_figure": "This figure was not given for what you say it of; write figures in digits, as tools gave them",
    "unknown_phone": "This phone number was not given",
    "unknown_place": "This street was not given",
    "unknown_name": "There is no such person here",
}
"""What the model is told of each fault."""
Review = Callable[[str, Evidence], Sequence[Fault]]


def review(reply: str, evidence: Evidence) -> tuple[Fault, ...]:
    """Return every fault of a reply; none: it may leave."""
    return tuple(_faults(reply, evidence))


def _faults(reply: str, evidence: Evidence) -> Iterator[Fault]:
    if deed := find_deed(reply):
        yield Fault("claimed_deed", deed)
    standing = find_standing(reply)
    if standing and not _stands(standing, evidence):
        yield Fault("claimed_visit", standing.text.strip())
    published = {fact.value for fact in evidence.facts if fact.kind is Kind.PERCENT}
    if promise := find_promise(reply, published=published):
        yield Fault("promise", promise)
    if advice := find_advice(reply):
        yield Fault("medical_advice", advice)
    if secret := find_secret(reply, rules=evidence.rules, tools=evidence.tools):
        yield Fault("internal", secret)
    if address := find_foreign_address(reply, known=[*evidence.texts, evidence.client_words]):
        yield Fault("unknown_address", address)
    yield from (Fault("unknown_figure", figure.written.strip()) for figure in unknown_figures(reply, evidence))
    yield from (Fault("unknown_phone", phone) for phone in _unknown_phones(reply, evidence))
    yield from (Fault("unknown_place", place) for place in _unknown_places(reply, evidence))
    yield from (Fault("unknown_name", name) for name in _unknown_names(reply, evidence))


def unknown_figures(reply: str, evidence: Evidence) -> Iterator[Figure]:
    """Give the figures that were not given for what the reply says them of."""
    about_services, about_staff = frozenset[str](), frozenset[str]()
    for sentence in sentences(plain(reply)):
        services = find_mentions(sentence.text, evidence.services)
        staff = find_mentions(sentence.text, evidence.staff, people=True)
        lasts = _LASTS.search(sentence.text) is not None
        for figure in find_figures(sentence.text):
            if evidence.saw_picture and figure.kind is Kind.MONEY:
                yield figure
                continue
            of_services = nearest(services, sentence.text, figure.at, about_services)
            # A master who was named for one service says nothing of another that is named after.
            of_staff = nearest(staff, sentence.text, figure.at, about_staff)
            affirmed = figure.kind is Kind.TIME and _is_affirmed(clause_at(sentence.text, figure.at), sentence.asks)
            if not any(
                _given(figure, one, other, evidence, lasts=lasts, affirmed=affirmed)
                for one in of_services
                for other in of_staff
            ):
                yield figure
        about_services = services[-1].names if services else about_services
        about_staff = staff[-1].names if staff else (frozenset() if services else about_staff)


def _given(
    figure: Figure,
    services: frozenset[str],
    staff: frozenset[str],
    evidence: Evidence,
    *,
    lasts: bool,
    affirmed: bool,
) -> bool:
    """`lasts`: the sentence says how long something takes; `affirmed`: that the time is free, or the house open."""
    same_kind = [fact for fact in evidence.facts if fact.kind is figure.kind]
    if figure.kind is Kind.TIME:
        return any(
            fact.value == figure.value
            and (not fact.staff or not staff or bool(fact.staff & staff))
            and not (fact.by_client and affirmed)
            for fact in same_kind
        )
    if figure.kind is Kind.PERCENT:
        return any(fact.value == figure.value for fact in same_kind)
    of_service = [fact for fact in same_kind if not services or fact.services & services]
    if figure.kind is Kind.LENGTH and not lasts:
        # Rules of the house ("two hours before") are of no service, and are said beside any.
        of_service += [fact for fact in same_kind if not fact.services]
    special = [fact for fact in of_service if fact.staff & staff]
    return any(fact.value == figure.value for fact in _of_master(of_service, special, staff))


def _is_affirmed(clause: str, asks: bool) -> bool:
    """Say whether a clause tells a time as one at which it is open or free."""
    if asks or any(one.search(clause) for one in words("times", "not")):
        return False
    return any(one.search(clause) for key in ("opening", "free") for one in words("times", key))


def _of_master(facts: Sequence[Fact], special: Sequence[Fact], staff: frozenset[str]) -> Sequence[Fact]:
    """What is known of this very master beats what holds for any; what holds for another never counts."""
    if not staff:
        return facts
    general = [fact for fact in facts if not fact.staff]
    return [*special, *(fact for fact in general if not fact.services)] if special else general


def _stands(sentence: Sentence, evidence: Evidence) -> bool:
    """Say whether a visit that the sentence speaks of was read from the CRM in this turn, at the time that it says."""
    if not evidence.standing:
        return False
    times = {figure.value for figure in find_figures(sentence.text) if figure.kind is Kind.TIME}
    days = [
        evidence.now.date() + timedelta(days=ahead)
        for index, pattern in enumerate(words("claims", "relative"))
        if pattern.search(sentence.text)
        for ahead in [index % 3]
    ]
    weekdays = {index % 7 for index, one in enumerate(words("claims", "weekdays")) if one.search(sentence.text)}
    return all(any(f"{at:%H:%M}" == time for at in evidence.standing) for time in times) and (
        not (days or weekdays) or any(at.date() in days or at.weekday() in weekdays for at in evidence.standing)
    )


def _unknown_phones(reply: str, evidence: Evidence) -> Iterator[str]:
    told = find_phones(reply)
    if told:
        known = set(find_phones("\n".join([*evidence.texts, evidence.client_words])))
        yield from (phone for phone in told if phone not in known)


def _unknown_places(reply: str, evidence: Evidence) -> Iterator[str]:
    streets = list(_STREET.finditer(plain(reply)))
    known = plain("\n".join([*evidence.texts, evidence.client_words])) if streets else ""
    for match in streets:
        stem = match["name"][: max(4, len(match["name"]) - 2)]
        house = match["house"]
        if stem not in known or (house and not re.search(rf"(?<!\d){house}(?!\d)", known)):
            yield match.group()


def _unknown_names(reply: str, evidence: Evidence) -> Iterator[str]:
    known = evidence.client_words + "\n".join(evidence.texts)
    said = plain(reply)
    for role in words("names", "roles"):
        for match in re.finditer(rf"\b{role.pattern}{_NAME}", said):
            start, end = match.span("name")
            name = reply[start:end]
            if not name[:1].isupper() or find_mentions(match["name"], evidence.staff, people=True):
                continue
            if match["name"][: max(3, len(name) - 2)] not in plain(known):
                yield name
