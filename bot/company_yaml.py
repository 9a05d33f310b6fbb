"""YAML text into plain values that know their lines.

Scalars stay as they are written: whether `2026-13-01` is a date, or `007` a number, is asked where the field is known,
and told with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

Place = tuple[str | int, ...]
"""Where a value stands: ("services", 0, "price")."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_DEEPEST = 12
# An alias counts as often as it is used: a few lines of them can stand for millions of values.
_MOST_VALUES = 100_000
_PLAIN_TAG = "tag:yaml.org,2002:"


class NotYaml(Exception):
    """The text cannot be read at all; the line is where reading stopped."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """`values` is None for an empty text. `faults` are what YAML itself forbids and reading could pass over."""

    values: Any
    lines: Mapping[Place, int]
    faults: tuple[tuple[Place, str], ...]


def read_yaml(text: str) -> YamlDocument:
    """Read one document. Raises NotYaml."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        reader = _Reader()
        values = reader.read(root, ()) if root is not None else None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(mark.line + 1 if mark else 1, str(error.problem or error.context)) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYaml(line, f"the character {error.character!r} may not stand in it") from error
    except YAMLError as error:
        raise NotYaml(1, str(error)) from error
    except RecursionError as error:
        raise NotYaml(1, "nested too deeply") from error
    return YamlDocument(values=values, lines=reader.lines, faults=tuple(reader.faults))


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.faults: list[tuple[Place, str]] = []
        self._left = _MOST_VALUES

    def read(self, node: Node, place: Place) -> Any:
        self._left -= 1
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        if self._left < 0:
            raise NotYaml(line, "too many values, each reference counted")
        if len(place) > _DEEPEST:
            raise NotYaml(line, "nested too deeply")
        if not str(node.tag).startswith(_PLAIN_TAG):
            self.faults.append((place, f"tags such as {node.tag} mean nothing here"))
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self.read(one, (*place, index)) for index, one in enumerate(node.value)]
        self._look_at_letters(str(node.value), place)
        return None if node.tag == f"{_PLAIN_TAG}null" else node.value

    def _look_at_letters(self, text: str, place: Place) -> None:
        """Refuse what an escape (`"\\0"`) can write and no database keeps: NUL, and half of a character."""
        if _UNSTORABLE.search(text):
            self.faults.append((place, "NUL, or half of a character, may not stand in it"))

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise NotYaml(line, "a field's name is one word")
            name = str(key.value)
            if name in read:
                # A place of its own, so that it has its own line.
                again = (*place, f"{name} (again)")
                self.lines[again] = line
                self.faults.append((again, f"{name} stands on line {self.lines[(*place, name)]} already"))
                continue
            self.lines[(*place, name)] = line
            self._look_at_letters(name, (*place, name))
            read[name] = self.read(value, (*place, name))
        return read
