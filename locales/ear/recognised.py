"""What speech recognition wrote down, understood: digits in figures or words, and which of several options is meant."""

from __future__ import annotations

import re
from functools import cache

from locales.ear.numbers import cardinal
from locales.ear.tables import Tables

_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_HUNDRED = 100


def digits_in(spoken: str, table: Tables) -> str:
    """Return the digits that were said one by one, in pairs or in hundreds: "двенадцать тридцать четыре" is "1234"."""
    values = _values(table.one("numbers"), tuple(table.raw["heard"]["words"].items()))
    found: list[str] = []
    group, room = 0, 0
    for token in _tokens(spoken):
        value = values.get(token)
        if token.isdecimal() or value is None or value >= room or value == 0:
            # Another number begins: what comes is no part of the hundreds or tens before it.
            found += [str(group)] if group else []
            group, room = 0, 0
        if token.isdecimal():
            found.append(token)
        elif value == 0:
            found.append("0")
        elif value is not None:
            group += value
            room = _room_after(value, table)
    return "".join([*found, *([str(group)] if group else [])])


def option_in(spoken: str, table: Tables) -> int | None:
    """Return which option the words choose, from 1 on; None where they choose none, or say more than that."""
    heard = table.raw["heard"]
    chosen: set[int] = set()
    for token in _tokens(spoken):
        if token in heard["beside_ordinals"]:
            continue
        place = _place(token, tuple(heard["ordinal_stems"]), tuple(heard["ordinal_endings"]))
        if place is None:
            return None
        chosen.add(place)
    return chosen.pop() if len(chosen) == 1 else None


def _place(token: str, stems: tuple[str, ...], endings: tuple[str, ...]) -> int | None:
    for place, stem in enumerate(stems, start=1):
        if token.startswith(stem) and token[len(stem) :] in endings:
            return place
    return None


def _tokens(spoken: str) -> list[str]:
    return [part for token in _TOKEN.findall(spoken.casefold()) for part in token.split("-")]


def _room_after(value: int, table: Tables) -> int:
    """Return below which value the next word still belongs to the same number."""
    if value >= _HUNDRED:
        return _HUNDRED
    # "Он екі" is twelve; elsewhere the numbers from eleven on have words of their own.
    first_ten = 10 if table.one("numbers") == "kz" else 20
    return 10 if value >= first_ten and value % 10 == 0 else 0


@cache
def _values(code: str, also: tuple[tuple[str, int], ...]) -> dict[str, int]:
    table = Tables(raw={"numbers": code}, currencies=(), units=(), common_names=frozenset())
    single = [*range(20), *range(20, 100, 10), *range(100, 1000, 100)]
    words = {cardinal(number, table): number for number in single}
    return {word.casefold(): number for word, number in words.items() if " " not in word} | dict(also)
