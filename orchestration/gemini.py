"""Gemini behind the Model port: the only file that knows google-genai.

Written against google-genai 3.4 (generateContent). What surprises there and is dealt with here: time-outs are in
milliseconds and none by default, they and refused connections are no APIError, RetryInfo is not honoured by the SDK's
own retries, and candidates, content and text may each be None.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.request import getproxies

import aiohttp
from google import genai
from google.genai import errors, types
from pydantic import SecretStr

from db.records import Usage
from orchestration.errors import Blocked, ModelBlocked, ModelRefused, ModelUnavailable
from orchestration.gemini_body import body_of, tools_of
from orchestration.gemini_caches import LIFETIME_S, GeminiCaches
from orchestration.model_breaker import ModelBreaker
from orchestration.model_service import MODEL_CALLS, RETRYABLE, ModelService, Overloaded, count_usage
from orchestration.ports import (
    CallPart,
    Content,
    Listener,
    ModelAnswer,
    ModelRequest,
    Part,
    TextPart,
    ToolDeclaration,
)

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
_CACHES_VERSION, _CACHE_TIMEOUT_MS = "v1beta", 30_000
_LONGEST_LINE = 2**22
"""Of a streamed answer, in bytes, as the SDK has it: a signature of thoughts may take a line of its own."""
_CACHE_IS_GONE = frozenset({400, 403, 404})
"""What a question with a cache is answered that is known no more, or that will not be used."""
_IN_THE_BODY: types.ContentListUnion = [types.Content(role="user")]
"""The SDK will not ask without contents; those of the body take their place."""


class GeminiService(ModelService):
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
        cache_from_chars: int | None = None,
    ) -> None:
        """`cache_from_chars`: from which length of the stable part on it is kept there; None: never."""
        super().__init__([model, *([fallback_model] if fallback_model else [])], breaker)
        self._http = _session()
        self._client = genai.Client(
            api_key=api_key.get_secret_value(),
            vertexai=False,
            http_options=types.HttpOptions(base_url=api_url, api_version=api_version, aiohttp_client=self._http),
        )
        # The SDK's classes are built on first use, which takes 0.3 s: the first client is not to wait for it.
        for one in (types.GenerateContentConfig, types.GenerateContentResponse, types.Content):
            one.model_rebuild()
        # Explicit caches exist in v1beta only.
        wanted = cache_from_chars is not None and api_version == _CACHES_VERSION
        self.caches = GeminiCaches(self._make_cache, cache_from_chars) if wanted and cache_from_chars else None

    async def close(self) -> None:
        if self.caches is not None:
            await self.caches.close()
        await self._client.aio.aclose()
        if self._http is not None:
            await self._http.close()

    async def knows(self, model: str, *, within: timedelta) -> bool | None:
        """By models.get (https://ai.google.dev/api/models#method:-models.get)."""
        limit = types.HttpOptions(timeout=round(within.total_seconds() * 1000))
        try:
            # After a refused connection the SDK rests for up to ten seconds, whatever its own limit is.
            async with asyncio.timeout(within.total_seconds()):
                await self._client.aio.models.get(model=model, config=types.GetModelConfig(http_options=limit))
        except errors.APIError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return False
            kind = ModelUnavailable if error.code in RETRYABLE else ModelRefused
            raise kind(f"{error.code} {error.status}: {error.message}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ModelUnavailable(
                "no answer in time" if isinstance(error, TimeoutError) else "no connection"
            ) from error
        return True

    async def _make_cache(self, model: str, stable: str, tools: Sequence[ToolDeclaration]) -> str:
        made = await self._client.aio.caches.create(
            model=model,
            config=types.CreateCachedContentConfig(
                system_instruction=stable,
                ttl=f"{LIFETIME_S}s",
                http_options=types.HttpOptions(timeout=_CACHE_TIMEOUT_MS, extra_body={"tools": tools_of(tools)}),
            ),
        )
        if not made.name:
            raise ModelRefused("a cache without a name")
        return made.name

    async def ask(self, model: str, request: ModelRequest, *, room: int) -> ModelAnswer:
        cache = self.caches.find(model, request.stable, request.tools) if self.caches else None
        config = _config(request, room, cache)
        try:
            if request.listener is None:
                response = await self._client.aio.models.generate_content(
                    model=model, contents=_IN_THE_BODY, config=config
                )
            else:
                response = await self._listen(model, config, request.listener)
        except errors.APIError as error:
            if cache is not None and self.caches is not None and error.code in _CACHE_IS_GONE:
                self.caches.forget(cache)
                raise Overloaded(f"cache_{error.code}", delay=0.01) from error
            if error.code not in RETRYABLE:
                MODEL_CALLS.labels(model, str(error.code)).inc()
                raise ModelRefused(f"{error.code} {error.status}: {error.message}") from error
            raise Overloaded(str(error.code), _retry_delay(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            # A TimeoutError is an OSError too: the SDK raises it bare, and so does asyncio for our own limit.
            if isinstance(error, TimeoutError):
                raise
            raise Overloaded("unreachable") from error
        usage, answered_by = _usage(response), response.model_version or model
        # What was thought and then blocked is billed too.
        counted = count_usage(ModelAnswer(content=Content(role="model", parts=()), usage=usage, model=answered_by))
        return replace(counted, content=_answer(response))

    async def _listen(
        self, model: str, config: types.GenerateContentConfig, listener: Listener
    ) -> types.GenerateContentResponse:
        """Ask for the answer as it is written; return the whole of it, its parts as they came.

        The finish reason and the counts stand in the last piece, or in several that repeat and correct them.
        """
        whole = types.GenerateContentResponse()
        parts: list[types.Part] = []
        pieces = await self._client.aio.models.generate_content_stream(
            model=model, contents=_IN_THE_BODY, config=config
        )
        async for piece in pieces:
            whole.usage_metadata = piece.usage_metadata or whole.usage_metadata
            whole.model_version = piece.model_version or whole.model_version
            whole.prompt_feedback = piece.prompt_feedback or whole.prompt_feedback
            for candidate in (piece.candidates or [])[:1]:
                new = (candidate.content.parts if candidate.content else None) or []
                _put_together(parts, new)
                reason = candidate.finish_reason or (whole.candidates[0].finish_reason if whole.candidates else None)
                content = types.Content(role="model", parts=parts)
                whole.candidates = [types.Candidate(content=content, finish_reason=reason)]
                for part in new:
                    if part.text and not part.thought:
                        await listener.hear(part.text)
        return whole


def _session() -> aiohttp.ClientSession | None:
    """Return connections like the SDK's own; None without a loop: then it makes its own on first use.

    Its own ask in threads, for each call, whether .netrc or the environment names a proxy: a tenth of a call's cost.
    Here the environment is asked once, and .netrc only with a proxy.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return None
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), trust_env=bool(getproxies()), read_bufsize=_LONGEST_LINE
    )


def _put_together(parts: list[types.Part], new: Sequence[types.Part]) -> None:
    """Add what came; words that follow words are one part, where neither is signed (a signed part stays as it is)."""
    for part in new:
        last = parts[-1] if parts else None
        if last is not None and _is_plain(last) and _is_plain(part) and bool(last.thought) == bool(part.thought):
            parts[-1] = last.model_copy(update={"text": f"{last.text}{part.text}"})
        else:
            parts.append(part)


def _is_plain(part: types.Part) -> bool:
    return bool(part.text) and part.thought_signature is None and part.function_call is None


def _config(request: ModelRequest, room: int, cache: str | None) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(
        # Declarations alone never trigger the SDK's own calling; said aloud because that would book without our guards.
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        http_options=types.HttpOptions(
            timeout=int(request.timeout.total_seconds() * 1000),
            extra_body=body_of(request, room=room, cache=cache),
        ),
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
