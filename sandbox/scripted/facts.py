"""What the scripted model knows of the company: only what stands in the system instruction."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.scripted.words import features

_SECTION = re.compile(r"^===\s*(?P<title>.+?)\s*===\s*$", re.MULTILINE)
_ENTRY = re.compile(r"^•\s*(?P<line>(?P<name>[^:\n]+?)(?::\s*.*)?)$", re.MULTILINE)
_NOW = re.compile(r"^Дата и время:\s*(?P<day>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d)", re.MULTILINE)
_LANGUAGE = re.compile(r"^Язык клиента:\s*(?P<code>[a-z]{2})", re.MULTILINE)
_CURRENCY = re.compile(r"\(\D*\d[\d\s.,–-]*(?P<unit>[^\d\s().]+\.?)\)")
# Other sections may be orders to the model, which are not for clients' eyes.
_ANSWERS = re.compile(r"вопрос|услови|политик|faq|question|polic", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The company block, taken apart; a line that is not there is None or empty."""

    company: str | None
    hours: str | None
    address: str | None
    phone: str | None
    services: tuple[tuple[str, str], ...]  # name, whole line
    products: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, str], ...]  # further "• topic: text" lines, questions and policies
    currency: str | None
    language: str | None
    now: datetime


def read_facts(prompt: str, fallback: datetime) -> Facts:
    """Take the system instruction apart; fallback is the moment when it does not tell one."""
    sections = _sections(prompt)
    contacts = sections.get("КОНТАКТНАЯ ИНФОРМАЦИЯ", "")
    others = "\n".join(text for title, text in sections.items() if _ANSWERS.search(title))
    currency = _CURRENCY.search(sections.get("НАШИ УСЛУГИ", ""))
    language = _LANGUAGE.search(prompt)
    return Facts(
        company=_line(sections.get("ИНФОРМАЦИЯ О КОМПАНИИ", ""), "Название"),
        hours=_line(contacts, "Часы работы"),
        address=_line(contacts, "Адрес"),
        phone=_line(contacts, "Телефон"),
        services=_entries(sections.get("НАШИ УСЛУГИ", "")),
        products=_entries(sections.get("НАШИ ТОВАРЫ", "")),
        answers=tuple(one for one in _entries(others) if ":" in one[1]),
        currency=currency["unit"] if currency else None,
        language=language["code"] if language else None,
        now=_now(prompt, fallback),
    )


def find_answer(facts: Facts, question: str) -> str | None:
    """Return the company's own line on the topic of a question: the one whose topic shares most words with it."""
    asked = features(question)
    scored = [(len(features(topic) & asked), line) for topic, line in facts.answers]
    best = max(scored, default=(0, ""), key=lambda one: one[0])
    return best[1].partition(":")[2].strip() if best[0] else None


def _sections(prompt: str) -> dict[str, str]:
    titles = list(_SECTION.finditer(prompt))
    ends = [*(one.start() for one in titles), len(prompt)][1:]
    return {one["title"]: prompt[one.end() : end] for one, end in zip(titles, ends, strict=False)}


def _line(section: str, label: str) -> str | None:
    match = re.search(rf"^{label}:\s*(.+?)\s*$", section, re.MULTILINE)
    return match[1] if match else None


def _entries(section: str) -> tuple[tuple[str, str], ...]:
    return tuple((match["name"].strip(), match["line"].strip()) for match in _ENTRY.finditer(section))


def _now(prompt: str, fallback: datetime) -> datetime:
    # The last such line counts: the prompt's tail carries it, and a company's own text may quote one before.
    found = list(_NOW.finditer(prompt))
    if not found:
        return fallback
    try:
        return datetime.fromisoformat(f"{found[-1]['day']}T{found[-1]['time']}").replace(tzinfo=UTC)
    except ValueError:
        return fallback
