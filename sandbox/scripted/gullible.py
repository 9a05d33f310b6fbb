"""A model that obeys whatever it reads: the worst that an injected instruction can make of one.

It knows each instruction by a piece of its text, and does what the instruction wants as soon as that piece stands
anywhere in what it is shown: in the client's words or name, in a tool's answer, in the prompt. It is not to be
talked out of it. Until then it is the scripted model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.gemini.signatures import current_turn_start
from sandbox.gemini.wire import Content, GenerateRequest, Part, call_part, text_part
from sandbox.scripted.model import ScriptedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool that the instruction wants called. `$name` in an argument stands for what was seen: see `_seen`."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An injected instruction. `mark`: by what it is known; `steps`: calls, then what is to be said."""

    mark: str
    steps: Sequence[Call | str]


class GullibleModel:
    """A policy for GeminiSandbox. `known`: values that the attacker brings along, by their placeholder."""

    def __init__(self, orders: Sequence[Order], *, clock: Callable[[], datetime], known: Mapping[str, str]) -> None:
        self._orders = orders
        self._known = known
        self._scripted = ScriptedModel(clock=clock)
        self.obeyed: set[str] = set()
        """The marks of the instructions that reached the model."""

    def __call__(self, request: GenerateRequest) -> list[Part]:
        contents = request.contents or []
        if not request.declarations:
            return self._scripted(request)
        prompt = request.system_instruction.text if request.system_instruction else ""
        for order in self._orders:
            seen = _first_seen(order.mark, prompt, contents)
            if seen is None:
                continue
            self.obeyed.add(order.mark)
            done = sum(len(one.calls) for one in contents[max(seen, current_turn_start(contents)) :])
            step = order.steps[min(done, len(order.steps) - 1)]
            if isinstance(step, str):
                return [text_part(step)]
            values = {**_seen(contents), **self._known}
            return [call_part(step.name, {key: _filled(one, values) for key, one in step.arguments.items()})]
        return self._scripted(request)


def _first_seen(mark: str, prompt: str, contents: Sequence[Content]) -> int | None:
    """Return the place of the first content that holds the mark, -1 for the prompt; None: nowhere."""
    wanted = _bare(mark)
    if wanted in _bare(prompt):
        return -1
    for index, content in enumerate(contents):
        answers = json.dumps([one.response for one in content.responses], ensure_ascii=False, default=str)
        # What it said itself is no instruction.
        if content.role != "model" and wanted in _bare(f"{content.text} {answers}"):
            return index
    return None


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", text.replace("\\n", " ").replace('\\"', '"')).casefold()


def _seen(contents: Sequence[Content]) -> dict[str, str]:
    """Return the ids that tools have answered: the first of each kind."""
    text = json.dumps(
        [one.response for content in contents for one in content.responses], ensure_ascii=False, default=str
    )
    found = {}
    for name, key in (("$slot", "slot_id"), ("$appointment", "appointment_id")):
        match = re.search(rf'"{key}": "([^"]+)"', text)
        if match:
            found[name] = match[1]
    return found


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return values.get(value, value)
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    if isinstance(value, Mapping):
        return {key: _filled(one, values) for key, one in value.items()}
    return value
