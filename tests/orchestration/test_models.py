"""Both kinds of model keep the same promises, each over its own protocol against its own local server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import SecretStr

from orchestration.errors import Blocked, ModelBlocked, ModelRefused, ModelUnavailable
from orchestration.gemini import GeminiService
from orchestration.model_breaker import FAILURES, ModelBreaker
from orchestration.openai_compatible import OpenAICompatibleService
from orchestration.ports import (
    CallPart,
    Content,
    Listener,
    MediaPart,
    ModelRequest,
    ResultPart,
    TextPart,
    ToolDeclaration,
)
from sandbox.gemini.server import GeminiSandbox
from sandbox.gemini.wire import call_part, text_part
from sandbox.media import voice_note
from sandbox.openai.server import OpenAISandbox

TOOL = ToolDeclaration(
    name="get_services",
    description="The services.",
    parameters={"type": "object", "properties": {"query": {"type": "string"}}, "required": []},
)
FAULTS = {
    "refused": {"gemini": "safety", "openai": "content_filter"},
    "cut_off": {"gemini": "max_tokens", "openai": "length"},
    "cut_in_the_middle": {"gemini": "cut", "openai": "cut_stream"},
}
FAULTS |= {"malformed": {"gemini": "malformed_call", "openai": "malformed"}}


@dataclass
class Kind:
    """A model service and the server that it asks."""

    name: str
    service: GeminiService | OpenAICompatibleService
    server: GeminiSandbox | OpenAISandbox

    def fails(self, fault, times=1):
        self.server.fail_next(FAULTS.get(fault, {}).get(self.name, fault), times)


def policy(request):
    """Call the tool once, then say what it answered."""
    contents = request.contents or []
    results = [one.response for content in contents for one in content.responses]
    if not request.declarations or results:
        return [text_part(f"Есть: {results[-1]['services'] if results else contents[-1].text}")]
    return [call_part("get_services", {"query": "стрижка"})]


@pytest.fixture(params=["gemini", "openai"])
async def kind(request, clock):
    breaker = ModelBreaker(now=lambda: 0.0)
    if request.param == "gemini":
        server = GeminiSandbox(clock=clock, policy=policy, api_keys=["key"])
        await server.start()
        service = GeminiService(
            api_key=SecretStr("key"), model="gemini-3.8-flash", fallback_model="gemini-3.5-flash-lite",
            api_url=server.url, breaker=breaker,
        )  # fmt: skip
    else:
        server = OpenAISandbox(key="key", policy=policy, clock=clock)
        await server.start()
        service = OpenAICompatibleService(
            api_key=SecretStr("key"), model="house-model", fallback_model="house-spare", api_url=server.url,
            breaker=breaker,
        )  # fmt: skip
    yield Kind(request.param, service, server)
    await service.close()
    await server.stop()
    assert getattr(server, "violations", []) == []


def ask(*contents, tools=(TOOL,), seconds=10, listener=None):
    start = Content(role="user", parts=(TextPart(text="Цены?"),))
    timeout = timedelta(seconds=seconds)
    return ModelRequest(system="s", contents=(start, *contents), tools=tools, timeout=timeout, listener=listener)


class Ear:
    """Hears an answer as it is written."""

    def __init__(self):
        self.pieces = []
        self.listener = Listener(self.take)

    async def take(self, piece):
        self.pieces.append(piece)


def said(words):
    """A question that is answered by its own words."""
    return Content(role="user", parts=(TextPart(text=words),))


async def test_a_call_its_result_and_the_answer(kind):
    called = await kind.service.generate(ask())
    [call] = called.content.calls
    result = Content(role="user", parts=(ResultPart(id=call.id, name=call.name, response={"services": "стрижка"}),))
    answered = await kind.service.generate(ask(called.content, result))

    assert (call.name, call.arguments) == ("get_services", {"query": "стрижка"})
    assert call.id
    assert answered.content.text == "Есть: стрижка"
    assert answered.usage.calls == 1
    assert answered.usage.prompt_tokens > 0
    assert answered.model


async def test_what_another_kind_of_model_said_in_earlier_turns_can_be_sent(kind):
    """A company may change its model in the middle of a dialogue: neither ids nor signatures are at hand then."""
    earlier = (
        Content(role="model", parts=(CallPart(id=None, name="get_services", arguments={}),)),
        Content(role="user", parts=(ResultPart(id=None, name="get_services", response={"services": "маникюр"}),)),
        Content(role="model", parts=(TextPart(text="Есть маникюр."),)),
        Content(role="user", parts=(TextPart(text="А ещё?"),)),
    )

    answered = await kind.service.generate(ask(*earlier))

    assert answered.content.text == "Есть: маникюр"


async def test_too_busy_a_service_is_asked_again(kind):
    kind.fails("unavailable")

    assert (await kind.service.generate(ask())).content.calls


async def test_the_spare_model_takes_over_and_all_failing_is_unavailable(kind):
    kind.fails("unavailable", 3)
    assert (await kind.service.generate(ask())).content.calls
    kind.fails("unavailable", 6)
    with pytest.raises(ModelUnavailable):
        await kind.service.generate(ask())


async def test_models_that_fail_again_and_again_are_not_asked(kind):
    for _ in range(FAILURES):
        kind.fails("unavailable", 6)
        with pytest.raises(ModelUnavailable):
            await kind.service.generate(ask())
    asked = len(kind.server.requests)

    with pytest.raises(ModelUnavailable, match="rests"):
        await kind.service.generate(ask())
    assert len(kind.server.requests) == asked


async def test_a_refusal_is_not_repeated(kind):
    kind.fails("refused")

    with pytest.raises(ModelBlocked) as told:
        await kind.service.generate(ask())
    assert told.value.kind is Blocked.REFUSED
    assert len(kind.server.requests) == 1


@pytest.mark.parametrize("fault", ["malformed", "cut_off"])
async def test_an_answer_that_is_none_is_asked_for_once_more(kind, fault):
    kind.fails(fault)
    assert (await kind.service.generate(ask())).content.calls
    kind.fails(fault, 2)
    with pytest.raises(ModelBlocked) as told:
        await kind.service.generate(ask())
    assert told.value.kind in (Blocked.MALFORMED, Blocked.TOO_LONG)


async def test_a_connection_that_is_cut_is_made_again(kind):
    kind.fails("cut")

    assert (await kind.service.generate(ask())).content.calls


async def test_a_model_that_hangs_leaves_time_for_the_spare_one(kind):
    kind.fails("hang")

    assert (await kind.service.generate(ask(seconds=3))).content.calls


async def test_a_voice_note_reaches_the_model(kind):
    recording = MediaPart(mime_type="audio/ogg", data=voice_note("Привет", seconds=1))
    request = ModelRequest(
        system="s", contents=(Content(role="user", parts=(recording,)),), tools=(), timeout=timedelta(seconds=5)
    )

    assert (await kind.service.generate(request)).content.text.startswith("Есть:")


async def test_a_wrong_key_is_refused_in_words(kind):
    bad = (
        GeminiService(api_key=SecretStr("bad"), model="gemini-3.8-flash", api_url=kind.server.url)
        if kind.name == "gemini"
        else OpenAICompatibleService(api_key=SecretStr("bad"), model="house-model", api_url=kind.server.url)
    )

    with pytest.raises(ModelRefused, match="API key"):
        await bad.generate(ask())
    await bad.close()


LONG = "стрижка, маникюр, массаж, окрашивание, укладка, педикюр, чистка лица, брови, ресницы и многое другое"


async def test_words_are_heard_as_they_are_written_and_the_whole_is_the_same(kind):
    ear = Ear()

    answer = await kind.service.generate(ask(said(LONG), tools=(), listener=ear.listener))

    assert len(ear.pieces) > 1
    assert "".join(ear.pieces) == answer.content.text == f"Есть: {LONG}"
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.output_tokens > 0


async def test_a_call_is_complete_where_nothing_is_said(kind):
    ear = Ear()

    [call] = (await kind.service.generate(ask(listener=ear.listener))).content.calls

    assert (call.name, call.arguments) == ("get_services", {"query": "стрижка"})
    assert ear.pieces == []


async def test_what_fails_before_a_word_is_heard_is_asked_again(kind):
    ear = Ear()
    kind.fails("unavailable", 3)

    answer = await kind.service.generate(ask(said(LONG), tools=(), listener=ear.listener))

    assert "".join(ear.pieces) == answer.content.text


async def test_what_was_heard_in_part_is_not_said_anew(kind):
    ear = Ear()
    kind.fails("cut_in_the_middle")

    with pytest.raises(ModelUnavailable):
        await kind.service.generate(ask(said(LONG), tools=(), listener=ear.listener))

    assert 0 < len("".join(ear.pieces)) < len(LONG)


async def test_a_listener_that_has_heard_enough_ends_the_answer(kind):
    class Enough(Exception):
        pass

    async def take(piece):
        raise Enough

    with pytest.raises(Enough):
        await kind.service.generate(ask(said(LONG), tools=(), listener=Listener(take)))
    assert (await kind.service.generate(ask())).content.calls
