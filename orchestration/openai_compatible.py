"""Any endpoint that speaks OpenAI's chat completions, behind the Model port: the only file that knows the openai SDK.

For businesses that cannot reach Gemini: a gateway, a model of their own, another provider. Written against openai 3.57
and the API reference (https://platform.openai.com/docs/api-reference/chat). The SDK's own retries are off: the turn's
time is ours to share out. What an endpoint adds to the reference or leaves out differs; only what is common is
sent. It was never run against a real endpoint, only against the local server written from the reference.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import openai
from openai.types.chat import ChatCompletion
from pydantic import SecretStr

from db.records import Usage
from orchestration.errors import Blocked, ModelBlocked, ModelRefused, ModelUnavailable
from orchestration.model_breaker import ModelBreaker
from orchestration.model_service import MODEL_CALLS, RETRYABLE, ModelService, Overloaded, count_usage
from orchestration.openai_stream import listen
from orchestration.ports import (
    CallPart,
    Content,
    Listener,
    MediaPart,
    ModelAnswer,
    ModelRequest,
    Part,
    ResultPart,
    TextPart,
    ToolDeclaration,
)

_AUDIO = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/ogg": "ogg"}
"""The reference names wav and mp3; ogg, which messengers send, is taken by many endpoints and refused by the others."""
_CUT, _FILTERED = "length", "content_filter"
_LONGEST_WAIT_S = 20.0
_NO_SUCH_ROUTE = frozenset({404, 405, 501})


class OpenAICompatibleService(ModelService):
    """`api_url` ends where `/chat/completions` begins: `https://api.openai.com/v1`."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        model: str,
        fallback_model: str | None = None,
        api_url: str,
        breaker: ModelBreaker | None = None,
    ) -> None:
        super().__init__([model, *([fallback_model] if fallback_model else [])], breaker)
        self._client = openai.AsyncOpenAI(api_key=api_key.get_secret_value(), base_url=api_url, max_retries=0)

    async def close(self) -> None:
        await self._client.close()

    async def knows(self, model: str, *, within: timedelta) -> bool | None:
        """By the list of models (https://platform.openai.com/docs/api-reference/models/list), which not all have."""
        try:
            listed = await self._client.models.list(timeout=within.total_seconds())
        except openai.APIStatusError as error:
            if error.status_code in _NO_SUCH_ROUTE:
                return None
            kind = ModelUnavailable if error.status_code in RETRYABLE else ModelRefused
            raise kind(f"{error.status_code}: {error.message}") from error
        except openai.APIError as error:
            raise ModelUnavailable(type(error).__name__) from error
        return any(one.id == model for one in listed.data)

    async def ask(self, model: str, request: ModelRequest, *, room: int) -> ModelAnswer:
        parameters: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "system", "content": request.system}, *_messages(request.contents)],
            "max_completion_tokens": room,
            "timeout": request.timeout.total_seconds(),
        }
        if request.tools:
            parameters["tools"] = [_tool(tool) for tool in request.tools]
        try:
            completion = await self._complete(parameters, request.listener)
        except openai.APIStatusError as error:
            if error.status_code not in RETRYABLE:
                MODEL_CALLS.labels(model, str(error.status_code)).inc()
                raise ModelRefused(f"{error.status_code}: {error.message}") from error
            raise Overloaded(str(error.status_code), _retry_after(error)) from error
        except openai.APITimeoutError as error:
            raise TimeoutError("no answer in time") from error
        except openai.APIConnectionError as error:
            raise Overloaded("unreachable") from error
        except openai.APIError as error:
            raise Overloaded("unreadable") from error
        answered_by = completion.model or model
        counted = count_usage(
            ModelAnswer(content=Content(role="model", parts=()), usage=_usage(completion), model=answered_by)
        )
        return ModelAnswer(content=_answer(completion), usage=counted.usage, model=answered_by)

    async def _complete(self, parameters: dict[str, Any], listener: Listener | None) -> ChatCompletion:
        if listener is None:
            whole: ChatCompletion = await self._client.chat.completions.create(**parameters)
            return whole
        pieces = await self._client.chat.completions.create(
            **parameters, stream=True, stream_options={"include_usage": True}
        )
        return await listen(pieces, listener)


def _tool(tool: ToolDeclaration) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _messages(contents: Sequence[Content]) -> Iterator[dict[str, Any]]:
    """Write the conversation down. Every call has an id here, and every result names the call that it answers."""
    waiting: list[str] = []
    for place, content in enumerate(contents):
        calls = content.calls
        results = [part for part in content.parts if isinstance(part, ResultPart)]
        if content.role == "model":
            waiting = [call.id or f"call_{place}_{index}" for index, call in enumerate(calls)]
            message: dict[str, Any] = {"role": "assistant", "content": content.text or None}
            if calls:
                message["tool_calls"] = [_call(call, id_) for call, id_ in zip(calls, waiting, strict=True)]
            yield message
        elif results:
            # Results come in the order of their calls (see the agent's loop).
            for id_, result in zip(waiting, results, strict=True):
                answer = json.dumps(result.response, ensure_ascii=False, default=str)
                yield {"role": "tool", "tool_call_id": id_, "content": answer}
        else:
            yield {"role": "user", "content": _said(content.parts)}


def _call(call: CallPart, id_: str) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": id_, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _said(parts: Sequence[Part]) -> str | list[dict[str, Any]]:
    if all(isinstance(part, TextPart) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, TextPart))
    return [_piece(part) for part in parts]


def _piece(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if not isinstance(part, MediaPart):
        raise ModelRefused("a user's message holds neither words nor a file")
    data = b64encode(part.data).decode()
    if part.mime_type.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": f"data:{part.mime_type};base64,{data}"}}
    if part.mime_type in _AUDIO:
        return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO[part.mime_type]}}
    raise ModelRefused(f"this kind of model takes no {part.mime_type}")


def _answer(completion: ChatCompletion) -> Content:
    """Return what was said or called. Raises ModelBlocked."""
    if not completion.choices:
        raise ModelBlocked("no choices", Blocked.EMPTY)
    choice = completion.choices[0]
    message = choice.message
    if message.refusal or choice.finish_reason == _FILTERED:
        raise ModelBlocked(f"answer: {'refusal' if message.refusal else _FILTERED}")
    parts: list[Part] = [TextPart(text=message.content)] if message.content else []
    parts += [_from_call(call) for call in message.tool_calls or []]
    content = Content(role="model", parts=tuple(parts))
    if choice.finish_reason == _CUT and not content.calls:
        raise ModelBlocked("answer: length", Blocked.TOO_LONG)
    if not content.text.strip() and not content.calls:
        raise ModelBlocked(f"answer: {choice.finish_reason}", Blocked.EMPTY)
    return content


def _from_call(call: Any) -> CallPart:
    """Read a call; its arguments are text that the model wrote, and may be no JSON at all."""
    function = getattr(call, "function", None)
    if function is None:
        raise ModelBlocked("a call of something that is no function", Blocked.MALFORMED)
    try:
        arguments = json.loads(function.arguments or "{}")
    except ValueError as error:
        raise ModelBlocked("arguments that are no JSON", Blocked.MALFORMED) from error
    if not isinstance(arguments, dict):
        raise ModelBlocked("arguments that are no object", Blocked.MALFORMED)
    return CallPart(id=call.id, name=function.name, arguments=arguments)


def _usage(completion: ChatCompletion) -> Usage:
    counts = completion.usage
    if counts is None:
        return Usage(calls=1)
    details = counts.prompt_tokens_details
    return Usage(
        calls=1,
        prompt_tokens=counts.prompt_tokens,
        output_tokens=counts.completion_tokens,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
    )


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Return the seconds that the Retry-After header asks for, None where there is none in seconds."""
    try:
        return min(_LONGEST_WAIT_S, max(0.0, float(error.response.headers.get("retry-after", ""))))
    except ValueError:
        return None
