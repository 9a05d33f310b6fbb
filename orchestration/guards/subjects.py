"""What a sentence speaks of: which services or products, which masters. Endings differ, stems do not."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from orchestration.guards.plain import plain

_WORD = re.compile(r"\w+")
_CLAUSE = re.compile(r"[,;—–]|:(?!\d)|\s-\s|\b(?:а|но|and|but|ал)\b")
_LATIN = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфцыэіәөүұғқңһ", "abvgdeziiklmnoprstufcyeiaouugknh", strict=True))
    | {"ж": "zh", "х": "kh", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "yu", "я": "ya", "ъ": "", "ь": ""}
)


@dataclass(frozen=True, slots=True)
class Mention:
    """Names that a place in a text may mean; more than one where the words fit several."""

    names: frozenset[str]
    at: int


def find_mentions(text: str, names: Collection[str], *, people: bool = False) -> tuple[Mention, ...]:
    """Return where plain text speaks of one of the names. `people`: a first or a last name alone is one."""
    stems = _stems_of(tuple(sorted(names)), people)
    mentions: list[Mention] = []
    last_end = -2
    for word in _WORD.finditer(text):
        meant = frozenset(name for stem, name in stems if _begins(word.group(), stem, people))
        if not meant:
            continue
        both = mentions[-1].names & meant if mentions and word.start() - last_end <= 1 else frozenset()
        if both:
            mentions[-1] = Mention(both, mentions[-1].at)
        else:
            mentions.append(Mention(meant, word.start()))
        last_end = word.end()
    return tuple(mentions)


def nearest(mentions: Collection[Mention], text: str, at: int, before: frozenset[str]) -> tuple[frozenset[str], ...]:
    """Return what a figure at this place may be about: what was named last before it, and what its clause names after.

    `before`: what the sentences before were about; it counts where this one has named nothing yet.
    """
    earlier = [one.names for one in mentions if one.at < at]
    ahead = _CLAUSE.search(text, at)
    end = ahead.start() if ahead else len(text)
    later = [one.names for one in mentions if at < one.at < end]
    return (earlier[-1] if earlier else before, *later[:1])


def clause_at(text: str, at: int) -> str:
    """Return the clause that a place lies in."""
    ends = [match.start() for match in _CLAUSE.finditer(text)]
    start = max((end for end in ends if end <= at), default=0)
    return text[start : min((end for end in ends if end > at), default=len(text))]


@lru_cache(maxsize=1024)
def _stems_of(names: tuple[str, ...], people: bool) -> tuple[tuple[str, str], ...]:
    found = []
    for name in names:
        for word in _WORD.findall(plain(name)):
            if len(word) < 3 or word.isdecimal():
                continue
            stem = _name_stem(word) if people else word[: max(4, len(word) - 3)]
            found.append((stem, name))
            if people:
                found.append((in_latin(stem), name))
    return tuple(found)


def _name_stem(word: str) -> str:
    return word[:-1] if word[-1] in "аяйьоеиaeiouy" and len(word) > 3 else word


def _begins(word: str, stem: str, people: bool) -> bool:
    # A name takes an ending of a few letters; "Анна" is no beginning of "Аннулировать".
    return word.startswith(stem) and (not people or len(word) <= len(stem) + 4)


def in_latin(text: str) -> str:
    """Return lower-case Cyrillic as people write it in Latin letters."""
    return text if text.isascii() else text.translate(_LATIN)
