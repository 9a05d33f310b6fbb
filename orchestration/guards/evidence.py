"""What a reply may be held against: the company's own words, what tools answered, what the client said, each with what
it was said of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from db.catalogue import PriceRange
from db.records import AgentSettings, Author, CompanySnapshot, HistoryMessage
from locales import Translator
from orchestration.catalogue import to_price
from orchestration.guards.figures import Kind, find_figures
from orchestration.guards.plain import plain, sentences
from orchestration.guards.subjects import find_mentions
from orchestration.ports import Content, ResultPart
from orchestration.prompts import hours_line
from orchestration.wording import price_text

_LISTED = "appointments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A figure that was given. Of no service or master in particular where those are empty."""

    kind: Kind
    value: str
    services: frozenset[str] = frozenset()
    staff: frozenset[str] = frozenset()
    by_client: bool = False
    """Only the client said it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that this turn's reply may rest on."""

    facts: frozenset[Fact]
    services: frozenset[str]
    """The names of services and products."""
    staff: frozenset[str]
    texts: tuple[str, ...]
    """Where links, phones, addresses and names may come from."""
    client_words: str
    standing: tuple[datetime, ...]
    """The client's appointments, read from the CRM in this turn, by the branch's clock."""
    read_standing: bool
    rules: str
    """What the model was told and nobody else is."""
    tools: tuple[str, ...]
    now: datetime
    """By the clock on the first branch's wall."""
    saw_picture: bool = False


def evidence_of(
    snapshot: CompanySnapshot,
    *,
    earlier: Sequence[Content],
    said: Sequence[Content],
    history: Sequence[HistoryMessage],
    client_words: str,
    rules: str,
    tools: Collection[str],
    now: datetime,
    saw_picture: bool,
) -> Evidence:
    """Gather it. `earlier` and `said`: what the model was shown of earlier turns, and of this one."""
    results = [part for content in (*earlier, *said) for part in content.parts if isinstance(part, ResultPart)]
    services, staff = _names(snapshot.agent, results)
    own = tuple(_own_texts(snapshot))
    words = "\n".join([*(one.text for one in history if one.author is Author.CLIENT), client_words])
    facts = {
        *_of_catalogue(snapshot.agent),
        *(fact for text in own for fact in _of_text(text, services, staff)),
        *(fact for part in results for fact in _of_result(part.response, services, staff)),
        *(
            Fact(kind=one.kind, value=one.value, by_client=True)
            for one in find_figures(plain(words))
            if one.kind is Kind.TIME
        ),
    }
    listed = [
        part.response[_LISTED]
        for content in said
        for part in content.parts
        if isinstance(part, ResultPart) and isinstance(part.response.get(_LISTED), list)
    ]
    return Evidence(
        facts=frozenset(facts),
        services=services,
        staff=staff,
        texts=(*own, *(str(part.response) for part in results)),
        client_words=words,
        standing=tuple(at for each in listed for one in each if (at := _moment(one)) is not None),
        read_standing=bool(listed),
        rules=rules,
        tools=tuple(tools),
        now=now,
        saw_picture=saw_picture,
    )


def _names(agent: AgentSettings, results: Sequence[ResultPart]) -> tuple[frozenset[str], frozenset[str]]:
    services = {one.name for one in agent.services} | {one.name for one in agent.products}
    staff = {override.master for one in agent.services for override in one.overrides if override.master}
    for part in results:
        for node in _nodes(part.response):
            if "staff_id" in node and isinstance(node.get("name"), str):
                staff.add(node["name"])
            elif isinstance(node.get("name"), str):
                services.add(node["name"])
            services |= _listed(node.get("service"))
            staff |= _listed(node.get("staff"))
    return frozenset(services), frozenset(staff)


def _own_texts(snapshot: CompanySnapshot) -> Iterator[str]:
    """Give what the company says of itself, prices of its catalogue left out: those belong to their services."""
    agent = snapshot.agent
    yield snapshot.company.name
    for text in (agent.description, agent.business_type, agent.target_audience, agent.highlights, agent.instructions):
        if text:
            yield text
    for one in agent.faq:
        yield f"{one.question}\n{one.answer}"
    yield from agent.policies.values()
    yield from snapshot.notes
    for branch in snapshot.branches:
        yield "\n".join(text for text in (branch.name, branch.address, branch.phone) if text)
        if branch.hours:
            yield hours_line(branch.hours)
            for intervals in branch.hours.exceptions.values():
                yield " ".join(f"{one.opens:%H:%M} {one.closes:%H:%M}" for one in intervals)
    for service in agent.services:
        yield "\n".join(text for text in (service.name, service.link, *service.ask_before) if text)


def _of_catalogue(agent: AgentSettings) -> Iterator[Fact]:
    texts = Translator.for_language(agent.language)

    def terms(name: str, price: PriceRange | None, length: timedelta | None, master: str | None) -> Iterator[Fact]:
        named, staff = frozenset({name}), frozenset({master} if master else ())
        if price:
            yield from _figures(price_text(texts, to_price(price, agent.currency)), Kind.MONEY, named, staff)
        if length:
            minutes = str(round(length.total_seconds() / 60))
            yield Fact(kind=Kind.LENGTH, value=minutes, services=named, staff=staff)

    for product in agent.products:
        yield from terms(product.name, product.price, None, None)
        yield from _figures(product.description or "", None, frozenset({product.name}), frozenset())
    for service in agent.services:
        yield from terms(service.name, service.price, service.duration, None)
        yield from _figures(service.description or "", None, frozenset({service.name}), frozenset())
        for special in service.overrides:
            yield from terms(service.name, special.price, special.duration, special.master)


@lru_cache(maxsize=4096)
def _of_text(text: str, services: frozenset[str], staff: frozenset[str]) -> tuple[Fact, ...]:
    """Take free words apart: a figure is said of what its sentence names.

    What a company says of itself is the same in every turn.
    """
    facts: list[Fact] = []
    for sentence in sentences(plain(text)):
        named = _all_names(find_mentions(sentence.text, services))
        people = _all_names(find_mentions(sentence.text, staff, people=True))
        facts += _figures(sentence.text, None, named, people)
    return tuple(facts)


def _of_result(response: Mapping[str, Any], services: frozenset[str], staff: frozenset[str]) -> Iterator[Fact]:
    """Take a tool's answer apart: what stands in one object belongs together."""
    for node in _nodes(response):
        name = node.get("name") if "staff_id" not in node else None
        named = _listed(node.get("service")) | ({name} if isinstance(name, str) else set())
        people = _listed(node.get("staff"))
        if isinstance(minutes := node.get("duration_min"), int):
            yield Fact(kind=Kind.LENGTH, value=str(minutes), services=frozenset(named), staff=frozenset(people))
        for key, value in node.items():
            if isinstance(value, str) and key not in ("service", "staff", "name"):
                yield from _figures(value, None, frozenset(named), frozenset(people))
            elif isinstance(value, list):
                for text in value:
                    if isinstance(text, str):
                        yield from _of_text(text, services, staff)


@lru_cache(maxsize=4096)
def _figures(text: str, kind: Kind | None, services: frozenset[str], staff: frozenset[str]) -> tuple[Fact, ...]:
    return tuple(
        Fact(kind=figure.kind, value=figure.value, services=services, staff=staff)
        for figure in find_figures(plain(text))
        if figure.value and kind in (None, figure.kind)
    )


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _listed(value: Any) -> set[str]:
    return {part.strip() for part in value.split(",") if part.strip()} if isinstance(value, str) else set()


def _all_names(mentions: Collection[Any]) -> frozenset[str]:
    return frozenset(name for one in mentions for name in one.names)


def _moment(node: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{node['date']}T{node['time']}")
    except (KeyError, TypeError, ValueError):
        return None
