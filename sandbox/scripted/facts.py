"""What the scripted model knows of the company: only what stands in the system instruction."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.scripted.words import count_alike, features

_SECTION = re.compile(r"^===\s*(?P<title>.+?)\s*===\s*$", re.MULTILINE)
_ENTRY = re.compile(r"^•\s*(?P<line>(?P<name>[^:\n]+?)(?::\s*.*)?)$", re.MULTILINE)
_NOW = re.compile(r"^Дата и время:\s*(?P<day>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d)", re.MULTILINE)
_LANGUAGE = re.compile(r"^Язык клиента:\s*(?P<code>[a-z]{2})", re.MULTILINE)
_CURRENCY = re.compile(r"\(\D*\d[\d\s.,–-]*(?P<unit>[^\d\s().]+\.?)\)")
# A policy is a line "topic: text", a question's answer stands below it; both may go on over further lines.
_POLICY = re.compile(r"^(?:•\s*)?(?P<topic>[^:\n]{1,80}?):[ \t]*(?P<text>\S.*)$")
_QUESTION = re.compile(r"^[—–-]\s+(?P<topic>\S.*)$")
# Words that any question may hold, so that they tell no topic apart.
_ASKING = features("как где когда кто что зачем почему прийти приходить бывает делать how where when who what why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The company block, taken apart; a line that is not there is None or empty."""

    company: str | None
    hours: str | None
    address: str | None
    phone: str | None
    services: tuple[tuple[str, str], ...]  # name, whole line
    products: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, str], ...]  # topic or question, the company's own words on it
    currency: str | None
    language: str | None
    usual: str | None
    """What the client usually has done and by whom, or had the last time."""
    now: datetime


def read_facts(prompt: str, fallback: datetime) -> Facts:
    """Take the system instruction apart; fallback is the moment when it does not tell one."""
    sections = _sections(prompt)
    contacts = sections.get("КОНТАКТНАЯ ИНФОРМАЦИЯ", "")
    currency = _CURRENCY.search(sections.get("НАШИ УСЛУГИ", ""))
    language = _LANGUAGE.search(prompt)
    return Facts(
        company=_line(sections.get("ИНФОРМАЦИЯ О КОМПАНИИ", ""), "Название"),
        hours=_line(contacts, "Часы работы"),
        address=_line(contacts, "Адрес"),
        phone=_line(contacts, "Телефон"),
        services=_entries(sections.get("НАШИ УСЛУГИ", "")),
        products=_entries(sections.get("НАШИ ТОВАРЫ", "")),
        # Other sections are orders to the model, which are not for clients' eyes.
        answers=(
            *_answers(sections.get("ЧАСТЫЕ ВОПРОСЫ", ""), _QUESTION),
            *_answers(sections.get("ПРАВИЛА КОМПАНИИ", ""), _POLICY),
        ),
        currency=currency["unit"] if currency else None,
        language=language["code"] if language else None,
        usual=_usual(prompt),
        now=_now(prompt, fallback),
    )


def find_answer(facts: Facts, question: str) -> str | None:
    """Return the company's own words on the topic of a question: the one that it names best, and at least by half."""
    asked = features(question) - _ASKING
    best: tuple[float, str | None] = (0.0, None)
    for topic, words in facts.answers:
        told = features(topic) - _ASKING
        share = count_alike(asked, told) / len(told) if told else 0.0
        if share >= 0.5 and share > best[0]:
            best = (share, words)
    return best[1]


def _usual(prompt: str) -> str | None:
    usual, past = _line(prompt, "Обычно"), _line(prompt, "Прошлые визиты")
    last = re.sub(r"^\d{4}-\d\d-\d\d\s*", "", past.split(";")[-1].strip()) if past else None
    told = usual or last
    return told.replace("|", " ") if told else None


def _sections(prompt: str) -> dict[str, str]:
    titles = list(_SECTION.finditer(prompt))
    ends = [*(one.start() for one in titles), len(prompt)][1:]
    return {one["title"]: prompt[one.end() : end] for one, end in zip(titles, ends, strict=False)}


def _line(section: str, label: str) -> str | None:
    match = re.search(rf"^{label}:\s*(.+?)\s*$", section, re.MULTILINE)
    return match[1] if match else None


def _entries(section: str) -> tuple[tuple[str, str], ...]:
    return tuple((match["name"].strip(), match["line"].strip()) for match in _ENTRY.finditer(section))


def _answers(section: str, heading: re.Pattern[str]) -> list[tuple[str, str]]:
    """Take a section apart at its headings; what follows one is its answer."""
    found: list[tuple[str, list[str]]] = []
    for line in section.splitlines():
        if match := heading.match(line):
            found.append((match["topic"].strip(), [match.groupdict().get("text") or ""]))
        elif found:
            found[-1][1].append(line.strip())
    answers = ((topic, "\n".join(line for line in lines if line)) for topic, lines in found)
    return [(topic, words) for topic, words in answers if words]


def _now(prompt: str, fallback: datetime) -> datetime:
    # The last such line counts: the prompt's tail carries it, and a company's own text may quote one before.
    found = list(_NOW.finditer(prompt))
    if not found:
        return fallback
    try:
        return datetime.fromisoformat(f"{found[-1]['day']}T{found[-1]['time']}").replace(tzinfo=UTC)
    except ValueError:
        return fallback
