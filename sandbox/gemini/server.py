"""A local server that speaks the Gemini API's generateContent, with a script in place of the model.

Wire format and refusals follow Google's documents and the errors people report; nothing here knows its client.
"""

import asyncio
import contextlib
import inspect
import json
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.gemini.answer import Answer, answer_fault, answer_parts
from sandbox.gemini.explicit_caches import ExplicitCaches
from sandbox.gemini.faults import Fault, FaultKind, FaultQueue
from sandbox.gemini.http import decode_object, read_body, send_pieces, sse_event
from sandbox.gemini.models import METHODS, cache_minimum, check_model, describe_model, list_models
from sandbox.gemini.rules import check_request
from sandbox.gemini.usage import PrefixCache, count_prompt, prompt_segments
from sandbox.gemini.wire import CountRequest, GeminiError, GenerateRequest, Json, Policy, invalid, parse
from sandbox.scripted.model import ScriptedModel

_LOGGED_REQUESTS = 500
_LOGGED_BYTES = 64 * 1024 * 1024
_HANG_SECONDS = 600


@dataclass(slots=True, kw_only=True)
class LoggedRequest:
    """One call as it arrived; status is None until it is answered."""

    path: str
    model: str
    method: str
    api_key: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: Any
    size: int
    status: int | None = None


class GeminiSandbox:
    """Serves the API from start() to stop(), or within another application through add_routes()."""

    def __init__(
        self,
        api_keys: Collection[str] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        policy: Policy | None = None,
    ) -> None:
        """Accept these keys (None: any), ask this policy (None: the scripted model)."""
        self._api_keys = None if api_keys is None else frozenset(api_keys)
        self._policy: Policy = policy or ScriptedModel(clock=clock)
        self._cache = PrefixCache(clock)
        self._caches = ExplicitCaches(clock)
        self._faults = FaultQueue()
        self._log: deque[LoggedRequest] = deque()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """Return the base_url for the SDK, without a version."""
        return self._url

    @property
    def requests(self) -> list[LoggedRequest]:
        """List the latest calls, oldest first; at most 500 and 64 MB of them are kept."""
        return list(self._log)

    def fail_next(
        self,
        kind: FaultKind | str,
        times: int = 1,
        *,
        retry_after: float = 3,
        block_reason: str = "PROHIBITED_CONTENT",
    ) -> None:
        """Make the next calls of (stream)generateContent fail; raises ValueError for an unknown kind."""
        self._faults.add(Fault(kind=FaultKind(kind), retry_after=retry_after, block_reason=block_reason), times)

    def forget_caches(self) -> None:
        """Lose every explicit cache, as the service may."""
        self._caches.forget_all()

    def clear_faults(self) -> None:
        """Forget the failures still waiting."""
        self._faults.clear()

    def add_routes(self, app: web.Application) -> None:
        """Serve from this application; hanging calls end when it shuts down."""
        self._stopping.clear()
        version = "/{version:v1|v1beta}"
        app.router.add_post(version + "/models/{target:[^/]+}", self._on_call)
        app.router.add_post("/v1beta/cachedContents", self._on_cache)
        app.router.add_get(version + "/models", self._on_list)
        app.router.add_get(version + "/models/{model:[^/:]+}", self._on_describe)
        app.router.add_post("/sandbox/gemini/faults", self._on_fault)
        app.router.add_delete("/sandbox/gemini/faults", self._on_clear)
        app.on_shutdown.append(self._release)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one, url then names it."""
        app = web.Application()
        self.add_routes(app)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        self._runner = runner
        self._url = f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every connection; does nothing when not started."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _release(self, _app: web.Application) -> None:
        self._stopping.set()

    # ---- calls ----------------------------------------------------------------------------------------------------

    async def _on_call(self, request: web.Request) -> web.StreamResponse:
        logged: LoggedRequest | None = None
        try:
            raw = await read_body(request)
            key = self._check_key(request)
            model, _, method = request.match_info["target"].rpartition(":")
            if method not in METHODS:
                raise GeminiError(404, "NOT_FOUND", "Requested entity was not found.")
            check_model(model, version=request.match_info["version"], method=method)
            body = decode_object(raw)
            logged = self._record(request, model, method, key, body, len(raw))
            if method == "countTokens":
                response: web.StreamResponse = _count(model, body)
            else:
                response = await self._generate(request, logged, stream=method == "streamGenerateContent")
        except GeminiError as error:
            response = _error(error)
        if logged is not None:
            logged.status = response.status
        return response

    async def _generate(self, request: web.Request, logged: LoggedRequest, *, stream: bool) -> web.StreamResponse:
        events = stream and request.query.get("alt") == "sse"
        fault = self._faults.take()
        if fault is not None:
            await self._fail(fault, events=events)
        parsed, kept = self._caches.resolve(logged.model, logged.api_key, parse(GenerateRequest, logged.body))
        check_request(logged.model, parsed)
        answer = await self._answer(logged, parsed, fault, kept)
        if events:
            return await send_pieces(request, [sse_event(one) for one in answer.pieces()], "text/event-stream", fault)
        text = json.dumps(answer.pieces() if stream else answer.whole(), ensure_ascii=False)
        return await send_pieces(request, [text.encode()], "application/json", fault)

    async def _fail(self, fault: Fault, *, events: bool) -> None:
        """Raise the fault that needs no answer of a model; return for one that an answer carries."""
        if fault.kind is FaultKind.HANG:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _HANG_SECONDS)
            raise GeminiError(504, "DEADLINE_EXCEEDED", "The request timed out. Please try again.")
        error = fault.error()
        if error is not None and not (fault.kind is FaultKind.STREAM_ERROR and events):
            raise error

    async def _answer(self, logged: LoggedRequest, parsed: GenerateRequest, fault: Fault | None, kept: int) -> Answer:
        prompt = count_prompt(logged.model, parsed)
        empty = answer_fault(fault, prompt) if fault is not None else None
        if empty is not None:
            return empty
        result = self._policy(parsed)
        parts = await result if inspect.isawaitable(result) else result
        scope = f"{logged.api_key} {logged.model}"
        cached = self._cache.serve(scope, prompt_segments(parsed), minimum=cache_minimum(logged.model))
        return answer_parts(logged.model, parsed, parts, prompt, min(max(cached, kept), sum(prompt.values())))

    async def _on_cache(self, request: web.Request) -> web.Response:
        try:
            key = self._check_key(request)
            return web.json_response(self._caches.create(key, decode_object(await read_body(request))))
        except GeminiError as error:
            return _error(error)

    def _check_key(self, request: web.Request) -> str:
        key = request.headers.get("x-goog-api-key", "")
        if not key:
            raise GeminiError(
                403,
                "PERMISSION_DENIED",
                "Method doesn't allow unregistered callers (callers without established identity). "
                "Please use API Key or other form of API consumer identity to call this API.",
            )
        if self._api_keys is not None and key not in self._api_keys:
            message = "API key not valid. Please pass a valid API key."
            reason: Json = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
            raise invalid(message, [reason])
        return key

    def _record(
        self, request: web.Request, model: str, method: str, key: str, body: object, size: int
    ) -> LoggedRequest:
        headers = {name.lower(): value for name, value in request.headers.items()}
        one = LoggedRequest(
            path=request.path_qs, model=model, method=method, api_key=key, headers=headers, body=body, size=size
        )
        self._log.append(one)
        while len(self._log) > _LOGGED_REQUESTS or sum(each.size for each in self._log) > _LOGGED_BYTES:
            self._log.popleft()
        return one

    # ---- models and faults ------------------------------------------------------------------------------------------

    async def _on_list(self, request: web.Request) -> web.Response:
        try:
            self._check_key(request)
        except GeminiError as error:
            return _error(error)
        return web.json_response(
            {"models": [describe_model(one) for one in list_models(request.match_info["version"])]}
        )

    async def _on_describe(self, request: web.Request) -> web.Response:
        name = request.match_info["model"]
        try:
            self._check_key(request)
            check_model(name, version=request.match_info["version"], method="get")
        except GeminiError as error:
            return _error(error)
        return web.json_response(describe_model(name))

    async def _on_fault(self, request: web.Request) -> web.Response:
        """Queue faults: {"kind", "times"?, "retry_after"?, "block_reason"?}."""
        try:
            body = decode_object(await read_body(request))
            self.fail_next(**body)
        except GeminiError as error:
            return _error(error)
        except (TypeError, ValueError) as error:
            return _error(invalid(f"{error}; kinds: {', '.join(FaultKind)}"))
        return web.json_response({"waiting": len(self._faults)})

    async def _on_clear(self, _request: web.Request) -> web.Response:
        self.clear_faults()
        return web.json_response({"waiting": 0})


def _count(model: str, body: object) -> web.Response:
    parsed = parse(CountRequest, body)
    request = parsed.generate_content_request or GenerateRequest(contents=parsed.contents)
    if not request.contents:
        raise invalid("* CountTokensRequest.contents: contents is not specified\n")
    counts = count_prompt(model, request)
    details = [{"modality": kind, "tokenCount": count} for kind, count in counts.items()]
    return web.json_response({"totalTokens": sum(counts.values()), "promptTokensDetails": details})


def _error(error: GeminiError) -> web.Response:
    return web.json_response(error.body(), status=error.code)
