"""The scripted model writes recordings down and takes a picture's description for what is seen; it admits the rest."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.gemini.wire import GenerateRequest, Part
from sandbox.media import photo, voice_note
from sandbox.scripted.model import ScriptedModel

LISTEN = "Write down what is said. If nothing can be understood, answer with the single word UNINTELLIGIBLE."
SERVICES = [{"service_id": "s1", "name": "Стрижка женская"}, {"service_id": "s2", "name": "Окрашивание"}]


def blob(data: bytes, mime_type: str) -> dict[str, Any]:
    return {"inlineData": {"data": base64.b64encode(data).decode(), "mimeType": mime_type}}


def voice(words: str | None) -> dict[str, Any]:
    return blob(voice_note(words, seconds=2), "audio/ogg")


def answer(*parts: dict[str, Any], system: str = "", tools: tuple[str, ...] = (), known: bool = False) -> Part:
    """Ask with one client's message; `known`: the catalogue has been looked up before."""
    contents: list[dict[str, Any]] = []
    if known:
        found = {"id": "1", "name": "get_services", "response": {"services": SERVICES}}
        call = {"id": "1", "name": "get_services", "args": {}}
        contents += [
            {"role": "user", "parts": [{"text": "Здравствуйте"}]},
            {"role": "model", "parts": [{"functionCall": call}]},
            {"role": "user", "parts": [{"functionResponse": found}]},
            {"role": "model", "parts": [{"text": "Здравствуйте!"}]},
        ]
    schema = {"type": "object", "properties": {"services": {"type": "array", "items": {"type": "object"}}}}
    request: dict[str, Any] = {"contents": [*contents, {"role": "user", "parts": list(parts)}]}
    if system:
        request["systemInstruction"] = {"parts": [{"text": system}]}
    if tools:
        declared = [{"name": name, "parametersJsonSchema": schema} for name in tools]
        request["tools"] = [{"functionDeclarations": declared}]
    model = ScriptedModel(clock=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))
    return model(GenerateRequest.model_validate(request))[0]


@pytest.mark.parametrize(
    ("words", "system", "written"),
    [
        ("Сәлеметсіз бе, ертең бос уақыт бар ма?", LISTEN, "Сәлеметсіз бе, ертең бос уақыт бар ма?"),
        ("Хочу постричься", "", "Хочу постричься"),
        (None, LISTEN, "UNINTELLIGIBLE"),
        (None, "", "I cannot make out what is said."),
        (None, "NEVER translate anything.", "I cannot make out what is said."),
    ],
)
def test_without_tools_a_recording_is_written_down_word_for_word(words: str | None, system: str, written: str) -> None:
    assert answer(voice(words), system=system).text == written


def test_with_tools_a_recording_is_answered_as_its_words() -> None:
    part = answer(voice("Какие у вас услуги?"), tools=("get_services",))

    assert part.function_call is not None
    assert part.function_call.name == "get_services"


def test_a_picture_and_its_caption_are_one_wish() -> None:
    part = answer(blob(photo("окрашивание омбре"), "image/png"), {"text": "хочу так же"}, known=True)

    assert part.text == "На какой день вас записать?"  # the service is settled: the picture shows a colouring


@pytest.mark.parametrize("caption", ["", "вот так", "ok?", "хочу так же"])
def test_a_picture_that_tells_nothing_is_asked_about_in_words(caption: str) -> None:
    parts = [blob(photo(None), "image/jpeg"), *([{"text": caption}] if caption else [])]

    assert "словами" in (answer(*parts, known=True).text or "")


def test_words_beside_a_picture_that_tells_nothing_are_answered() -> None:
    part = answer(blob(photo(None), "image/jpeg"), {"text": "Сколько стоит окрашивание?"}, known=True)

    assert (part.text or "").startswith("Окрашивание")


def test_a_recording_that_tells_nothing_is_asked_for_in_writing() -> None:
    assert "текстом" in (answer(voice(None), tools=("get_services",)).text or "")
