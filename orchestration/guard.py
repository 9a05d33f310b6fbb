"""What may leave: a figure that the company's information and the CRM did not give does not.

Prices, durations and percentages must stand in the prompt or in tool results; times may also be the client's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Thousands stand apart by a space, in English by a comma.
_NUMBER = r"\d{1,3}(?:[ \u00a0\u202f,]\d{3})+(?!\d)|\d+"
# Every currency that there is a word for, as people write it; "gel" in small letters is what nails are done with.
_CURRENCY = (
    r"(?:руб|₽|р\.|р\b|rub|те[нң]ге|тг\b|₸|kzt|tenge|долл|\$|usd|dollar|евро|еуро|€|eur|бел\. ?руб|беларус|byn|br\b"
    r"|сум\b|сўм|uzs|сом\b|kgs|грн|гривн|₴|uah|лари\b|₾|(?-i:GEL)\b|драм|֏|amd)"
)
_MONEY = re.compile(rf"({_NUMBER})(?:[.,]\d{{1,2}})?\s*{_CURRENCY}", re.IGNORECASE)
_MONEY_RANGE = re.compile(rf"({_NUMBER})\s*(?:-|–|—|до|to)\s*(?:{_NUMBER})\s*{_CURRENCY}", re.IGNORECASE)
_MONEY_BEFORE = re.compile(rf"(?:\$|€|₽|₸|rub|usd|eur|kzt)\s*({_NUMBER})", re.IGNORECASE)
_MINUTES = re.compile(r"(\d+)\s*(?:мин|min)", re.IGNORECASE)
_HOURS = re.compile(r"(\d+(?:[.,]5)?)\s*(?:час|hour|са[гғ]ат|ч\b|h\b)", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+)\s*(?:%|процент|percent|пайыз)", re.IGNORECASE)
_TIME = re.compile(r"(?<![\d.:])([01]?\d|2[0-3])[:.]([0-5]\d)(?![\d.:])")
# Phones, dates and times of day hold numbers that are no price, length or share of anything.
_NO_AMOUNT = re.compile(
    r"\+\d[\d ()-]{8,}\d|\d?[ -]?\(\d{3,4}\)[\d -]{7,}|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}:\d{2}\b(?:-\d{1,2}:\d{2}\b)?"
)
_INTEGER = re.compile(rf"(?<!\d)({_NUMBER})(?!\d)")


def unknown_figures(reply: str, *, facts: Iterable[str], client_words: str) -> tuple[str, ...]:
    """Return the figures of a reply that neither the facts nor, for times, the client's own words contain."""
    known_text = "\n".join(facts)
    numbers = {_plain(found) for found in _INTEGER.findall(_NO_AMOUNT.sub(" ", known_text))}
    times = _times(known_text) | _times(client_words)
    unknown = [
        *(found for found in _money(reply) if _plain(found) not in numbers),
        *(f"{found} мин" for found in _MINUTES.findall(reply) if _plain(found) not in numbers),
        *(f"{found} ч" for found in _HOURS.findall(reply) if not _hours_known(found, numbers)),
        *(f"{found} %" for found in _PERCENT.findall(reply) if _plain(found) not in numbers),
        *(f"{hours}:{minutes:02}" for hours, minutes in sorted(_times(reply) - times)),
    ]
    return tuple(dict.fromkeys(unknown))


def _money(text: str) -> list[str]:
    return [*_MONEY.findall(text), *_MONEY_RANGE.findall(text), *_MONEY_BEFORE.findall(text)]


def _times(text: str) -> set[tuple[int, int]]:
    return {(int(hours), int(minutes)) for hours, minutes in _TIME.findall(text)}


def _plain(number: str) -> str:
    return re.sub(r"\D", "", number)


def _hours_known(hours: str, numbers: set[str]) -> bool:
    """An hour count is known as such, or as that many minutes."""
    minutes = str(round(float(hours.replace(",", ".")) * 60))
    return hours in numbers or minutes in numbers
