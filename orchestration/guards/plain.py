"""Text as the guards read it: small letters, one apostrophe, one kind of space; and its sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_APOSTROPHES = str.maketrans({"'": "’", "`": "’", "ʼ": "’", "ё": "е", "\u00a0": " ", "\u202f": " "})
# A point inside of a number or after a short form ends nothing.
_SHORT = re.compile(
    r"\b(?:руб|бел|р|ул|д|г|мин|ч|тыс|тг|пр|стр|корп|кв|т|e\.g|i\.e|dr|mr|mrs|ms|st|a\.m|p\.m|min|approx)\.$"
)
_ENDS = re.compile(r"[.!?…]+(?=\s|$)|\n+|;|•")


_ORDINARY = 0x3000
"""Below it lie the alphabets that clients write in. Others are looked up each time: a client could fill memory."""


class _Alike(dict[int, str]):
    """What each character is read as, found once: texts are read far more often than there are characters."""

    def __missing__(self, code: int) -> str:
        alike = _alike(chr(code)).translate(_APOSTROPHES)
        if code < _ORDINARY:
            self[code] = alike
        return alike


def plain(text: str) -> str:
    """Return the text for patterns; its length stays, so that places in it are places in the text."""
    return text.translate(_ALIKE)


def _alike(character: str) -> str:
    """Read alike what is drawn alike, but only where one character stays one."""
    if unicodedata.category(character) == "Cf":
        return " "
    one = unicodedata.normalize("NFKC", character).lower()
    return one if len(one) == 1 else character


_ALIKE = _Alike()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of plain text, what ended it, and where it begins."""

    text: str
    end: str
    start: int

    @property
    def asks(self) -> bool:
        return "?" in self.end


def sentences(text: str) -> Iterator[Sentence]:
    """Cut plain text into sentences; lines and list items are some too."""
    start = 0
    for end in _ENDS.finditer(text):
        if _SHORT.search(text[start : end.start() + 1]) and end.group().startswith("."):
            continue
        if text[start : end.start()].strip():
            yield Sentence(text[start : end.start()], end.group(), start)
        start = end.end()
    if text[start:].strip():
        yield Sentence(text[start:], "", start)
