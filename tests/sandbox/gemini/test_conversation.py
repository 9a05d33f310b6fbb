"""Function calls with their signatures, and streams, by the real google-genai SDK."""

from typing import Any

import aiohttp
import pytest
from google import genai
from google.genai import errors, types

MODEL = "gemini-3.8-flash"
NO_AUTOMATIC_CALLS = types.AutomaticFunctionCallingConfig(disable=True)
SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
HELLO = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


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
    async with http.post(f"/v1/models/{MODEL}:streamGenerateContent", json=HELLO) as response:
        pieces = await response.json()

    assert isinstance(pieces, list)
    assert pieces[-1]["candidates"][0]["finishReason"] == "STOP"
