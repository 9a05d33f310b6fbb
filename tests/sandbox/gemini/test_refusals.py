"""What the API refuses, and what it takes, over plain HTTP."""

import base64
import copy
import io
import json
from typing import Any

import aiohttp
import pytest
from google import genai
from google.genai import errors

from sandbox.gemini.server import GeminiSandbox

MODEL = "gemini-3.8-flash"
KEY = "sandbox-key"
SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}


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
    *((blob(f"audio/{one}"), None) for one in ("wav", "mp3", "aiff", "aac", "ogg", "flac")),
    *((blob(f"image/{one}"), None) for one in ("png", "jpeg", "webp", "heic", "heif")),
    (turns({"role": "user", "parts": [{"inline_data": {"mimeType": "audio/ogg", "data": "T2dnUw=="}}]}), None),
    (blob("audio/ogg; codecs=opus"), "Unsupported MIME type: audio/ogg; codecs=opus"),
    (blob("application/zip"), "Unsupported MIME type"),
    (blob("image/gif"), "Unsupported MIME type"),
    (blob("audio/mp4"), "Unsupported MIME type"),
    (blob(""), "Unsupported MIME type"),
    (blob("audio/ogg", "not base64!"), "Base64 decoding failed"),
    (blob("audio/ogg", ""), "Base64 decoding failed"),
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
