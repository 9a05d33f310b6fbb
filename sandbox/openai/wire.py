"""Chat completions on the wire, after https://platform.openai.com/docs/api-reference/chat/create.

A request is turned into the shape that the scripted policies read, so that the same script answers in both protocols.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.gemini.usage import part_text, text_tokens
from sandbox.gemini.wire import GenerateRequest, Part

Json = dict[str, Any]

PARAMETERS = frozenset(
    {
        "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "max_completion_tokens", "max_tokens", "n",
        "temperature", "top_p", "stop", "stream", "seed", "user", "metadata", "response_format", "reasoning_effort",
        "store", "stream_options", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs",
        "service_tier",
    }
)  # fmt: skip
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PIECE = 16
"""Characters in one piece of a stream."""
_AUDIO = ("wav", "mp3", "ogg")


class OpenAIError(Exception):
    """An error as the API words it."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error", code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"message": message, "type": kind, "param": None, "code": code}}


def check(body: Mapping[str, Any]) -> None:
    """Refuse what the API refuses. Raises OpenAIError."""
    if unknown := sorted(body.keys() - PARAMETERS):
        raise OpenAIError(400, f"Unrecognized request argument supplied: {unknown[0]}")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise OpenAIError(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise OpenAIError(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.")
    _check_messages(messages)
    for tool in body.get("tools") or []:
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not _NAME.fullmatch(str(function.get("name", ""))):
            raise OpenAIError(400, "Invalid 'tools[0].function.name': string does not match pattern.")
        if not isinstance(function.get("parameters", {}), dict):
            raise OpenAIError(400, f"Invalid schema for function {function['name']!r}.")


def _check_messages(messages: Sequence[Any]) -> None:
    waiting: list[str] = []
    for place, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                raise OpenAIError(
                    400,
                    f"Invalid parameter: messages with role 'tool' must be a response to a preceding message with "
                    f"'tool_calls' (messages[{place}]).",
                )
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            raise OpenAIError(
                400,
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
            )
        if role == "assistant":
            waiting = [_checked_call(call) for call in message.get("tool_calls") or []]
            if not waiting and not message.get("content"):
                raise OpenAIError(400, f"Invalid value for 'content': expected a string, got null (messages[{place}]).")
        elif role in ("system", "developer", "user"):
            _check_content(message.get("content"), place)
        else:
            raise OpenAIError(
                400, f"Invalid value: {role!r}. Supported values are: 'system', 'assistant', 'user', 'tool'."
            )
    if waiting:
        raise OpenAIError(400, "An assistant message with 'tool_calls' must be followed by tool messages.")


def _checked_call(call: Any) -> str:
    function = call.get("function", {}) if isinstance(call, dict) else {}
    if not call.get("id") or call.get("type") != "function" or not isinstance(function.get("arguments"), str):
        raise OpenAIError(400, "Invalid 'tool_calls': id, type and function.arguments (a string) are required.")
    return str(call["id"])


def _check_content(content: Any, place: int) -> None:
    if isinstance(content, str) and content:
        return
    for part in content if isinstance(content, list) else [{}]:
        kind = part.get("type")
        if kind not in ("text", "image_url", "input_audio"):
            raise OpenAIError(400, f"Invalid value for 'content' (messages[{place}]).")
        if kind == "input_audio" and part["input_audio"].get("format") not in _AUDIO:
            raise OpenAIError(400, "Invalid value: input_audio.format.")


def as_policy_reads(body: Mapping[str, Any]) -> GenerateRequest:
    """Turn a checked request into the shape that the policies read."""
    system: list[str] = []
    contents: list[Json] = []
    names: dict[str, str] = {}
    for message in body["messages"]:
        match message["role"]:
            case "system" | "developer":
                system.append(str(message["content"]))
            case "assistant":
                calls = message.get("tool_calls") or []
                names |= {call["id"]: call["function"]["name"] for call in calls}
                contents.append({"role": "model", "parts": _model_parts(message, calls)})
            case "tool":
                answer = {"id": message["tool_call_id"], "name": names[message["tool_call_id"]]}
                part = {"functionResponse": {**answer, "response": json.loads(message["content"])}}
                if contents and "functionResponse" in contents[-1]["parts"][0]:
                    contents[-1]["parts"].append(part)
                else:
                    contents.append({"role": "user", "parts": [part]})
            case _:
                contents.append({"role": "user", "parts": _user_parts(message["content"])})
    declarations = [
        {
            "name": tool["function"]["name"],
            "description": tool["function"].get("description", ""),
            "parametersJsonSchema": tool["function"].get("parameters", {"type": "object"}),
        }
        for tool in body.get("tools") or []
    ]
    document: Json = {"contents": contents}
    if system:
        document["systemInstruction"] = {"parts": [{"text": "\n\n".join(system)}]}
    if declarations:
        document["tools"] = [{"functionDeclarations": declarations}]
    return GenerateRequest.model_validate(document)


def _model_parts(message: Mapping[str, Any], calls: Sequence[Any]) -> list[Json]:
    words = [{"text": message["content"]}] if message.get("content") else []
    return words + [
        {
            "functionCall": {
                "id": call["id"],
                "name": call["function"]["name"],
                "args": json.loads(call["function"]["arguments"] or "{}"),
            }
        }
        for call in calls
    ]


def _user_parts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"text": content}]
    parts: list[Json] = []
    for part in content:
        if part["type"] == "text":
            parts.append({"text": part["text"]})
        elif part["type"] == "input_audio":
            blob = {"data": part["input_audio"]["data"], "mimeType": f"audio/{part['input_audio']['format']}"}
            parts.append({"inlineData": blob})
        else:
            mime, _, data = part["image_url"]["url"].removeprefix("data:").partition(";base64,")
            parts.append({"inlineData": {"data": data, "mimeType": mime}})
    return parts


def completion(model: str, prompt_tokens: int, parts: Sequence[Part]) -> Json:
    """Write what a policy returned as a chat completion."""
    text = "".join(part.text or "" for part in parts)
    calls = [
        {
            "id": part.function_call.id or f"call_{secrets.token_hex(8)}",
            "type": "function",
            "function": {
                "name": part.function_call.name,
                "arguments": json.dumps(part.function_call.args or {}, ensure_ascii=False),
            },
        }
        for part in parts
        if part.function_call
    ]
    message: Json = {"role": "assistant", "content": text or None, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    spoken = sum(text_tokens(part_text(part)) for part in parts)
    return document(model, message, "tool_calls" if calls else "stop", prompt_tokens, spoken)


def chunks(whole: Json, *, with_usage: bool) -> list[Json]:
    """Write a completion as the chunks of a stream: words and arguments in pieces, the counts in a last one."""
    message, finish = whole["choices"][0]["message"], whole["choices"][0]["finish_reason"]
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    text = message.get("content") or ""
    deltas += [{"content": text[start : start + _PIECE]} for start in range(0, len(text), _PIECE)]
    if message.get("refusal"):
        deltas.append({"refusal": message["refusal"]})
    for index, call in enumerate(message.get("tool_calls") or []):
        arguments = call["function"]["arguments"]
        begun = {**call, "index": index, "function": {"name": call["function"]["name"], "arguments": ""}}
        deltas.append({"tool_calls": [begun]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": arguments[start : start + _PIECE]}}]}
            for start in range(0, len(arguments), _PIECE)
        ]
    common = {"id": whole["id"], "object": "chat.completion.chunk", "created": 0, "model": whole["model"]}
    pieces: list[Json] = [
        {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}]}
        for delta in deltas
    ]
    pieces.append({**common, "choices": [{"index": 0, "delta": {}, "finish_reason": finish, "logprobs": None}]})
    if with_usage:
        pieces.append({**common, "choices": [], "usage": whole["usage"]})
    return pieces


def document(model: str, message: Json, finish: str, prompt_tokens: int, spoken: int) -> Json:
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": spoken,
            "total_tokens": prompt_tokens + spoken,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        },
    }
