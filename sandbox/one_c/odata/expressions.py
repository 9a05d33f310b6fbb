"""The language of `$filter` and of slices' conditions (17.4.5.2), as far as integrations use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.one_c.odata.refusal import Refused
from sandbox.one_c.odata.schema import EntitySet, Fields

Json = dict[str, Any]
Scope = Mapping[str, Json]
Value = Callable[[Scope], Any]

_TOKENS = re.compile(
    r"\s*(?:guid'(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})'"
    r"|datetime'(?P<date>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)'"
    r"|'(?P<string>(?:[^']|'')*)'|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign>[(),:/]))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


@dataclass(frozen=True, slots=True)
class Guid:
    value: str


@dataclass(frozen=True, slots=True)
class Moment:
    value: str

    def __lt__(self, other: Moment) -> bool:
        return self.value < other.value

    def __le__(self, other: Moment) -> bool:
        return self.value <= other.value


@dataclass(frozen=True, slots=True)
class Reference:
    """A value of a composite type. Equal to a bare guid it never is: the document warns of it."""

    value: str
    type: str


def _like(text: str, template: str) -> bool:
    """`ПОДОБНО`: % any characters, _ one."""
    pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in template)
    return re.fullmatch(pattern, text, re.DOTALL | re.IGNORECASE) is not None


def _cast(value: Any, type_: str) -> Any:
    if isinstance(value, Guid):
        return Reference(value.value, f"StandardODATA.{type_}")
    return value


_FUNCTIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "substringof": lambda part, text: part.casefold() in text.casefold(),
    "startswith": lambda text, part: text.casefold().startswith(part.casefold()),
    "endswith": lambda text, part: text.casefold().endswith(part.casefold()),
    "like": _like,
    "cast": _cast,
}


def compile_filter(text: str, entity_set: EntitySet) -> Callable[[Json], bool]:
    """Return what says whether a row is wanted. Raises Refused: 1 unreadable, 10 no such property, 14 wrong types."""
    parser = _Parser(_tokens(text), entity_set)
    test = parser.whole()

    def wanted(row: Json) -> bool:
        try:
            return bool(test({"": row}))
        except (TypeError, AttributeError) as error:
            raise Refused(14, "Несовместимые типы в отборе") from error

    return wanted


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKENS.match(text, place)
        if match is None or match.lastgroup is None:
            raise Refused(1, f"Не удалось разобрать строку: {text[place : place + 20]!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Parser:
    """Recursive descent: or < and < not < comparison < value."""

    def __init__(self, tokens: list[tuple[str, str]], entity_set: EntitySet) -> None:
        self._tokens = tokens
        self._place = 0
        self._set = entity_set
        self._variables: dict[str, Fields] = {"": entity_set.fields}

    def whole(self) -> Value:
        test = self._either()
        if self._place != len(self._tokens):
            raise Refused(1, "Не удалось разобрать строку: лишнее в конце")
        return test

    def _either(self) -> Value:
        left = self._both()
        while self._take("name", "or"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Value:
        left = self._negated()
        while self._take("name", "and"):
            left = _and(left, self._negated())
        return left

    def _negated(self) -> Value:
        if self._take("name", "not"):
            inner = self._negated()
            return lambda scope: not inner(scope)
        return self._comparison()

    def _comparison(self) -> Value:
        left = self._value()
        kind, word = self._peek()
        if kind != "name" or word not in _COMPARE:
            return left
        self._place += 1
        right, compare = self._value(), _COMPARE[word]
        return lambda scope: compare(left(scope), right(scope))

    def _value(self) -> Value:
        if self._take("sign", "("):
            inner = self._either()
            self._demand(")")
            return inner
        kind, word = self._next()
        literal = _literal(kind, word)
        if literal is not None:
            return lambda _: literal
        if kind != "name":
            raise Refused(1, f"Не удалось разобрать строку: {word!r}")
        if self._take("sign", "("):
            return self._function(word)
        return self._path(word)

    def _function(self, name: str) -> Value:
        if name not in _FUNCTIONS:
            raise Refused(21, f"Функция {name} не реализована")
        call, arguments = _FUNCTIONS[name], [self._either()]
        while self._take("sign", ","):
            arguments.append(self._either())
        self._demand(")")
        if len(arguments) != 2:
            raise Refused(21, f"Неверное количество аргументов функции {name}")
        first, second = arguments
        return lambda scope: call(first(scope), second(scope))

    def _path(self, name: str) -> Value:
        if not self._take("sign", "/"):
            return self._field("", name)
        _, inner = self._next()
        if name in self._variables:
            return self._field(name, inner)
        if name in self._set.parts and inner == "any":
            return self._any(name)
        raise Refused(10, f"Свойство {name}/{inner} не найдено")

    def _any(self, part: str) -> Value:
        self._demand("(")
        _, variable = self._next()
        self._demand(":")
        self._variables[variable] = self._set.parts[part]
        test = self._either()
        del self._variables[variable]
        self._demand(")")
        return lambda scope: any(test({**scope, variable: row}) for row in scope[""][part])

    def _field(self, variable: str, name: str) -> Value:
        fields = self._variables[variable]
        if name not in fields:
            raise Refused(10, f"Свойство {name} не найдено")
        kind = fields[name]
        if kind == "guid":
            return lambda scope: Guid(scope[variable][name])
        if kind == "date":
            return lambda scope: Moment(scope[variable][name])
        if kind == "ref":
            return lambda scope: Reference(scope[variable][name], scope[variable][f"{name}_Type"])
        return lambda scope: scope[variable][name]

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("", "")

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        if not found[0]:
            raise Refused(1, "Не удалось разобрать строку: неожиданный конец")
        self._place += 1
        return found

    def _take(self, kind: str, word: str) -> bool:
        if self._peek() == (kind, word):
            self._place += 1
            return True
        return False

    def _demand(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise Refused(1, f"Не удалось разобрать строку: нет {sign}")


def _or(left: Value, right: Value) -> Value:
    return lambda scope: left(scope) or right(scope)


def _and(left: Value, right: Value) -> Value:
    return lambda scope: left(scope) and right(scope)


def _literal(kind: str, word: str) -> Any:
    if kind == "guid":
        return Guid(word.lower())
    if kind == "date":
        return Moment(word)
    if kind == "string":
        return word.replace("''", "'")
    if kind == "number":
        return float(word)
    return {"true": True, "false": False}.get(word) if kind == "name" else None
