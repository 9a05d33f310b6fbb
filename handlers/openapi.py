"""The description of our own routes, as OpenAPI 3.1, served at `GET /openapi.json` to whoever asks.

It tells what an answer looks like, not what is behind it. tests/handlers/test_openapi.py holds it against the routes
that are mounted, both ways.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from handlers.process import ProcessRequest
from handlers.webhooks import BODY_LIMIT
from orchestration.messages import Reply

PATH = "/openapi.json"
_Json = dict[str, Any]
_ERRORS = {
    400: "The request cannot be read.",
    401: "The proof or the credential is missing or wrong.",
    403: "What is asked for is not this credential's to ask.",
    404: "There is nothing here. The answer is the same whatever the cause.",
    413: f"The body is too large: more than {BODY_LIMIT} bytes, less where the route says so.",
    429: "Over the rate; Retry-After says when to come again where that is known. Nothing was stored.",
    503: "The service cannot store anything at the moment; come again after Retry-After seconds.",
}
_CONSOLE_FAULTS = (400, 403, 404, 409, 413, 429, 503)
_TOKEN = "webhook_token"  # noqa: S105 (the parameter's name)


def routes() -> list[web.RouteDef]:
    """Return the route that serves the description."""
    body = json.dumps(describe(), ensure_ascii=False)

    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    return [web.get(PATH, serve)]


def describe() -> _Json:
    """Return the whole description, telephone calls included, which are answered only where a worker runs."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AI-Admin",
            "version": _version(),
            "description": "Routes under `/api/v1` also answer under `/v1`.",
        },
        "paths": {
            **_for_both_prefixes(_messengers() | _telephone() | _crm()),
            **_process(),
            **_operators(),
            **_console(),
        },
        "components": {
            "schemas": {
                "Error": _object(error=_object(code={"type": "string"}, message={"type": "string"})),
                "Stored": {"type": "object", "maxProperties": 0},
                "ProcessRequest": _of_model(ProcessRequest),
                "Answered": _object(
                    status={"const": "answered"},
                    message_id={"type": "string"},
                    replies={"type": "array", "items": _of_model(Reply)},
                ),
                "Pending": _object(status={"const": "pending"}, message_id={"type": "string"}),
                "Ready": _object(
                    status={"enum": ["ready", "degraded", "unready", "leaving"]},
                    database={"enum": ["ok", "down"]},
                    redis={"enum": ["ok", "down"]},
                ),
                "Alive": _object(status={"const": "alive"}),
            },
            "securitySchemes": {
                "channel": {"type": "http", "scheme": "bearer", "description": "The token of an API channel."},
                "admin": {"type": "http", "scheme": "bearer", "description": "AI_ADMIN_ADMIN_TOKEN."},
                "telegram": {"type": "apiKey", "in": "header", "name": "X-Telegram-Bot-Api-Secret-Token"},
                "meta": {"type": "apiKey", "in": "header", "name": "X-Hub-Signature-256"},
                "twilio": {"type": "apiKey", "in": "header", "name": "X-Twilio-Signature"},
            },
        },
    }


def _version() -> str:
    """Return this program's version. In the image it is no installed package: pyproject.toml lies beside it there."""
    try:
        return version("ai-admin")
    except PackageNotFoundError:
        text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text)["project"]["version"])


def _for_both_prefixes(paths: Mapping[str, _Json]) -> _Json:
    return {f"{prefix}{path}": item for prefix in ("/api", "") for path, item in paths.items()}


def _messengers() -> dict[str, _Json]:
    telegram = _operation("Telegram's updates", _json("Stored"), 401, 404, 413, 429, 503, security="telegram")
    updates = _operation("Meta's webhooks", _json("Stored"), 401, 404, 413, 429, 503, security="meta")
    challenge = _operation("Meta's challenge, answered letter for letter", _media("text/plain"), 403, 404, 503)
    challenge["parameters"] = [
        {"name": name, "in": "query", "required": True, "schema": {"type": "string"}}
        for name in ("hub.mode", "hub.verify_token", "hub.challenge")
    ]
    return {
        f"/v1/telegram/webhook/{{{_TOKEN}}}": _item(post=_with_body(telegram, "application/json", {"type": "object"})),
        f"/v1/whatsapp/webhook/{{{_TOKEN}}}": _item(
            get=challenge, post=_with_body(updates, "application/json", {"type": "object"})
        ),
    }


def _telephone() -> dict[str, _Json]:
    form = {
        "type": "object",
        "required": ["CallSid"],
        "properties": {"CallSid": {"type": "string", "minLength": 1, "maxLength": 128}},
        "additionalProperties": {"type": "string"},
    }

    def asked(summary: str) -> _Json:
        operation = _operation(summary, _media("text/xml"), 400, 403, 404, 413, 429, 503, security="twilio")
        return _with_body(operation, "application/x-www-form-urlencoded", form)

    stream = _operation("The stream of a call: a WebSocket of ConversationRelay frames", {}, 400, 403, 404, 503)
    stream["responses"]["101"] = {"description": "The stream is open."}
    del stream["responses"]["200"]
    return {
        f"/v1/voice/webhook/{{{_TOKEN}}}": _item(post=asked("A call comes in")),
        f"/v1/voice/action/{{{_TOKEN}}}": _item(post=asked("A stream or a transfer has ended")),
        f"/v1/voice/turn/{{{_TOKEN}}}": _item(post=asked("Something was said in a call without a stream")),
        f"/v1/voice/stream/{{{_TOKEN}}}": _item(get=stream | {"security": [{"twilio": []}]}),
    }


def _crm() -> dict[str, _Json]:
    told = _operation("A CRM tells that something was changed there", _json("Stored"), 404, 413, 429, 503)
    return {f"/v1/crm/webhook/{{{_TOKEN}}}": _item(post=_with_body(told, "*/*", {}))}


def _process() -> dict[str, _Json]:
    message = _operation(
        "A message of a channel of one's own", _json("Answered"), 400, 401, 403, 413, 429, 503, security="channel"
    )
    asked = _operation("The reply to an earlier message", _json("Answered"), 400, 401, 404, 503, security="channel")
    for operation in (message, asked):
        operation["responses"]["202"] = {"description": "Not answered yet: ask again.", **_json("Pending")}
    asked["parameters"] = [_in_path("message_id")]
    return {
        "/process": {"post": _with_body(message, "application/json", _schema("ProcessRequest"))},
        "/process/{message_id}": {"get": asked},
    }


def _operators() -> dict[str, _Json]:
    ready = _operation("It can serve; without Redis it serves slower", _json("Ready"))
    ready["responses"]["503"] = {
        "description": "It cannot: the database does not answer, or this instance was asked to end.",
        **_json("Ready"),
    }
    return {
        "/health": {"get": _operation("It is alive", _json("Alive"))},
        "/ready": {"get": ready},
        "/metrics": {"get": _operation("Figures for Prometheus", _media("text/plain"), 401, 404, security="admin")},
        PATH: {"get": _operation("This description", {"content": {"application/json": {"schema": {}}}})},
    }


def _console() -> dict[str, _Json]:
    """Return the pages of the staff's console: for browsers, and nothing to build on."""
    dialogue, posted = "/console/dialogues/{dialogue_id}", ("post",)
    pages: dict[str, tuple[str, ...]] = {
        "/console": ("get",),
        "/console/enter/{token}": ("get", "post"),
        "/console/leave": posted,
        "/console/static/{name}": ("get",),
        "/console/dialogues": ("get",),
        "/console/dialogues/live": ("get",),
        dialogue: ("get",),
        f"{dialogue}/live": ("get",),
        **{f"{dialogue}/{act}": posted for act in ("take", "answer", "back", "draft", "phone")},
        "/console/day": ("get",),
        "/console/day/crm": ("get",),
        "/console/day/{appointment_id}/phone": posted,
        "/console/day/{branch_id}/records/{record_id}/phone": posted,
        "/console/figures": ("get",),
        "/console/settings": ("get", "post"),
        "/console/settings/ask": posted,
    }
    return {path: {method: _page(path) for method in methods} for path, methods in pages.items()}


def _page(path: str) -> _Json:
    operation = _operation("A page of the staff's console, or a part of one", _media("*/*"))
    operation["responses"] |= {
        "204": {"description": "It is as it was."},
        "303": {"description": "Another page is to be looked at: mostly the one that says how to sign in."},
        **{str(code): {"description": "A page that says so.", **_media("text/html")} for code in _CONSOLE_FAULTS},
    }
    operation["parameters"] = [_in_path(name) for name in re.findall(r"{(\w+)}", path)]
    return operation


def _operation(summary: str, content: _Json, *errors: int, security: str | None = None) -> _Json:
    failed = {str(status): {"description": _ERRORS[status], **_json("Error")} for status in errors}
    operation: _Json = {"summary": summary, "responses": {"200": {"description": "Done.", **content}, **failed}}
    return operation | {"security": [{security: []}]} if security else operation


def _item(**operations: _Json) -> _Json:
    return {"parameters": [_in_path(_TOKEN)], **operations}


def _in_path(name: str) -> _Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _with_body(operation: _Json, media: str, schema: _Json) -> _Json:
    return operation | {"requestBody": {"required": True, "content": {media: {"schema": schema}}}}


def _json(name: str) -> _Json:
    return {"content": {"application/json": {"schema": _schema(name)}}}


def _media(type_: str) -> _Json:
    return {"content": {type_: {"schema": {"type": "string"}}}}


def _schema(name: str) -> _Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: _Json) -> _Json:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _of_model(model: type[BaseModel]) -> _Json:
    """Return the model's schema by itself: what it refers to is put in its place."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def inlined(value: Any) -> Any:
        if isinstance(value, dict):
            named = str(value.get("$ref", "")).removeprefix("#/$defs/")
            return inlined(parts[named]) if named in parts else {key: inlined(one) for key, one in value.items()}
        return [inlined(one) for one in value] if isinstance(value, list) else value

    found: _Json = inlined(schema)
    return found
