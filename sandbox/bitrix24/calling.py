"""How a portal is called: JSON bodies, PHP's queries inside batches, the two envelopes, and limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]
BATCH = 50


class Refused(Exception):
    """A failure as the portal tells it; `code` may be a string, a number, or empty."""

    def __init__(self, status: int, code: str | int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.code = code


@dataclass(slots=True)
class Bucket:
    """The leaky bucket: so many calls may wait, so many drain a second (developer's documentation, "Limits")."""

    most: float
    drains: float
    level: float = 0
    at: float = 0

    def take(self, now: float) -> None:
        """Let one call in. Raises Refused over the threshold."""
        self.level = max(0.0, self.level - (now - self.at) * self.drains) + 1
        self.at = now
        if self.level > self.most:
            raise Refused(503, "QUERY_LIMIT_EXCEEDED", "Too many requests")


@dataclass(slots=True)
class Operating:
    """Seconds of execution that each method took in ten minutes; at the limit the method alone is refused."""

    most: float = 480
    spent: dict[str, float] = field(default_factory=dict)

    def require(self, method: str) -> None:
        if self.spent.get(method, 0) >= self.most:
            raise Refused(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")


def unphp(query: str) -> Json:
    """Read `a[b][]=1&a[b][]=2&c=3` as PHP does; every value is a string."""
    root: Json = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        keys = [name.partition("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        place: Any = root
        for key in keys[:-1]:
            place = place.setdefault(key or str(len(place)), {})
        place[keys[-1] or str(len(place))] = value
    return {name: _listed(value) for name, value in root.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_listed(one) for one in value.values()]
    return {key: _listed(one) for key, one in value.items()}


def filled(command: str, results: Mapping[str, Any]) -> str:
    """Put earlier results into `$result[name][field]`."""

    def found(match: re.Match[str]) -> str:
        value: Any = results
        for key in re.findall(r"\[([^\]]+)\]", match[1]):
            value = value[int(key)] if isinstance(value, list) else value[key]
        return str(value)

    return re.sub(r"\$result((?:\[[^\]]+\])+)", found, command)


def run_batch(body: Json, call: Callable[[str, Json], Any]) -> Json:
    """Run the commands in order. HTTP is 200 even where they fail; empty maps are PHP's empty lists."""
    commands = body.get("cmd")
    if not isinstance(commands, dict):
        raise Refused(400, "INVALID_REQUEST", "cmd must be an object")
    if len(commands) > BATCH:
        raise Refused(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded")
    results: Json = {}
    errors: Json = {}
    for name, command in commands.items():
        try:
            method, _, query = filled(str(command), results).partition("?")
            if method.split(".")[0] == "batch":
                raise Refused(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")
            results[name] = call(method, unphp(query))
        except Refused as refused:
            errors[name] = {"error": refused.code, "error_description": str(refused)}
            if str(body.get("halt", 0)) in ("1", "True", "true"):
                break
        except (KeyError, IndexError):
            errors[name] = {"error": "INVALID_REQUEST", "error_description": "no such result"}
    return {
        "result": results or [],
        "result_error": errors or [],
        "result_total": [],
        "result_next": [],
        "result_time": [],
    }
