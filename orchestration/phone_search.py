"""Where phone numbers stand in a text. The library's own search takes 0.1 ms and more for any text with digits in it,
and tools tell hundreds of those a turn: prices, times, ids. What cannot hold a number is told apart first."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

REGION = "RU"
"""How a number without its country's code is read."""
FEWEST_WITH_PLUS = 6
"""Digits of the shortest number of any country, with its code (Austria's +43 1110)."""
FEWEST = 9
"""Digits of the shortest that has no plus: 810 and the shortest of another country; a national one has ten."""
# What the library lets stand between the digits of one number, and blanks, which `_UNPLANNED` takes too.
_BETWEEN = (
    r"[-xX\u2010-\u2015\u2212\u30fc\uff0d-\uff0f\u00a0\u00ad\u200b\u2060\u3000()\uff08\uff09\uff3b\uff3d.\[\]/~\u2053"
    r"\u223c\uff5e+\uff0b\s]*"
)
_MAY_BE = re.compile(rf"\d(?:{_BETWEEN}\d){{{FEWEST - 1}}}|[+\uff0b](?:{_BETWEEN}\d){{{FEWEST_WITH_PLUS}}}")
_UNPLANNED = re.compile(r"(?<![\w+])(?:\+\d|8)(?:[\s().-]{0,2}\d){9,13}(?!\d)")
"""Digits that are written as a phone number and stand in no numbering plan."""
_DIGIT, _FEWEST_DIGITS = re.compile(r"\d"), 7
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?")
"""What tools tell by the dozen, and what takes the search for phones longest to find none in."""
_SHORT = 100
"""Ids and numbers come again in every round; longer texts are somebody's words: nobody fills memory by them."""


def may_hold_phone(text: str) -> bool:
    """Say whether the library would have anything to look at in a text; False is certain."""
    return _MAY_BE.search(text) is not None


def phones_in(text: str) -> list[tuple[int, int]]:
    """Return where phone numbers stand, in order."""
    if not may_hold_phone(text):
        return []
    return list(_in_short(text)) if len(text) <= _SHORT else search(text)


def search(text: str) -> list[tuple[int, int]]:
    """Look at every digit: what `phones_in` finds, without its short ways."""
    if len(_DIGIT.findall(text)) < _FEWEST_DIGITS or _MOMENT.fullmatch(text):
        return []
    found = [(match.start, match.end) for match in phonenumbers.PhoneNumberMatcher(text, REGION)]
    for match in _UNPLANNED.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in found):
            found.append(match.span())
    return sorted(found)


@lru_cache(maxsize=4096)
def _in_short(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(search(text))
