"""The one place through which every tool call goes: declaration, arguments, errors, the record kept."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog
from prometheus_client import Counter
from pydantic import BaseModel, ValidationError

from crm.errors import CRMError, CRMNotConfigured, CRMRejected, CRMUnsupported
from db.records import ToolCallRecord
from orchestration.ports import CallPart, ToolDeclaration
from orchestration.scope import CompanyScope
from orchestration.stages import span
from orchestration.tools.base import Tool, ToolOutcome, refuse
from orchestration.trouble import crm_failed
from orchestration.turns import Turn

log = structlog.get_logger()

TOOL_CALLS = Counter("ai_admin_tool_calls", "Tool calls by the model.", ["tool", "outcome"])


class ToolManager:
    """Declares the tools that fit a company and calls them."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._declarations = {
            tool.name: ToolDeclaration(name=tool.name, description=tool.description, parameters=_schema(tool.arguments))
            for tool in tools
        }

    def declarations(self, scope: CompanyScope) -> tuple[ToolDeclaration, ...]:
        """Return what this company's agent may call, always in the same order: the model's cache lives by it."""
        return tuple(self._declarations[tool.name] for tool in self._tools.values() if tool.available(scope))

    def reads_only(self, name: str) -> bool:
        return name in self._tools and self._tools[name].reads_only

    async def call(self, turn: Turn, call: CallPart) -> ToolOutcome:
        """Run one call. Never raises for what a tool, the model or the CRM did wrong: the outcome says it."""
        started = time.monotonic()
        name = call.name if call.name in self._tools else "unknown"
        with span("tool", tool=name) as traced:
            outcome = await self._call(turn, call)
            traced.set_attribute("outcome", outcome.code)
        took = timedelta(seconds=time.monotonic() - started)
        TOOL_CALLS.labels(name, outcome.code).inc()
        turn.tool_calls.append(
            ToolCallRecord(
                turn_id=turn.id,
                name=call.name[:64],
                arguments=_bounded(call.arguments),
                outcome=outcome.code,
                took=took,
                at=turn.now,
            )
        )
        log.info("tool_called", tool=call.name, outcome=outcome.code, took_ms=round(took.total_seconds() * 1000))
        return outcome

    async def _call(self, turn: Turn, call: CallPart) -> ToolOutcome:
        tool = self._tools.get(call.name)
        if tool is None or not tool.available(turn.scope):
            return refuse("unknown_tool", f"There is no tool {call.name!r} here.")
        try:
            arguments = tool.arguments.model_validate(_without_nulls(call.arguments))
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            return refuse("invalid_arguments", "; ".join(faults))
        try:
            return await tool.run(turn, arguments)
        except CRMNotConfigured:
            return refuse("no_online_booking", turn.texts.text("crm-not-configured"))
        except CRMUnsupported:
            return refuse("unsupported", turn.texts.text("crm-unsupported"))
        except CRMRejected as error:
            return refuse(error.code, turn.texts.text("tool-not-found"))
        except CRMError as error:
            crm_failed(turn, error)
            return ToolOutcome(response={"status": "client_told", "code": error.code}, ends_turn=True, code=error.code)


def _schema(arguments: type[BaseModel]) -> Mapping[str, Any]:
    """Return JSON Schema as models like it: no titles, "or null" written as simply optional."""
    schema = arguments.model_json_schema()
    return _object(schema, schema.get("$defs", {}))


def _object(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = {name: _plain(spec, parts) for name, spec in schema.get("properties", {}).items()}
    return {"type": "object", "properties": properties, "required": schema.get("required", [])}


def _plain(spec: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write one property; what stands elsewhere in the schema (`$ref`) is written where it is used."""
    if "$ref" in spec:
        return _object(parts[spec["$ref"].removeprefix("#/$defs/")], parts)
    options = [option for option in spec.get("anyOf", []) if option.get("type") != "null"]
    merged = {**spec, **options[0]} if len(options) == 1 else dict(spec)
    if "items" in merged:
        merged["items"] = _plain(merged["items"], parts)
    return {key: value for key, value in merged.items() if key not in ("title", "anyOf", "default")}


def _without_nulls(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Models write null or an empty string for "not given"."""
    return {name: value for name, value in arguments.items() if value is not None and value != ""}


def _bounded(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep the record small whatever the model writes."""
    if len(json.dumps(arguments, ensure_ascii=False, default=str)) <= 4000:
        return arguments
    return {"truncated": True}
