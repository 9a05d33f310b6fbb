"""Numbers as words: num2words with what a telephone voice wants of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from num2words import num2words

from locales.ear.tables import Noun, Tables

_MOST_DIGITS = 12
"""A longer figure is no amount: it is read digit by digit."""


def cardinal(number: int, table: Tables, *, gender: str = "m", genitive: bool = False) -> str:
    """Say a whole number."""
    code = table.one("numbers")
    if code == "ru":
        said = _words(number, code, case="g" if genitive else "n", gender=gender)
        # A thousand is said without its "one".
        for with_one, without in (("одна тысяча", "тысяча"), ("одной тысячи", "тысячи")):
            if said.startswith(with_one):
                return without + said[len(with_one) :]
        return said
    said = _words(number, code)
    if code == "kz":
        return said.strip()
    return said.replace(",", "").replace(" and ", " ")


@lru_cache(maxsize=4096)
def _words(number: float, code: str, **how: Any) -> str:
    """Ask num2words, which takes a tenth of a millisecond and more."""
    return str(num2words(number, lang=code, **how))


def ordinal(number: int, table: Tables) -> str:
    """Say a day of the month, or a year, as it stands in a date."""
    code = table.one("numbers")
    listed = table.words("plain_ordinals")
    if listed:
        return listed[number] if number < len(listed) else cardinal(number, table)
    if code == "ru":
        return _words(number, code, to="ordinal", case="g")
    return _words(number, code, to="ordinal")


def figure(written: str, table: Tables, *, gender: str = "m", genitive: bool = False) -> str:
    """Say a figure as it is written: "1 500", "007", "3,5"."""
    digits = "".join(character for character in written if character.isdigit())
    whole, mark, rest = _parts(written)
    if mark and rest.strip("0"):
        return _decimal(whole, rest, table)
    digits = whole if mark else digits
    if len(digits) > _MOST_DIGITS or (digits.startswith("0") and len(digits) > 1):
        return _one_by_one(digits, table)
    return cardinal(int(digits), table, gender=gender, genitive=genitive)


def whole_of(written: str) -> int:
    """Return the whole part of a figure."""
    return int(_parts(written)[0] or 0)


def has_fraction(written: str) -> bool:
    return bool(_parts(written)[2].strip("0"))


def counted(written: str, noun: Noun, table: Tables, *, genitive: bool = False) -> str:
    """Say a figure with what it counts."""
    said = figure(written, table, gender=noun.gender, genitive=genitive)
    number = whole_of(written)
    return f"{said} {noun.genitive_after(number) if genitive else noun.after(number)}"


def _parts(written: str) -> tuple[str, str, str]:
    """Return the whole part, the mark and the fraction: two digits or fewer after a last point or comma."""
    plain = "".join(character for character in written if character.isdigit() or character in ".,")
    for mark in ".,":
        whole, found, rest = plain.rpartition(mark)
        if found and len(rest) <= 2 and whole:
            return "".join(filter(str.isdigit, whole)), mark, rest
    return "".join(filter(str.isdigit, plain)), "", ""


def _decimal(whole: str, rest: str, table: Tables) -> str:
    code = table.one("numbers")
    if code == "kz" or len(whole) > _MOST_DIGITS:
        return f"{_one_by_one(whole, table)}, {_one_by_one(rest, table)}"
    return _words(float(f"{whole}.{rest}"), code).replace(",", "")


def _one_by_one(digits: str, table: Tables) -> str:
    return " ".join(cardinal(int(digit), table) for digit in digits if digit.isdigit())
