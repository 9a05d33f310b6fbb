"""The tables of a language: how signs and figures are read, how spoken ones are understood."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_DEFAULT = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """A counted thing: with one, with a few, with many (as Slavic languages have it), and its gender."""

    one: str
    few: str
    many: str
    gender: str = "m"

    def after(self, number: int) -> str:
        """Return the form that follows a number in the nominative."""
        last, two = number % 10, number % 100
        if last == 1 and two != 11:
            return self.one
        return self.few if 2 <= last <= 4 and not 12 <= two <= 14 else self.many

    def genitive_after(self, number: int) -> str:
        """Return the form that follows a number in the genitive."""
        return self.few if number % 10 == 1 and number % 100 != 11 else self.many


@dataclass(frozen=True, slots=True)
class Tables:
    """One language's file."""

    raw: dict[str, Any]
    currencies: tuple[tuple[re.Pattern[str], Noun], ...]
    units: tuple[tuple[re.Pattern[str], Noun], ...]
    common_names: frozenset[str]

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list of words."""
        return tuple(self.raw[name])

    def one(self, name: str) -> str:
        return str(self.raw[name])

    def noun(self, name: str) -> Noun:
        return Noun(one=self.raw[name][0], few=self.raw[name][1], many=self.raw[name][2])


@cache
def tables(language: str) -> Tables:
    """Read a language's tables; the default's where there are none."""
    path = _HERE / f"{language}.toml"
    raw = tomllib.loads((path if path.exists() else _HERE / f"{_DEFAULT}.toml").read_text(encoding="utf-8"))
    return Tables(
        raw=raw,
        currencies=tuple(_nouns(raw["currencies"])),
        units=tuple(_nouns(raw["units"])),
        common_names=frozenset(raw["names"]["common"].split()),
    )


def _nouns(listed: dict[str, list[str]]) -> list[tuple[re.Pattern[str], Noun]]:
    return [
        (re.compile(rf"(?:{written})\Z", re.IGNORECASE), Noun(one=one, few=few, many=many, gender=gender))
        for written, (one, few, many, gender) in listed.items()
    ]
