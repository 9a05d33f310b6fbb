"""The Gemini sandbox keeps the API's promises: driven by the real google-genai SDK, and over plain HTTP."""

import asyncio
import base64
import contextlib
import copy
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from google import genai
from google.genai import errors, types

from sandbox.gemini.server import GeminiSandbox
from sandbox.gemini.usage import PrefixCache
from sandbox.gemini.wire import GenerateRequest, Part, call_part, text_part

MODEL = "gemini-3.8-flash"
KEY = "sandbox-key"
NO_AUTOMATIC_CALLS = types.AutomaticFunctionCallingConfig(disable=True)
SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def scripted(request: GenerateRequest) -> list[Part]:
    """Call twice in parallel when asked about days, once more after the first results, then answer."""
    contents = request.contents or []
    last = contents[-1].text
    if "days" in last:
        return [call_part("slots", {"day": "wed"}), call_part("slots", {"day": "thu"})]
    answered = sum(len(content.responses) for content in contents)
    if answered == 2:
        return [text_part("One moment."), call_part("slots", {"day": "fri"})]
    return [text_part("The answer is a rather long text, long enough for several pieces of a stream.")]


@contextlib.asynccontextmanager
async def sdk(server: GeminiSandbox) -> AsyncIterator[genai.Client]:
    """Open the SDK on a session of ours: its own inherits from ClientSession, which aiohttp warns of."""
    async with aiohttp.ClientSession() as session:
        options = types.HttpOptions(base_url=server.url, timeout=10_000, aiohttp_client=session)
        made = genai.Client(api_key=KEY, http_options=options)
        yield made
        await made.aio.aclose()
        made.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[GeminiSandbox]:
    server = GeminiSandbox(api_keys={KEY}, policy=scripted)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(sandbox: GeminiSandbox) -> AsyncIterator[genai.Client]:
    async with sdk(sandbox) as made:
        yield made


@pytest.fixture
async def http(sandbox: GeminiSandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url, headers={"x-goog-api-key": KEY}) as session:
        yield session


def config(**more: Any) -> types.GenerateContentConfig:
    tool = types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="slots", description="Free times.", parameters_json_schema=SCHEMA)
        ]
    )
    return types.GenerateContentConfig(tools=[tool], automatic_function_calling=NO_AUTOMATIC_CALLS, **more)


def user(text: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part(text=text)])


def answers(content: types.Content) -> types.Content:
    """Answer every call of a model turn, as an agent does: one content, ids and names given back."""
    calls = [part.function_call for part in content.parts or [] if part.function_call]
    made = [types.FunctionResponse(id=call.id, name=call.name, response={"slots": []}) for call in calls]
    return types.Content(role="user", parts=[types.Part(function_response=one) for one in made])


def content_of(response: types.GenerateContentResponse) -> types.Content:
    assert response.candidates
    content = response.candidates[0].content
    assert content is not None
    return content


async def called(client: genai.Client) -> list[types.Content]:
    """Lead a conversation to where two parallel calls have just been made and answered."""
    asked = user("which days?")
    response = await client.aio.models.generate_content(model=MODEL, contents=[asked], config=config())
    return [asked, content_of(response), answers(content_of(response))]


# ---- function calling and signatures ---------------------------------------------------------------------------------


async def test_a_turn_of_parallel_and_sequential_calls_is_answered_when_signatures_come_back(
    client: genai.Client,
) -> None:
    history = await called(client)

    second = await client.aio.models.generate_content(model=MODEL, contents=history, config=config())
    history += [content_of(second), answers(content_of(second))]
    third = await client.aio.models.generate_content(model=MODEL, contents=history, config=config())

    first_parts, second_parts = history[1].parts or [], history[3].parts or []
    assert [part.thought_signature is not None for part in first_parts] == [True, False]
    assert [part.function_call is not None for part in second_parts] == [False, True]
    assert second_parts[1].thought_signature
    assert third.text is not None
    assert third.text.startswith("The answer")
    assert third.model_version == "scripted-model (sandbox)"
    assert third.response_id


async def test_a_history_kept_as_json_is_accepted(client: genai.Client) -> None:
    stored = [content.model_dump_json(exclude_none=True) for content in await called(client)]

    restored = [types.Content.model_validate_json(one) for one in stored]

    await client.aio.models.generate_content(model=MODEL, contents=restored, config=config())


def drop_signature(history: list[types.Content]) -> None:
    for part in history[1].parts or []:
        part.thought_signature = None


def swap_calls(history: list[types.Content]) -> None:
    (history[1].parts or []).reverse()


def change_argument(history: list[types.Content]) -> None:
    call = (history[1].parts or [])[1].function_call
    assert call is not None
    call.args = {"day": "sun"}


def shorten_signature(history: list[types.Content]) -> None:
    part = (history[1].parts or [])[0]
    part.thought_signature = (part.thought_signature or b"")[:-1]


def damage_signature(history: list[types.Content]) -> None:
    part = (history[1].parts or [])[0]
    part.thought_signature = bytes(one ^ 1 for one in part.thought_signature or b"")


def use_dummy_signature(history: list[types.Content]) -> None:
    (history[1].parts or [])[0].thought_signature = b"skip_thought_signature_validator"


SIGNATURES = [
    (None, None),
    (drop_signature, "missing a thought_signature in functionCall parts"),
    (swap_calls, "missing a thought_signature in functionCall parts"),
    (change_argument, "Corrupted thought signature."),
    (damage_signature, "Corrupted thought signature."),
    (shorten_signature, "Invalid thought signature."),
    (use_dummy_signature, "Invalid thought signature."),
]


@pytest.mark.parametrize(("change", "message"), SIGNATURES)
async def test_calls_of_the_current_turn_must_come_back_signed_as_issued(
    client: genai.Client, change: Any, message: str | None
) -> None:
    history = await called(client)
    if change is not None:
        change(history)

    if message is None:
        await client.aio.models.generate_content(model=MODEL, contents=history, config=config())
        return
    with pytest.raises(errors.ClientError) as caught:
        await client.aio.models.generate_content(model=MODEL, contents=history, config=config())

    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert message in str(caught.value.message)


async def test_signatures_of_older_turns_are_not_looked_at(client: genai.Client) -> None:
    history = await called(client)
    drop_signature(history)
    history += [types.Content(role="model", parts=[types.Part(text="None.")]), user("and now?")]

    response = await client.aio.models.generate_content(model=MODEL, contents=history, config=config())

    assert response.candidates


async def test_another_models_signature_is_refused_within_a_turn(client: genai.Client) -> None:
    history = await called(client)

    with pytest.raises(errors.ClientError, match="Corrupted thought signature"):
        await client.aio.models.generate_content(model="gemini-3.5-flash-lite", contents=history, config=config())


async def test_the_second_generation_needs_no_signature(client: genai.Client) -> None:
    asked = user("which days?")
    first = await client.aio.models.generate_content(model="gemini-2.5-flash", contents=[asked], config=config())

    parts = content_of(first).parts or []
    history: list[Any] = [asked, content_of(first), answers(content_of(first))]
    second = await client.aio.models.generate_content(model="gemini-2.5-flash", contents=history, config=config())

    assert all(part.thought_signature is None for part in parts)
    assert second.candidates


# ---- streaming -------------------------------------------------------------------------------------------------------


async def test_a_stream_brings_the_same_text_in_pieces_with_signature_and_usage_at_the_end(
    client: genai.Client,
) -> None:
    whole = await client.aio.models.generate_content(model=MODEL, contents="hello", config=config())

    chunks = [chunk async for chunk in await client.aio.models.generate_content_stream(model=MODEL, contents="hello")]

    parts = [part for chunk in chunks for part in content_of(chunk).parts or []]
    assert len(chunks) > 2
    assert "".join(part.text or "" for part in parts) == whole.text
    assert parts[-1].text == ""
    assert parts[-1].thought_signature
    assert [chunk.usage_metadata is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].candidates
    assert chunks[-1].candidates[0].finish_reason is types.FinishReason.STOP


async def test_streamed_calls_carry_their_signature(client: genai.Client) -> None:
    stream = await client.aio.models.generate_content_stream(model=MODEL, contents="which days?", config=config())
    parts = [part async for chunk in stream for part in content_of(chunk).parts or []]

    model = types.Content(role="model", parts=parts)
    await client.aio.models.generate_content(
        model=MODEL, contents=[user("which days?"), model, answers(model)], config=config()
    )

    assert [part.thought_signature is not None for part in parts] == [True, False]


async def test_without_alt_sse_a_stream_is_a_json_array(http: aiohttp.ClientSession) -> None:
    async with http.post(f"/v1/models/{MODEL}:streamGenerateContent", json=body()) as response:
        pieces = await response.json()

    assert isinstance(pieces, list)
    assert pieces[-1]["candidates"][0]["finishReason"] == "STOP"


# ---- what is refused -------------------------------------------------------------------------------------------------


def body(**more: Any) -> dict[str, Any]:
    """A request in the other spelling than the SDK's, which the API takes as well."""
    declaration = {"name": "slots", "description": "d", "parametersJsonSchema": copy.deepcopy(SCHEMA)}
    return {
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "tools": [{"function_declarations": [declaration]}],
        **more,
    }


def declared(**fields: Any) -> dict[str, Any]:
    return body(tools=[{"functionDeclarations": [{"name": "slots", **fields}]}])


def turns(*contents: dict[str, Any]) -> dict[str, Any]:
    return body(contents=list(contents))


def said(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text}]}


def call(**fields: Any) -> dict[str, Any]:
    return {"role": "model", "parts": [{"functionCall": {"id": "1", "name": "slots", "args": {}, **fields}}]}


def result(**fields: Any) -> dict[str, Any]:
    answer = {"id": "1", "name": "slots", "response": {}, **fields}
    return {"role": "user", "parts": [{"functionResponse": answer}]}


def blob(mime_type: str, data: str = "T2dnUw==") -> dict[str, Any]:
    return turns({"role": "user", "parts": [{"inlineData": {"mime_type": mime_type, "data": data}}]})


def called_with(mode: str, *allowed: str) -> dict[str, Any]:
    calling: dict[str, Any] = {"mode": mode, **({"allowedFunctionNames": list(allowed)} if allowed else {})}
    return body(toolConfig={"functionCallingConfig": calling})


def generation(**fields: Any) -> dict[str, Any]:
    return body(generationConfig=fields)


OLD = (said("a"), call(), result(), said("b", "model"), said("c"))
BODIES: list[tuple[dict[str, Any], str | None]] = [
    (body(), None),
    (body(system_instruction={"parts": [{"text": "be kind"}]}), None),
    (body(contents=[]), "contents is not specified"),
    ({"tools": []}, "contents is not specified"),
    (body(colour="red"), 'Unknown name "colour"'),
    (turns({"role": "user", "parts": [{"txt": "hi"}]}), "Unknown name \"txt\" at 'contents[0].parts[0]'"),
    (turns({"role": "user", "parts": [{"text": 7}]}), "Invalid value at 'contents[0].parts[0].text'"),
    (turns({"role": "assistant", "parts": [{"text": "hi"}]}), "Please use a valid role: user, model."),
    (turns({"role": "user", "parts": []}), "contents.parts must not be empty"),
    (turns(said("")), "must have one initialized field"),
    (turns({"role": "user", "parts": [{"text": "a", "functionResponse": {}}]}), "oneof field 'data' is already set"),
    (turns(said("a"), said("b")), None),
    (turns(said("hello", "model"), said("b")), None),
    (turns(said("a"), said("b", "model")), "end with a user role"),
    (turns(*OLD), None),
    (turns(call(), *OLD[2:]), "function call turn comes immediately after a user turn"),
    (turns(said("a"), said("x", "model"), *OLD[1:]), "function call turn comes immediately after a user turn"),
    (turns(OLD[0], OLD[1], *OLD[3:]), "number of function response parts is equal"),
    (turns(said("a"), result(), said("c")), "function response turn comes immediately after a function call turn"),
    (turns(OLD[0], OLD[1], result(), result(), *OLD[3:]), "function response turn comes immediately after"),
    (turns(OLD[0], OLD[1], result(id="2"), *OLD[3:]), "id and name of each function response"),
    (turns(OLD[0], OLD[1], result(id=None), *OLD[3:]), "id and name of each function response"),
    (turns(OLD[0], OLD[1], result(name="other"), *OLD[3:]), "id and name of each function response"),
    (turns(OLD[0], OLD[1], result(response=[1]), *OLD[3:]), "function_response.response"),
    (turns(OLD[0], OLD[1], result(name=""), *OLD[3:]), "Name cannot be empty"),
    (blob("audio/ogg"), None),
    (blob("image/jpeg"), None),
    (blob("audio/ogg; codecs=opus"), "Unsupported MIME type: audio/ogg; codecs=opus"),
    (blob("application/zip"), "Unsupported MIME type"),
    (blob("audio/ogg", "not base64!"), "Base64 decoding failed"),
    (declared(name="a.b:c-d_9"), None),
    (declared(name="9lives"), "Invalid function name"),
    (declared(name="a" * 65), "Invalid function name"),
    (declared(name="имя"), "Invalid function name"),
    (body(tools=[{"functionDeclarations": [{"name": "slots"}, {"name": "slots"}]}]), "Duplicate function declaration"),
    (declared(parameters={"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}), None),
    (declared(parameters=SCHEMA, parameters_json_schema=SCHEMA), "only one of parameters and parameters_json_schema"),
    (declared(parameters_json_schema={"type": "string"}), "should be of type OBJECT"),
    (declared(parameters={**SCHEMA, "additionalProperties": False}), 'Unknown name "additionalProperties"'),
    (declared(parameters={"type": "object", "properties": {}}), "should be non-empty for OBJECT type"),
    (declared(parameters={"type": "object", "properties": {"a": {"type": ["string", "null"]}}}), "not repeating"),
    (declared(parameters={"type": "object", "properties": {"a": {"type": "array"}}}), "missing field"),
    (called_with("VALIDATED"), None),
    (called_with("ANY", "slots"), None),
    (called_with("SOMETIMES"), "function_calling_config.mode"),
    (called_with("AUTO", "slots"), "Allowed function names"),
    (called_with("ANY", "other"), "not found in function declarations"),
    (generation(temperature=0.3, topP=0.9, topK=40, seed=1, maxOutputTokens=500), None),
    (generation(temperature=3), "temperature"),
    (generation(thinkingConfig={"thinking_level": "LOW"}), None),
    (generation(thinkingConfig={"thinkingLevel": "MINIMAL"}), "Thinking level MINIMAL is not supported"),
    (generation(thinkingConfig={"thinkingLevel": "LOW", "thinkingBudget": 10}), "thinking budget and thinking level"),
    (body(cachedContent="cachedContents/abc"), "CachedContent not found"),
]


@pytest.mark.parametrize(("request_body", "refusal"), BODIES)
async def test_requests_are_taken_or_refused_as_the_api_does(
    http: aiohttp.ClientSession, request_body: dict[str, Any], refusal: str | None
) -> None:
    async with http.post(f"/v1/models/{MODEL}:generateContent", json=request_body) as response:
        answer = await response.json()

    if refusal is None:
        assert response.status == 200, answer
        assert answer["candidates"][0]["finishReason"] == "STOP"
    else:
        assert response.status in (400, 403)
        assert answer["error"]["code"] == response.status
        assert answer["error"]["status"] in ("INVALID_ARGUMENT", "PERMISSION_DENIED")
        assert refusal in answer["error"]["message"]


@pytest.mark.parametrize(("raw", "message"), [(b"{", "Invalid JSON payload"), (b"[]", "Root element")])
async def test_a_body_that_is_no_json_object_is_refused(http: aiohttp.ClientSession, raw: bytes, message: str) -> None:
    async with http.post(f"/v1/models/{MODEL}:generateContent", data=raw) as response:
        answer = await response.json()

    assert response.status == 400
    assert message in answer["error"]["message"]


async def test_a_body_over_20_mb_is_refused(http: aiohttp.ClientSession) -> None:
    voice = base64.b64encode(bytes(16 * 1024 * 1024)).decode()
    raw = io.BytesIO(json.dumps(blob("audio/ogg", voice)).encode())

    async with http.post(f"/v1/models/{MODEL}:generateContent", data=raw) as response:
        answer = await response.json()

    assert response.status == 400
    assert "exceeds the limit" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("key", "status", "message"),
    [
        (KEY, 200, ""),
        ("", 403, "Method doesn't allow unregistered callers"),
        ("other", 400, "API key not valid. Please pass a valid API key."),
    ],
)
@pytest.mark.parametrize("path", ["/v1beta/models", f"/v1/models/{MODEL}", f"/v1/models/{MODEL}:generateContent"])
async def test_every_call_needs_a_known_key(
    sandbox: GeminiSandbox, path: str, key: str, status: int, message: str
) -> None:
    async with (
        aiohttp.ClientSession(sandbox.url, headers={"x-goog-api-key": key} if key else {}) as session,
        session.request("POST" if ":" in path else "GET", path, json=body() if ":" in path else None) as response,
    ):
        answer = await response.json()

    assert response.status == status
    if status == 400:
        assert answer["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert message in answer.get("error", {}).get("message", "")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/models/{MODEL}:generateContent", 200),
        ("/v1beta/models/gemini-flash-latest:generateContent", 200),
        ("/v1/models/gemini-flash-latest:generateContent", 404),
        ("/v1/models/gemini-2.0-flash:generateContent", 404),
        ("/v1/models/gemini-99:generateContent", 404),
        (f"/v1/models/{MODEL}:generateMiracle", 404),
    ],
)
async def test_only_served_models_and_methods_answer(http: aiohttp.ClientSession, path: str, status: int) -> None:
    async with http.post(path, json=body()) as response:
        answer = await response.json()

    assert response.status == status
    if status == 404:
        assert answer["error"]["status"] == "NOT_FOUND"


async def test_models_can_be_asked_for(client: genai.Client) -> None:
    model = await client.aio.models.get(model=MODEL)

    assert model.name == f"models/{MODEL}"
    with pytest.raises(errors.ClientError) as caught:
        await client.aio.models.get(model="gemini-99")
    assert caught.value.code == 404


# ---- failures on request ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [("rate_limited", 429, "RESOURCE_EXHAUSTED"), ("unavailable", 503, "UNAVAILABLE"), ("internal", 500, "INTERNAL")],
)
async def test_the_next_calls_fail_with_a_status_and_the_one_after_is_well(
    sandbox: GeminiSandbox, client: genai.Client, kind: str, code: int, status: str
) -> None:
    sandbox.fail_next(kind, 2, retry_after=7)

    for _ in range(2):
        with pytest.raises(errors.APIError) as caught:
            await client.aio.models.generate_content(model=MODEL, contents="hello")
        assert (caught.value.code, caught.value.status) == (code, status)
    if code == 429:
        details = caught.value.details["error"]["details"]
        assert {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"} in details

    assert (await client.aio.models.generate_content(model=MODEL, contents="hello")).text


async def test_the_sdks_own_retries_overcome_a_short_overload(sandbox: GeminiSandbox, client: genai.Client) -> None:
    sandbox.fail_next("unavailable")
    retries = types.HttpRetryOptions(attempts=2, initial_delay=0.001, max_delay=0.001, jitter=0.0)

    response = await client.aio.models.generate_content(
        model=MODEL, contents="hello", config=config(http_options=types.HttpOptions(retry_options=retries))
    )

    assert response.text
    assert [one.status for one in sandbox.requests] == [503, 200]


async def test_a_hanging_call_ends_by_the_clients_time_limit(sandbox: GeminiSandbox, client: genai.Client) -> None:
    sandbox.fail_next("hang")

    with pytest.raises(TimeoutError):
        await client.aio.models.generate_content(
            model=MODEL, contents="hello", config=config(http_options=types.HttpOptions(timeout=50))
        )


async def test_stopping_ends_a_hanging_call(sandbox: GeminiSandbox, http: aiohttp.ClientSession) -> None:
    sandbox.fail_next("hang")

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        hanging = tasks.create_task(ended(http))
        while not sandbox.requests:  # noqa: ASYNC110  the server has no event for a request that arrived
            await asyncio.sleep(0)
        await sandbox.stop()

    assert hanging.result() != 200


async def ended(http: aiohttp.ClientSession) -> int | None:
    """Return the status of a call, None if the connection closed."""
    try:
        async with http.post(f"/v1/models/{MODEL}:generateContent", json=body()) as response:
            return response.status
    except aiohttp.ClientError:
        return None


async def test_an_answer_is_cut_in_the_middle(sandbox: GeminiSandbox, client: genai.Client) -> None:
    sandbox.fail_next("cut", 2)

    with pytest.raises(aiohttp.ClientError):
        await client.aio.models.generate_content(model=MODEL, contents="hello")

    stream = await client.aio.models.generate_content_stream(model=MODEL, contents="hello")
    seen: list[str | None] = []
    with pytest.raises(aiohttp.ClientError):
        await collect(stream, seen)
    assert len(seen) == 1


async def test_an_error_comes_within_a_stream(sandbox: GeminiSandbox, client: genai.Client) -> None:
    sandbox.fail_next("stream_error")

    stream = await client.aio.models.generate_content_stream(model=MODEL, contents="hello")
    seen: list[str | None] = []
    with pytest.raises(errors.ServerError):
        await collect(stream, seen)

    assert len(seen) == 1


async def collect(stream: AsyncIterator[types.GenerateContentResponse], seen: list[str | None]) -> None:
    async for chunk in stream:
        seen.append(chunk.text)


async def test_a_blocked_prompt_has_no_candidate(sandbox: GeminiSandbox, client: genai.Client) -> None:
    sandbox.fail_next("blocked", block_reason="SAFETY")

    response = await client.aio.models.generate_content(model=MODEL, contents="hello")

    assert response.candidates is None
    assert response.prompt_feedback
    assert response.prompt_feedback.block_reason is types.BlockedReason.SAFETY


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("safety", "SAFETY"), ("max_tokens", "MAX_TOKENS"), ("malformed_call", "MALFORMED_FUNCTION_CALL")],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_ends_without_content(
    sandbox: GeminiSandbox, client: genai.Client, kind: str, reason: str, stream: bool
) -> None:
    sandbox.fail_next(kind)

    if stream:
        pieces = await client.aio.models.generate_content_stream(model=MODEL, contents="hello")
        [response] = [piece async for piece in pieces]
    else:
        response = await client.aio.models.generate_content(model=MODEL, contents="hello")

    assert response.candidates
    assert response.candidates[0].content is None
    assert response.candidates[0].finish_reason == reason


async def test_failures_can_be_asked_for_over_http(http: aiohttp.ClientSession) -> None:
    statuses: list[int] = []
    for fault in ({"kind": "internal", "times": 2}, {"kind": "nonsense"}, {"kind": "internal", "times": 10_000}):
        async with http.post("/sandbox/gemini/faults", json=fault) as response:
            statuses.append(response.status)
    async with http.post(f"/v1/models/{MODEL}:generateContent", json=body()) as response:
        statuses.append(response.status)
    async with http.delete("/sandbox/gemini/faults") as response:
        statuses.append(response.status)
    async with http.post(f"/v1/models/{MODEL}:generateContent", json=body()) as response:
        statuses.append(response.status)

    assert statuses == [200, 400, 400, 500, 200, 200]


# ---- counts ----------------------------------------------------------------------------------------------------------


async def test_tokens_are_counted_from_what_was_sent(client: genai.Client) -> None:
    short = await client.aio.models.generate_content(model=MODEL, contents="hello")
    long = await client.aio.models.generate_content(model=MODEL, contents="hello " * 1000)
    voice = types.Part.from_bytes(data=bytes(20_000), mime_type="audio/ogg")
    spoken = await client.aio.models.generate_content(model=MODEL, contents=["hello", voice])
    counted = await client.aio.models.count_tokens(model=MODEL, contents="hello " * 1000)

    usages = [one.usage_metadata for one in (short, long, spoken)]
    assert all(usages)
    first, second, third = (usage for usage in usages if usage is not None)
    assert first.total_token_count == (
        (first.prompt_token_count or 0) + (first.candidates_token_count or 0) + (first.thoughts_token_count or 0)
    )
    assert first.thoughts_token_count
    assert 1000 <= (second.prompt_token_count or 0) <= 2000
    assert counted.total_tokens == second.prompt_token_count
    details = {one.modality: one.token_count for one in third.prompt_tokens_details or []}
    assert details[types.MediaModality.AUDIO] == 320  # ten seconds of voice, 32 tokens each


async def test_a_long_common_prefix_is_served_from_the_cache_and_a_short_one_is_not(client: genai.Client) -> None:
    async def cached(system: str) -> int | None:
        response = await client.aio.models.generate_content(
            model=MODEL, contents="hello", config=types.GenerateContentConfig(system_instruction=system)
        )
        assert response.usage_metadata
        return response.usage_metadata.cached_content_token_count

    long, short = "rule of the house " * 2000, "rule of the house " * 100

    counts = [await cached(one) for one in (long + "1", long + "2", short + "1", short + "2", "0" + long)]

    assert counts[0] is None
    assert counts[1] is not None
    assert 4096 <= counts[1] <= 9000
    assert counts[2:] == [None, None, None]


def test_the_cache_forgets_by_time_and_by_size() -> None:
    clock = Clock()
    cache = PrefixCache(clock)
    first = ["a" * 100_000]
    cache.serve("key model", first, minimum=4096)

    assert cache.serve("key model", first, minimum=4096) > 20_000
    assert cache.serve("other key", first, minimum=4096) == 0

    clock.now += timedelta(hours=1)
    assert cache.serve("key model", first, minimum=4096) == 0
    for number in range(9):
        cache.serve("key model", [str(number) * 1024 * 1024], minimum=4096)
    assert cache.serve("key model", first, minimum=4096) == 0


@pytest.mark.parametrize(("limit", "text_left"), [(10, False), (70, True)])
async def test_thoughts_count_against_the_output_limit(client: genai.Client, limit: int, text_left: bool) -> None:
    response = await client.aio.models.generate_content(
        model=MODEL, contents="hello", config=types.GenerateContentConfig(max_output_tokens=limit)
    )

    assert response.candidates
    assert response.candidates[0].finish_reason is types.FinishReason.MAX_TOKENS
    assert bool(response.text) is text_left


# ---- the sandbox's own promises --------------------------------------------------------------------------------------


async def test_requests_are_kept_as_received_and_only_the_latest(
    sandbox: GeminiSandbox, http: aiohttp.ClientSession
) -> None:
    for number in range(510):
        sent = {"contents": [{"parts": [{"text": str(number)}]}]}
        async with http.post(f"/v1/models/{MODEL}:countTokens", json=sent) as response:
            assert response.status == 200

    kept = sandbox.requests

    assert len(kept) == 500
    assert kept[-1].body == {"contents": [{"parts": [{"text": "509"}]}]}
    assert (kept[-1].method, kept[-1].model, kept[-1].api_key, kept[-1].status) == ("countTokens", MODEL, KEY, 200)
    assert KEY not in repr(kept[-1])


async def test_an_asynchronous_policy_is_awaited_and_an_empty_answer_stays_empty() -> None:
    async def silent(_request: GenerateRequest) -> list[Part]:
        return []

    server = GeminiSandbox(policy=silent)
    await server.start()
    try:
        headers = {"x-goog-api-key": "any"}
        async with (
            aiohttp.ClientSession(server.url, headers=headers) as session,
            session.post(f"/v1/models/{MODEL}:generateContent", json=body()) as response,
        ):
            answer = await response.json()
    finally:
        await server.stop()

    assert answer["candidates"] == [{"index": 0, "content": {"role": "model"}, "finishReason": "STOP"}]


async def test_the_scripted_model_books_through_the_sdk() -> None:
    server = GeminiSandbox()
    await server.start()
    results: dict[str, dict[str, Any]] = {
        "get_services": {"services": [{"service_id": "s1", "name": "Стрижка женская", "price": "2500 руб."}]},
        "get_staff": {"staff": [{"staff_id": "m1", "name": "Анна Смирнова"}]},
        "get_available_slots": {
            "slots": [{"slot_id": "x1", "date": "2026-11-25", "time": "15:00", "staff": "Анна Смирнова"}]
        },
        "create_appointment": {"status": "asked"},
    }
    names = {
        "get_services": {},
        "get_staff": {"service_id": {"type": "string"}},
        "get_available_slots": {
            "service_ids": {"type": "array", "items": {"type": "string"}},
            "date_from": {"type": "string"},
            "staff_id": {"type": "string"},
        },
        "create_appointment": {"slot_id": {"type": "string"}},
    }
    tools = types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name=name, parameters_json_schema={"type": "object", "properties": properties})
            for name, properties in names.items()
        ]
    )
    settings = types.GenerateContentConfig(
        system_instruction="Дата и время: 2026-11-24 15:04, вторник (Europe/Moscow)",
        tools=[tools],
        automatic_function_calling=NO_AUTOMATIC_CALLS,
    )
    history = [user("Запишите меня на женскую стрижку завтра в 15:00 к Анне Смирновой")]
    made: list[tuple[str | None, dict[str, Any] | None]] = []
    async with sdk(server) as client:
        for _ in range(6):
            response = await client.aio.models.generate_content(model=MODEL, contents=history, config=settings)
            model = content_of(response)
            if not response.function_calls:
                break
            made += [(one.name, one.args) for one in response.function_calls]
            replies = [
                types.Part(
                    function_response=types.FunctionResponse(id=one.id, name=one.name, response=results[one.name])
                )
                for one in response.function_calls
                if one.name
            ]
            history += [model, types.Content(role="user", parts=replies)]
    await server.stop()

    assert made == [
        ("get_services", {}),
        ("get_staff", {}),
        ("get_available_slots", {"service_ids": ["s1"], "date_from": "2026-11-25", "staff_id": "m1"}),
        ("create_appointment", {"slot_id": "x1"}),
    ]
    assert json.loads(model.model_dump_json(exclude_none=True))["parts"][0]["text"]
