"""Inputs near to valid ones: what was recorded, changed at one or a few places, or written down in an odd way."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote_plus

from hypothesis import strategies as st

CLIENT = 77_000_000_077
"""Stands for the number of the client whose dialogue an input is meant for."""
NUMBER = 8_800_000_088
"""Stands for a number of the input's own: an update's, a message's."""

T = TypeVar("T")
_ENCODINGS = ("utf-8",) * 12 + ("utf-16", "utf-8-sig", "latin-1")
_DAMAGES = ("no",) * 16 + ("cut", "more", "flip", "twice")
_WORDS = st.text(alphabet=st.characters(exclude_categories=()), max_size=12)
_ODD: Sequence[Any] = (
    None, True, False, 0, -1, 1.5, -0.0, 1e308, float("nan"), float("inf"), 2**31, 2**53, 2**63, -(2**63), 2**64,
    10**20, 10**300, 10**3000, 10**4200, "", " ", "\x00", "a\x00b", "\ud800", "x\udfffy", "\ufeff", "\u202e", "\r\n",
    "\u2028", "\x1b[0m", "0", "-1", "007", "1e5", "²", "٣٤", "NaN", "null", "{}", "/start", "/start\x00", "/delete_me",
    "да", "нет", "2026-13-01", "99999999999999", "x" * 300, "я" * 5000, "👩‍👩‍👧" * 50, "../../etc/passwd",
    "' OR 1=1 --", "<b>&amp;", "%00", "%s%n", [], {}, [[]], [None], {"": ""}, {"id": None}, [{}] * 3,
)  # fmt: skip
_TEXTS: Sequence[str] = (
    "Хочу постричься", "записаться", "/book", "/my", "/person", "/language", "/help", "/start x", "да", "нет", "Анна",
    "завтра в 15:00", "+7 916 000-00-01", "2", "👍", "сколько стоит?",
)  # fmt: skip
_DEEP = 20_000
_WHOLE: Sequence[bytes] = (
    b"", b" ", b"null", b"0", b"[]", b"{}", b'"x"', b"{", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf{}", b"NaN", b"[NaN]",
    b"[" * _DEEP, b'{"a":' * _DEEP, b"[" * _DEEP + b"]" * _DEEP, b'{"update_id":' * 3000 + b"1" + b"}" * 3000,
    b'{"update_id": 1e999}', b'{"update_id": ' + b"9" * 5000 + b"}", b"x" * (1024 * 1024 + 1), b" " * 300_000 + b"{}",
)  # fmt: skip

anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.sampled_from(_ODD), st.integers(), st.floats(), _WORDS, st.just(CLIENT), st.just(NUMBER)),
    lambda children: st.one_of(st.lists(children, max_size=4), st.dictionaries(_WORDS, children, max_size=4)),
    max_leaves=8,
)
"""Any JSON."""
_ODD_TEXTS: Sequence[str] = [one for one in _ODD if isinstance(one, str)]


@dataclass(frozen=True, slots=True)
class Chance:
    """What a batch is made by: values and words that Hypothesis has thought of, and a seed for where they go.

    Every single choice by Hypothesis would take longer than the system under test does.
    """

    seed: str
    values: Sequence[Any]
    words: Sequence[str]
    random: random.Random = field(default_factory=random.Random, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.random.seed(self.seed)

    def of(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def one_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0

    def bytes(self, most: int) -> bytes:
        return self.random.randbytes(self.random.randint(0, most))


thoughts: st.SearchStrategy[tuple[list[Any], list[str]]] = st.tuples(
    st.lists(anything, min_size=2, max_size=4), st.lists(_WORDS, min_size=2, max_size=4)
)
"""What Hypothesis thinks of for one batch."""


def document(chance: Chance, recorded: Sequence[Any]) -> Any:
    """Return a recorded document, changed at none to four places."""
    value = copy.deepcopy(chance.of(recorded))
    for _ in range(chance.of((0, 1, 1, 1, 1, 2, 2, 3, 4))):
        value = _changed(chance, value)
    return value


def body(chance: Chance, recorded: Sequence[Any]) -> bytes:
    """Return what is posted: mostly a changed document, now and then anything at all."""
    kind = chance.random.randrange(40)
    if kind == 0:
        return chance.bytes(64)
    if kind == 1:
        return chance.of(_WHOLE)
    value = copy.deepcopy(chance.of(chance.values)) if kind == 2 else document(chance, recorded)
    return _damaged(chance, _written(chance, value))


def form(chance: Chance, recorded: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
    """Return a form's fields; a field may come twice."""
    fields = list(chance.of(recorded).items())
    for _ in range(chance.of((0, 1, 1, 1, 2, 3))):
        place = chance.random.randint(0, len(fields))
        text = chance.of(chance.words if chance.one_in(3) else _ODD_TEXTS).encode(errors="replace").decode()
        match chance.of(("value", "value", "value", "name", "drop", "again")):
            case "value" if place < len(fields):
                fields[place] = (fields[place][0], text)
            case "name" if place < len(fields):
                fields[place] = (text, fields[place][1])
            case "drop" if place < len(fields):
                del fields[place]
            case _:
                fields.insert(place, (chance.of(sorted(chance.of(recorded))), text))
    return fields


def encoded(fields: Sequence[tuple[str, str]]) -> bytes:
    """Write a form as browsers do."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields).encode()


def put_in(body: bytes, *, client: int, number: int) -> bytes:
    """Put real numbers where the placeholders stand."""
    return body.replace(str(CLIENT).encode(), str(client).encode()).replace(str(NUMBER).encode(), str(number).encode())


def _changed(chance: Chance, value: Any) -> Any:
    """Change one place, the deeper the oftener."""
    children = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    if children and not chance.one_in(10):
        return _changed_below(chance, value, chance.of(children), children)
    match chance.of(("odd", "odd", "odd", "words", "any", "wrapped", "text")):
        case "odd":
            return copy.deepcopy(chance.of(_ODD))
        case "words":
            return chance.of(_TEXTS)
        case "any":
            return copy.deepcopy(chance.of(chance.values))
        case "wrapped":
            return [value] if chance.one_in(2) else {"value": value}
        case _:
            more = chance.of(chance.words) if chance.one_in(2) else chance.of(("\x00", "\ud83d", "\u202e", " " * 400))
            return str(value) + more


def _changed_below(chance: Chance, value: Any, child: Any, children: Sequence[Any]) -> Any:
    how = chance.of(("into", "into", "into", "drop", "rename", "twice"))
    if how == "drop":
        del value[child]
    elif how == "rename" and isinstance(value, dict):
        value[chance.of(chance.words if chance.one_in(2) else children)] = value.pop(child)
    elif how == "twice" and isinstance(value, list):
        value.insert(child, copy.deepcopy(value[child]))
    else:
        value[child] = _changed(chance, value[child])
    return value


def _written(chance: Chance, value: Any) -> bytes:
    try:
        written = json.dumps(value, ensure_ascii=chance.one_in(2))
    except (ValueError, RecursionError):
        return b"[]"
    encoding = chance.of(_ENCODINGS)
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    return written.encode(encoding, errors)


def _damaged(chance: Chance, body: bytes) -> bytes:
    match chance.of(_DAMAGES):
        case "cut":
            return body[: chance.random.randint(0, len(body))]
        case "more":
            return body + chance.bytes(4)
        case "flip" if body:
            place = chance.random.randrange(len(body))
            return body[:place] + chance.random.randbytes(1) + body[place + 1 :]
        case "twice":
            # The same field twice: which of the two counts is nobody's promise.
            return body.replace(b"{", b'{"id": 0, "text": null, "update_id": 1, ', 1)
        case _:
            return body
