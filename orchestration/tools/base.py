"""What a tool is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from orchestration.scope import CompanyScope
from orchestration.turns import Turn


class Arguments(BaseModel):
    """Arguments of a tool. What the schema does not name is refused, so that the model is told of a slip."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What the model is told, and whether the turn ends here because code has answered the client itself."""

    response: Mapping[str, Any]
    ends_turn: bool = False
    code: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """`available` says for which company it is declared; `reads_only` ones of a round may run side by side."""

    name: str
    description: str
    arguments: type[Arguments]
    run: Callable[[Turn, Any], Awaitable[ToolOutcome]]
    available: Callable[[CompanyScope], bool] = field(default=lambda _: True)
    reads_only: bool = False


def refuse(code: str, message: str, **more: Any) -> ToolOutcome:
    """Tell the model in words it can use why nothing was done."""
    return ToolOutcome(response={"error": {"code": code, "message": message, **more}}, code=code)
