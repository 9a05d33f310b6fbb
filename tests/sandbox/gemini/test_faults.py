"""Failures on request: statuses, hangs, cuts, blocked and empty answers."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from google import genai
from google.genai import errors, types

from sandbox.gemini.server import GeminiSandbox

MODEL = "gemini-3.8-flash"
HELLO = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


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
        model=MODEL,
        contents="hello",
        config=types.GenerateContentConfig(http_options=types.HttpOptions(retry_options=retries)),
    )

    assert response.text
    assert [one.status for one in sandbox.requests] == [503, 200]


async def test_a_hanging_call_ends_by_the_clients_time_limit(sandbox: GeminiSandbox, client: genai.Client) -> None:
    sandbox.fail_next("hang")

    with pytest.raises(TimeoutError):
        await client.aio.models.generate_content(
            model=MODEL,
            contents="hello",
            config=types.GenerateContentConfig(http_options=types.HttpOptions(timeout=50)),
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
        async with http.post(f"/v1/models/{MODEL}:generateContent", json=HELLO) as response:
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
    async with http.post(f"/v1/models/{MODEL}:generateContent", json=HELLO) as response:
        statuses.append(response.status)
    async with http.delete("/sandbox/gemini/faults") as response:
        statuses.append(response.status)
    async with http.post(f"/v1/models/{MODEL}:generateContent", json=HELLO) as response:
        statuses.append(response.status)

    assert statuses == [200, 400, 400, 500, 200, 200]
