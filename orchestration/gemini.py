"""Gemini behind the Model port: the only file that knows google-genai.

Written against google-genai 3.4 (generateContent). What surprises there and is dealt with here: time-outs are in
milliseconds and none by default, they and refused connections are no APIError, RetryInfo is not honoured by the SDK's
own retries, and candidates, content and text may each be None.
"""

from __future__ import annotations

import asyncio
import random
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from google import genai
from google.genai import errors, types
from prometheus_client import Counter
from pydantic import SecretStr

from db.records import Usage
from orchestration.errors import Blocked, ModelBlocked, ModelRefused, ModelUnavailable
from orchestration.model_breaker import ModelBreaker
from orchestration.model_prices import cost_of
from orchestration.ports import (
    CallPart,
    Content,
    MediaPart,
    ModelAnswer,
    ModelRequest,
    Part,
    ResultPart,
    TextPart,
    ToolDeclaration,
)

log = structlog.get_logger()

MODEL_CALLS = Counter("ai_admin_model_calls", "Calls of the language model.", ["model", "outcome"])
MODEL_TOKENS = Counter("ai_admin_model_tokens", "Tokens of the language model.", ["model", "direction"])

MODEL_COST = Counter("ai_admin_model_cost_usd", "US dollars by the price table.", ["model"])

_RETRYABLE = frozenset({408, 429, 500, 502, 503, 504})
_ATTEMPTS = 3
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 4.0
# Thoughts count against the answer's budget: a smaller one can leave the answer empty.
_MAX_OUTPUT_TOKENS = 4096
# The words of a clinic or a salon trip the stricter default thresholds.
_UNUSABLE = {
    "": Blocked.EMPTY,
    "STOP": Blocked.EMPTY,
    "OTHER": Blocked.EMPTY,
    "MALFORMED_FUNCTION_CALL": Blocked.MALFORMED,
    "UNEXPECTED_TOOL_CALL": Blocked.MALFORMED,
    "TOO_MANY_TOOL_CALLS": Blocked.MALFORMED,
    "MISSING_THOUGHT_SIGNATURE": Blocked.MALFORMED,
    "MALFORMED_RESPONSE": Blocked.MALFORMED,
}
"""Finish reasons of an answer without content that may come out well at the second try; any other is a refusal."""
_SAFETY = [
    types.SafetySetting(category=category, threshold=types.HarmBlockThreshold.BLOCK_ONLY_HIGH)
    for category in (
        types.HarmCategory.HARM_CATEGORY_HARASSMENT,
        types.HarmCategory.HARM_CATEGORY_HATE_SPEECH,
        types.HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT,
        types.HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
    )
]


class GeminiService:
    """One client for all companies: a client of its own for each costs 2.5 MB and 90 ms."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        model: str,
        fallback_model: str | None = None,
        api_url: str | None = None,
        api_version: str = "v1",
        breaker: ModelBreaker | None = None,
    ) -> None:
        self._breaker = breaker or ModelBreaker()
        self._models = [model, *([fallback_model] if fallback_model else [])]
        self._client = genai.Client(
            api_key=api_key.get_secret_value(),
            vertexai=False,
            http_options=types.HttpOptions(base_url=api_url, api_version=api_version),
        )

    async def close(self) -> None:
        await self._client.aio.aclose()

    async def generate(self, request: ModelRequest) -> ModelAnswer:
        """Answer within `request.timeout`, retries and the fallback model included.

        A model that failed again and again is left alone for a while. Raises ModelUnavailable, ModelRefused or
        ModelBlocked.
        """
        models = list(dict.fromkeys([request.model, *self._models[1:]] if request.model else self._models))
        started, seconds = time.monotonic(), request.timeout.total_seconds()
        failed: ModelUnavailable | None = None
        for place, model in enumerate(models):
            if not self._breaker.may_ask(model):
                continue
            left = seconds - (time.monotonic() - started)
            # A model that hangs must leave the next one time to answer.
            share = left if place == len(models) - 1 else left / 2
            try:
                return await self._ask_one(model, request, share)
            except ModelUnavailable as error:
                log.warning("model_failed_once", model=model, error=str(error))
                failed = error
        if failed is None:
            MODEL_CALLS.labels(models[0], "resting").inc()
        raise failed or ModelUnavailable("the model rests after failures")

    async def _ask_one(self, model: str, request: ModelRequest, seconds: float) -> ModelAnswer:
        """Ask one model within its share of the time, and remember how it went."""
        try:
            async with asyncio.timeout(seconds):
                answer = await self._ask_usefully(model, request)
        except TimeoutError as error:
            MODEL_CALLS.labels(model, "timeout").inc()
            self._breaker.failed(model)
            raise ModelUnavailable("no answer in time") from error
        except ModelUnavailable:
            self._breaker.failed(model)
            raise
        except BaseException:
            self._breaker.let_go(model)
            raise
        self._breaker.worked(model)
        return answer

    async def _ask_usefully(self, model: str, request: ModelRequest) -> ModelAnswer:
        """Ask again once where the answer was no answer; one that was cut off, with more room."""
        try:
            return await self._ask_patiently(model, request, _MAX_OUTPUT_TOKENS)
        except ModelBlocked as error:
            if error.kind is Blocked.REFUSED:
                raise
            log.warning("model_answer_unusable", model=model, kind=error.kind.value, reason=str(error))
            room = _MAX_OUTPUT_TOKENS * (2 if error.kind is Blocked.TOO_LONG else 1)
            return await self._ask_patiently(model, request, room)

    async def _ask_patiently(self, model: str, request: ModelRequest, room: int) -> ModelAnswer:
        """Ask one model, again with growing, jittered delays where the service says it may help."""
        attempt = 1
        while True:
            try:
                return await self._ask(model, request, room)
            except errors.APIError as error:
                MODEL_CALLS.labels(model, str(error.code)).inc()
                if error.code not in _RETRYABLE:
                    raise ModelRefused(f"{error.code} {error.status}: {error.message}") from error
                if attempt == _ATTEMPTS:
                    raise ModelUnavailable(f"{error.code} {error.status}") from error
                delay = _retry_delay(error) or _backoff(attempt)
            except (aiohttp.ClientError, OSError) as error:
                # A TimeoutError is an OSError too: the SDK raises it bare, and so does asyncio for our own limit.
                if isinstance(error, TimeoutError):
                    raise
                MODEL_CALLS.labels(model, "unreachable").inc()
                if attempt == _ATTEMPTS:
                    raise ModelUnavailable(type(error).__name__) from error
                delay = _backoff(attempt)
            attempt += 1
            await asyncio.sleep(delay)

    async def _ask(self, model: str, request: ModelRequest, room: int) -> ModelAnswer:
        response = await self._client.aio.models.generate_content(
            model=model,
            contents=[_to_sdk(content) for content in request.contents],
            config=_config(request, room),
        )
        usage = _usage(response)
        answered_by = response.model_version or model
        MODEL_TOKENS.labels(answered_by, "in").inc(usage.prompt_tokens)
        MODEL_TOKENS.labels(answered_by, "out").inc(usage.output_tokens)
        MODEL_TOKENS.labels(answered_by, "cached").inc(usage.cached_tokens)
        MODEL_COST.labels(answered_by).inc(cost_of(usage, answered_by) / 1_000_000)
        try:
            content = _answer(response)
        except ModelBlocked:
            MODEL_CALLS.labels(model, "blocked").inc()
            raise
        MODEL_CALLS.labels(model, "ok").inc()
        return ModelAnswer(content=content, usage=usage, model=answered_by)


def _config(request: ModelRequest, room: int) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(
        system_instruction=request.system,
        tools=[types.Tool(function_declarations=[_declaration(tool) for tool in request.tools])]
        if request.tools
        else None,
        # Declarations alone never trigger the SDK's own calling; said aloud because that would book without our guards.
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        safety_settings=_SAFETY,
        max_output_tokens=room,
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW),
        http_options=types.HttpOptions(timeout=int(request.timeout.total_seconds() * 1000)),
    )


def _declaration(tool: ToolDeclaration) -> types.FunctionDeclaration:
    return types.FunctionDeclaration(
        name=tool.name, description=tool.description, parameters_json_schema=dict(tool.parameters)
    )


def _answer(response: types.GenerateContentResponse) -> Content:
    """Return what was said or called. Raises ModelBlocked, by what the finish reason says (reference: FinishReason)."""
    if not response.candidates:
        feedback = response.prompt_feedback
        raise ModelBlocked(f"prompt: {feedback.block_reason if feedback else 'no candidates'}")
    candidate = response.candidates[0]
    reason = candidate.finish_reason.value if candidate.finish_reason else ""
    parts = (candidate.content.parts if candidate.content else None) or []
    content = Content(role="model", parts=tuple(part for part in map(_from_sdk, parts) if part is not None))
    if content.calls:
        return content
    if reason == "MAX_TOKENS":
        raise ModelBlocked("answer: MAX_TOKENS", Blocked.TOO_LONG)
    if not content.text.strip():
        raise ModelBlocked(f"answer: {reason}", _UNUSABLE.get(reason, Blocked.REFUSED))
    return content


def _from_sdk(part: types.Part) -> Part | None:
    signature = b64encode(part.thought_signature).decode() if part.thought_signature else None
    if part.function_call is not None:
        call = part.function_call
        return CallPart(id=call.id, name=call.name or "", arguments=dict(call.args or {}), signature=signature)
    if part.text is not None:
        return TextPart(text=part.text, thought=bool(part.thought), signature=signature)
    return None


def _to_sdk(content: Content) -> types.Content:
    return types.Content(role=content.role, parts=[_part_to_sdk(part) for part in content.parts])


def _part_to_sdk(part: Part) -> types.Part:
    match part:
        case TextPart():
            return types.Part(
                text=part.text, thought=part.thought or None, thought_signature=_signature(part.signature)
            )
        case CallPart():
            return types.Part(
                function_call=types.FunctionCall(id=part.id, name=part.name, args=part.arguments),
                thought_signature=_signature(part.signature),
            )
        case MediaPart():
            return types.Part(inline_data=types.Blob(mime_type=part.mime_type, data=part.data))
        case ResultPart():
            return types.Part(
                function_response=types.FunctionResponse(id=part.id, name=part.name, response=part.response)
            )


def _signature(encoded: str | None) -> bytes | None:
    return b64decode(encoded) if encoded else None


def _usage(response: types.GenerateContentResponse) -> Usage:
    """Count tokens; thoughts are billed as output."""
    counts = response.usage_metadata
    if counts is None:
        return Usage(calls=1)
    return Usage(
        calls=1,
        prompt_tokens=counts.prompt_token_count or 0,
        output_tokens=(counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0),
        cached_tokens=counts.cached_content_token_count or 0,
    )


def _backoff(attempt: int) -> float:
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)


def _retry_delay(error: errors.APIError) -> float | None:
    """Return the seconds that google.rpc.RetryInfo asks for, None where it is absent."""
    body: Any = error.details
    details: Sequence[Any] = body.get("error", {}).get("details", []) if isinstance(body, dict) else []
    for detail in details:
        delay = detail.get("retryDelay", "") if isinstance(detail, dict) else ""
        if isinstance(delay, str) and delay.endswith("s"):
            try:
                return timedelta(seconds=float(delay[:-1])).total_seconds()
            except ValueError:
                return None
    return None
