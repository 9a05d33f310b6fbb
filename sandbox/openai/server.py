"""The server: a key, models that it knows, the same scripted policy as the local Gemini, and failures on request."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.gemini.models import SERVED
from sandbox.gemini.usage import count_prompt
from sandbox.gemini.wire import GenerateRequest
from sandbox.openai.wire import Json, OpenAIError, as_policy_reads, check, chunks, completion, document
from sandbox.scripted.model import ScriptedModel

_HANG_S = 600
_LOGGED = 500
_FAULTS: dict[str, tuple[int, str]] = {
    "rate_limited": (429, "Rate limit reached for requests"),
    "unavailable": (503, "The engine is currently overloaded, please try again later"),
    "internal": (500, "The server had an error while processing your request"),
}
_ODD: dict[str, tuple[Json, str]] = {
    "content_filter": ({"role": "assistant", "content": None, "refusal": None}, "content_filter"),
    "refusal": ({"role": "assistant", "content": None, "refusal": "I can't help with that."}, "stop"),
    "length": ({"role": "assistant", "content": "Стрижка стоит", "refusal": None}, "length"),
    "empty": ({"role": "assistant", "content": "", "refusal": None}, "stop"),
    "malformed": (
        {
            "role": "assistant",
            "content": None,
            "refusal": None,
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "get_services", "arguments": '{"query": "ст'}}
            ],
        },
        "tool_calls",
    ),
}
FAULTS = (*_FAULTS, *_ODD, "hang", "cut", "cut_stream")


class OpenAISandbox:
    """`policy`: what answers; None: the scripted model. `key`: the only one that is taken.

    `lists_models` False: an endpoint that knows chat completions only.
    """

    def __init__(
        self,
        *,
        key: str = "sk-sandbox",
        models: Sequence[str] = ("house-model", "house-spare"),
        policy: Callable[[GenerateRequest], Any] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lists_models: bool = True,
    ) -> None:
        self.key = key
        self.models = models
        self.lists_models = lists_models
        self.requests: deque[Json] = deque(maxlen=_LOGGED)
        self.violations: list[str] = []
        """What was refused as malformed."""
        self._policy = policy or ScriptedModel(clock=clock)
        self._faults: deque[str] = deque()
        self._runner: web.AppRunner | None = None
        self.url = ""

    def fail_next(self, kind: str, times: int = 1) -> None:
        """Make the next calls fail. Raises ValueError for an unknown kind."""
        if kind not in FAULTS:
            raise ValueError(f"{kind!r} is none of {', '.join(FAULTS)}")
        self._faults.extend([kind] * times)

    async def start(self, host: str = "127.0.0.1") -> None:
        """Listen on a free port; `url` is then the SDK's base_url."""
        application = web.Application(client_max_size=20 * 1024 * 1024)
        application.router.add_post("/v1/chat/completions", self._on_call)
        if self.lists_models:
            application.router.add_get("/v1/models", self._on_list)
        self._runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, 0).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _on_list(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response(
                OpenAIError(401, "Incorrect API key provided.", code="invalid_api_key").body, status=401
            )
        listed = [{"id": one, "object": "model", "created": 0, "owned_by": "sandbox"} for one in self.models]
        return web.json_response({"object": "list", "data": listed})

    async def _on_call(self, request: web.Request) -> web.StreamResponse:
        try:
            if request.headers.get("Authorization") != f"Bearer {self.key}":
                raise OpenAIError(401, "Incorrect API key provided.", code="invalid_api_key")
            body = json.loads(await request.read())
            self.requests.append(body)
            if body.get("model") not in self.models:
                raise OpenAIError(404, f"The model `{body.get('model')}` does not exist.", code="model_not_found")
            check(body)
            if self._faults and self._faults[0] != "cut_stream":
                return await self._fail(self._faults.popleft(), request, body)
            parsed = as_policy_reads(body)
            parts = self._policy(parsed)
            parts = await parts if inspect.isawaitable(parts) else parts
            tokens = sum(count_prompt(SERVED[0], parsed).values())
            return await _send(request, body, completion(f"{body['model']}-2026-11", tokens, parts), self._cut_now())
        except OpenAIError as error:
            if error.status == 400:
                self.violations.append(str(error))
            return web.json_response(error.body, status=error.status)

    def _cut_now(self) -> bool:
        """Say whether the stream is to break in its middle."""
        return bool(self._faults) and self._faults.popleft() == "cut_stream"

    async def _fail(self, kind: str, request: web.Request, body: Json) -> web.StreamResponse:
        if kind in _ODD:
            message, finish = _ODD[kind]
            return await _send(request, body, document(body["model"], message, finish, 10, 1))
        if kind == "hang":
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(_HANG_S)
        if kind in ("hang", "cut"):
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        status, message_text = _FAULTS[kind]
        error = OpenAIError(status, message_text, kind="server_error")
        return web.json_response(error.body, status=status, headers={"Retry-After": "0"})


async def _send(request: web.Request, body: Json, whole: Json, cut: bool = False) -> web.StreamResponse:
    """Answer in one piece, or as the server-sent events of a stream; `cut`: it breaks in its middle."""
    if not body.get("stream"):
        return web.json_response(whole)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    pieces = chunks(whole, with_usage=bool((body.get("stream_options") or {}).get("include_usage")))
    for piece in pieces[: len(pieces) // 2] if cut else pieces:
        await response.write(f"data: {json.dumps(piece, ensure_ascii=False)}\n\n".encode())
    if cut and request.transport is not None:
        request.transport.close()
        return response
    await response.write(b"data: [DONE]\n\n")
    await response.write_eof()
    return response
