"""Tokens, caches and what the sandbox keeps of its calls; and the scripted model through the SDK."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from google import genai
from google.genai import types

from sandbox.gemini.server import GeminiSandbox
from sandbox.gemini.usage import PrefixCache
from sandbox.gemini.wire import GenerateRequest, Part
from sandbox.media import photo, voice_note

MODEL = "gemini-3.8-flash"
KEY = "sandbox-key"
NO_AUTOMATIC_CALLS = types.AutomaticFunctionCallingConfig(disable=True)
HELLO = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def test_tokens_are_counted_from_what_was_sent(client: genai.Client) -> None:
    short = await client.aio.models.generate_content(model=MODEL, contents="hello")
    long = await client.aio.models.generate_content(model=MODEL, contents="hello " * 1000)
    voice = types.Part.from_bytes(data=voice_note("hello", seconds=10), mime_type="audio/ogg")
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


@pytest.mark.parametrize(
    ("model", "resolution", "tokens"),
    [
        (MODEL, None, 1120),
        (MODEL, "MEDIA_RESOLUTION_UNSPECIFIED", 1120),
        (MODEL, "MEDIA_RESOLUTION_LOW", 280),
        ("gemini-2.5-flash", None, 258),
    ],
)
async def test_a_picture_costs_what_its_resolution_does(
    client: genai.Client, model: str, resolution: str | None, tokens: int
) -> None:
    settings = types.GenerateContentConfig(media_resolution=types.MediaResolution(resolution) if resolution else None)
    picture = types.Part.from_bytes(data=photo("a haircut"), mime_type="image/png")
    answer = await client.aio.models.generate_content(model=model, contents=["hello", picture], config=settings)

    assert answer.usage_metadata
    details = {one.modality: one.token_count for one in answer.usage_metadata.prompt_tokens_details or []}
    assert details[types.MediaModality.IMAGE] == tokens


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
            session.post(f"/v1/models/{MODEL}:generateContent", json=HELLO) as response,
        ):
            answer = await response.json()
    finally:
        await server.stop()

    assert answer["candidates"] == [{"index": 0, "content": {"role": "model"}, "finishReason": "STOP"}]


async def test_the_scripted_model_books_through_the_sdk(sdk: Any) -> None:
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
            "services": {"type": "array", "items": {"type": "object"}},
            "date_from": {"type": "string"},
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
    words = "Запишите меня на женскую стрижку завтра в 15:00 к Анне Смирновой"
    history = [types.Content(role="user", parts=[types.Part(text=words)])]
    made: list[tuple[str | None, dict[str, Any] | None]] = []
    async with sdk(server) as client:
        for _ in range(6):
            response = await client.aio.models.generate_content(model=MODEL, contents=history, config=settings)
            assert response.candidates
            assert response.candidates[0].content
            model = response.candidates[0].content
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
        (
            "get_available_slots",
            {"services": [{"service_id": "s1", "staff_id": "m1"}], "date_from": "2026-11-25"},
        ),
        ("create_appointment", {"slot_id": "x1"}),
    ]
    assert json.loads(model.model_dump_json(exclude_none=True))["parts"][0]["text"]
