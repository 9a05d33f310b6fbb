"""Figures in a text: money, lengths of time, times of day, percentages. What they are said of is evidence.py's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# Thousands stand apart by a space, in English by a comma.
_NUMBER = r"\d{1,3}(?:[ ,]\d{3})+(?!\d)|\d+"
_CENTS = r"(?:[.,]\d{1,2}(?!\d))?"
# Every currency that there is a word for, as people write it; before another word, "gel" is what nails are
# done with.
_CURRENCY = (
    r"(?:руб|₽|р\.|р\b|rub|те[нң]ге|тг\b|₸|kzt|tenge|долл|\$|usd|dollar|buck|евро|еуро|€|eur|бел\. ?руб|беларус|byn"
    r"|br\b|gel\b(?!\s+[a-z])|сум\b|сўм|uzs|сом\b|kgs|грн|гривн|₴|uah|лари\b|₾|драм|֏|amd)"
)
_THOUSANDS = r"(?:тыс(?:яч[аиу]?)?\.?|к\b|k\b|мың)"
_MONEY = re.compile(rf"({_NUMBER}){_CENTS}\s*{_CURRENCY}")
_MONEY_RANGE = re.compile(rf"({_NUMBER}){_CENTS}\s*(?:-|–|—|до|to|and)\s*(?:{_NUMBER}){_CENTS}\s*{_CURRENCY}")
_MONEY_BEFORE = re.compile(rf"(?:\$|€|₽|₸|rub|usd|eur|kzt)\s*({_NUMBER})")
_MONEY_THOUSANDS = re.compile(rf"(\d+(?:[.,]\d+)?)\s*{_THOUSANDS}(?:\s*{_CURRENCY})?")
_MONEY_IN_WORDS = re.compile(
    r"\b(?:сто|двести|триста|четыреста|пятьсот|\w+сот|\w*тысяч\w*|полтор\w+|тыщ\w*|hundred|thousand|grand|жүз|мың)\s+"
    rf"(?:\w+\s+){{0,3}}?{_CURRENCY}"
)
_BARE_PRICE = re.compile(
    r"(?:стоит|стоят|стоимость|цена|обойдется|выйдет|costs?|price(?: is)?|тұрады|бағасы)\W+"
    r"(?:(?:всего|около|примерно|от|до|только|just|only|about|from|is|is only)\W+){0,2}"
    rf"({_NUMBER})(?![\d:.,]*\d)(?!\s*(?:мин|min|час|hour|сағат|%|проц|дн|day|км))"
)
_MINUTES = re.compile(r"(\d+)\s*(?:-\s*)?(?:мин|min)")
_HOURS = re.compile(r"(\d+(?:[.,]5)?)\s*(?:-\s*)?(?:час|hour|са[гғ]ат|ч\b|h\b)(?!\w*\s*(?:дня|утра|вечера|ночи))")
_HOURS_IN_WORDS = re.compile(r"\b(полчаса|полтора часа|half an hour|an hour and a half)\b")
_IN_WORDS = {"полчаса": 30, "полтора часа": 90, "half an hour": 30, "an hour and a half": 90}
_PERCENT = re.compile(r"(\d+)\s*(?:%|процент|percent|пайыз)")
_TIME = re.compile(r"(?<![\d.:])([01]?\d|2[0-3])[:.]([0-5]\d)(?![\d.:]|\s*(?:%|руб|₽|₸|тенге))")
_TIME_HALF_DAY = re.compile(r"(?<![\d.:])(1[0-2]|[1-9])(?::([0-5]\d))?\s*(am|pm|a\.m|p\.m)\b")
_TIME_OF_HOURS = re.compile(
    r"\b(?:в|к|на|at|сағат)\s+([01]?\d|2[0-3])\s*(?:часов|часа|час|ч\b|o’clock)(?:\s+(утра|дня|вечера))?"
)
# Phones, dates and times of day hold numbers that are no price, length or share of anything.
_NO_AMOUNT = re.compile(
    r"\+\d[\d ()-]{8,}\d|\d?[ -]?\(\d{3,4}\)[\d -]{7,}|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}:\d{2}\b(?:-\d{1,2}:\d{2}\b)?"
)


class Kind(StrEnum):
    MONEY = "money"
    """Whole units, as digits."""
    LENGTH = "length"
    """Minutes, as digits."""
    PERCENT = "percent"
    TIME = "time"
    """Of day, HH:MM."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, where it stands, and how it was written. An empty `value` cannot be looked up: it was in words."""

    kind: Kind
    value: str
    at: int
    written: str


def find_figures(text: str) -> tuple[Figure, ...]:
    """Return the figures of plain text in their order, each once."""
    found = {(one.kind, one.value, one.at): one for one in _all(text)}
    return tuple(sorted(found.values(), key=lambda one: one.at))


def percents(text: str) -> tuple[str, ...]:
    return tuple(match[1] for match in _PERCENT.finditer(text))


def _all(text: str) -> Iterator[Figure]:
    sums = _NO_AMOUNT.sub(lambda match: " " * len(match.group()), text)
    for pattern in (_MONEY, _MONEY_RANGE, _MONEY_BEFORE, _BARE_PRICE):
        for match in pattern.finditer(sums):
            if not _is_thousands(sums, match.end(1)):
                yield Figure(Kind.MONEY, _digits(match[1]), match.start(1), match.group())
    for match in _MONEY_THOUSANDS.finditer(sums):
        amount = round(float(match[1].replace(",", ".")) * 1000)
        yield Figure(Kind.MONEY, str(amount), match.start(1), match.group())
    for match in _MONEY_IN_WORDS.finditer(text):
        yield Figure(Kind.MONEY, "", match.start(), match.group())
    for match in _MINUTES.finditer(sums):
        yield Figure(Kind.LENGTH, str(int(match[1])), match.start(), match.group())
    times = list(_times(text))
    taken = {one.at for one in times}
    for match in _HOURS.finditer(sums):
        if match.start(1) not in taken:
            minutes = round(float(match[1].replace(",", ".")) * 60)
            yield Figure(Kind.LENGTH, str(minutes), match.start(), match.group())
    for match in _HOURS_IN_WORDS.finditer(text):
        yield Figure(Kind.LENGTH, str(_IN_WORDS[match[1]]), match.start(), match.group())
    for match in _PERCENT.finditer(text):
        yield Figure(Kind.PERCENT, match[1], match.start(), match.group())
    yield from times


def _times(text: str) -> Iterator[Figure]:
    halves = list(_TIME_HALF_DAY.finditer(text))
    for match in halves:
        hour = int(match[1]) % 12 + (12 if match[3].startswith("p") else 0)
        yield Figure(Kind.TIME, f"{hour:02}:{match[2] or '00'}", match.start(1), match.group())
    covered = {match.start(1) for match in halves}
    for match in _TIME.finditer(text):
        if match.start() not in covered:
            yield Figure(Kind.TIME, f"{int(match[1]):02}:{match[2]}", match.start(), match.group())
    for match in _TIME_OF_HOURS.finditer(text):
        hour = int(match[1]) + (12 if match[2] in ("дня", "вечера") and int(match[1]) < 12 else 0)
        yield Figure(Kind.TIME, f"{hour:02}:00", match.start(1), match.group())


def _is_thousands(text: str, end: int) -> bool:
    return re.match(rf"(?:[.,]\d+)?\s*{_THOUSANDS}", text[end:]) is not None


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)
