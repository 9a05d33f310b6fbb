"""What Gemini is asked, as its REST reference writes it (ai.google.dev/api/generate-content).

google-genai takes the very same body in its own classes, and spends 13 ms of processor time on ten turns of history and
eight tools (3.4: a union is validated for every part, then all is copied into this shape). Its `extra_body`, which
takes the body as it is, costs 1 ms; but it copies that deep, 2 ms of it, before it makes text of it. `Whole` is what it
leaves alone. Answers are still read by its classes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.ports import (
    CallPart,
    Content,
    MediaPart,
    ModelRequest,
    Part,
    ResultPart,
    TextPart,
    ToolDeclaration,
)

# The words of a clinic or a salon trip the stricter default thresholds.
_SAFETY = [
    {"category": category, "threshold": "BLOCK_ONLY_HIGH"}
    for category in (
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
    )
]


class Whole(dict[str, Any]):
    """A piece of a body, made for one question and changed by nobody: a copy of it is itself."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Whole:
        return self


def body_of(request: ModelRequest, *, room: int, cache: str | None = None) -> dict[str, Any]:
    """Return the body of generateContent: `room` is the most tokens of the answer, `cache` the name of what holds the
    stable part of the prompt and the tools, beside which neither may be sent."""
    contents = [Whole(content_of(content)) for content in request.contents]
    body: dict[str, Any] = {
        "safetySettings": _SAFETY,
        "generationConfig": {"maxOutputTokens": room, "thinkingConfig": {"thinkingLevel": "LOW"}},
    }
    if cache is not None:
        rest = request.system.removeprefix(request.stable).strip()
        return body | {"cachedContent": cache, "contents": [_words("user", rest), *contents]}
    body |= {"systemInstruction": _words("user", request.system), "contents": contents}
    if request.tools:
        body["tools"] = tools_of(request.tools)
    return body


def tools_of(tools: Sequence[ToolDeclaration]) -> list[Whole]:
    """Return the declarations of the tools, as one tool of Gemini's."""
    declared = [
        {"name": tool.name, "description": tool.description, "parametersJsonSchema": dict(tool.parameters)}
        for tool in tools
    ]
    return [Whole(functionDeclarations=declared)]


def content_of(content: Content) -> dict[str, Any]:
    """Return what one side said or did; thought signatures go back as they came."""
    return {"role": content.role, "parts": [_part(part) for part in content.parts]}


def _words(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"text": part.text, **({"thought": True} if part.thought else {}), **_signed(part.signature)}
        case CallPart():
            call = {"name": part.name, "args": dict(part.arguments), **_known_as(part.id)}
            return {"functionCall": call, **_signed(part.signature)}
        case MediaPart():
            return {"inlineData": {"mimeType": part.mime_type, "data": b64encode(part.data).decode()}}
        case ResultPart():
            return {"functionResponse": {"name": part.name, "response": dict(part.response), **_known_as(part.id)}}


def _known_as(id_: str | None) -> Mapping[str, str]:
    return {} if id_ is None else {"id": id_}


def _signed(signature: str | None) -> Mapping[str, str]:
    return {} if signature is None else {"thoughtSignature": signature}
