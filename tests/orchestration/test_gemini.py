"""Gemini behind the Model port: answers as Google's reference shows them, over HTTP, and every way to fail."""

from __future__ import annotations

import json
from collections import deque
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from orchestration.errors import Blocked, ModelBlocked, ModelRefused, ModelUnavailable
from orchestration.gemini import GeminiService
from orchestration.model_breaker import FAILURES, FIRST_REST_S, ModelBreaker
from orchestration.ports import CallPart, Content, ModelRequest, ResultPart, TextPart, ToolDeclaration

FIXTURES = Path(__file__).parent / "fixtures" / "gemini"
TOOL = ToolDeclaration(name="get_services", description="d", parameters={"type": "object", "properties": {}})


class Google:
    """Answers with published bodies, in order; keeps what it was asked."""

    def __init__(self):
        self.answers, self.asked, self.url = deque(), [], ""

    def will_answer(self, *names):
        self.answers.extend(names)

    async def handle(self, request):
        self.asked.append((request.path, dict(request.headers), await request.json()))
        name = self.answers.popleft()
        if name.startswith("finish__"):
            # A candidate without content, as for SAFETY; only the reason differs.
            candidate = {"finishReason": name.removeprefix("finish__"), "index": 0}
            return web.json_response({"candidates": [candidate], "modelVersion": "gemini-3.8-flash"})
        status = int(name.removeprefix("error__")) if name.startswith("error__") else 200
        body = (FIXTURES / f"{name}.json").read_text(encoding="utf-8")
        return web.Response(text=body, status=status, content_type="application/json")


@pytest.fixture
async def google(listen):
    server = Google()
    server.url = await listen("/{tail:.*}", server.handle)
    return server


@pytest.fixture
async def gemini(google):
    service = GeminiService(api_key=SecretStr("key"), model="main", fallback_model="spare", api_url=google.url)
    yield service
    await service.close()


def request(*contents, seconds=10):
    start = Content(role="user", parts=(TextPart(text="Цены?"),))
    return ModelRequest(system="s", contents=(start, *contents), tools=(TOOL,), timeout=timedelta(seconds=seconds))


async def test_parallel_calls_come_with_ids_arguments_and_the_signature(google, gemini):
    google.will_answer("generate_content__function_calls")

    answer = await gemini.generate(request())

    assert answer.content.calls == (
        CallPart(id="fc1", name="get_services", arguments={"query": "стрижка"}, signature="U0lHTkFUVVJF"),
        CallPart(id="fc2", name="get_staff", arguments={}),
    )
    assert (answer.usage.prompt_tokens, answer.usage.output_tokens, answer.usage.cached_tokens) == (50, 10, 40)
    assert answer.model == "gemini-3.8-flash"
    path, headers, body = google.asked[0]
    assert path == "/v1/models/main:generateContent"
    assert headers["x-goog-api-key"] == "key"
    assert body["tools"][0]["functionDeclarations"][0]["name"] == "get_services"


async def test_parts_go_back_exactly_as_they_came_with_the_results_after_them(google, gemini):
    google.will_answer("generate_content__function_calls", "generate_content__text")
    calls = (await gemini.generate(request())).content
    results = Content(
        role="user",
        parts=tuple(ResultPart(id=one.id, name=one.name, response={"ok": True}) for one in calls.calls),
    )

    answer = await gemini.generate(request(calls, results))

    _, _, body = google.asked[1]
    sent_back = json.loads((FIXTURES / "generate_content__function_calls.json").read_text(encoding="utf-8"))
    assert body["contents"][1] == sent_back["candidates"][0]["content"]
    assert [part["functionResponse"]["id"] for part in body["contents"][2]["parts"]] == ["fc1", "fc2"]
    assert answer.content.text == "На какой день вас записать?"


@pytest.mark.parametrize("name", ["generate_content__blocked_prompt", "generate_content__safety"])
async def test_a_blocked_or_empty_answer_is_told_as_such(google, gemini, name):
    google.will_answer(name)

    with pytest.raises(ModelBlocked) as told:
        await gemini.generate(request())
    assert told.value.kind is Blocked.REFUSED
    assert len(google.asked) == 1


@pytest.mark.parametrize(
    "reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "STOP", "MISSING_THOUGHT_SIGNATURE"]
)
async def test_an_answer_that_is_none_is_asked_for_once_more(google, gemini, reason):
    google.will_answer(f"finish__{reason}", "generate_content__text")

    assert (await gemini.generate(request())).content.text
    assert len(google.asked) == 2


async def test_an_answer_that_was_cut_off_gets_more_room(google, gemini):
    google.will_answer("finish__MAX_TOKENS", "generate_content__text")

    assert (await gemini.generate(request())).content.text
    first, second = (body["generationConfig"]["maxOutputTokens"] for _, _, body in google.asked)
    assert second == 2 * first


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("MALFORMED_FUNCTION_CALL", Blocked.MALFORMED), ("STOP", Blocked.EMPTY), ("MAX_TOKENS", Blocked.TOO_LONG)],
)
async def test_one_that_stays_unusable_is_told_by_its_kind(google, gemini, reason, kind):
    google.will_answer(f"finish__{reason}", f"finish__{reason}")

    with pytest.raises(ModelBlocked) as told:
        await gemini.generate(request())
    assert told.value.kind is kind


async def test_a_model_that_fails_again_and_again_rests_and_comes_back_without_a_restart(google):
    clock = [0.0]
    breaker = ModelBreaker(now=lambda: clock[0])
    service = GeminiService(api_key=SecretStr("key"), model="m", api_url=google.url, breaker=breaker)
    google.will_answer(*["error__503"] * 9)
    for _ in range(FAILURES):
        with pytest.raises(ModelUnavailable, match="503"):
            await service.generate(request())
    with pytest.raises(ModelUnavailable, match="rests"):
        await service.generate(request())
    assert len(google.asked) == 9

    clock[0] += FIRST_REST_S
    google.will_answer("generate_content__text", "generate_content__text")
    assert (await service.generate(request())).content.text
    assert (await service.generate(request())).content.text
    await service.close()


async def test_while_the_first_model_rests_the_spare_one_answers_at_once(google):
    breaker = ModelBreaker(now=lambda: 0.0)
    for _ in range(FAILURES):
        breaker.failed("main")
    service = GeminiService(
        api_key=SecretStr("key"), model="main", fallback_model="spare", api_url=google.url, breaker=breaker
    )
    google.will_answer("generate_content__text")

    await service.generate(request())

    assert [path for path, _, _ in google.asked] == ["/v1/models/spare:generateContent"]
    await service.close()


def test_after_a_rest_one_question_tries_and_the_others_go_on_waiting():
    clock = [0.0]
    breaker = ModelBreaker(now=lambda: clock[0])
    for _ in range(FAILURES):
        breaker.failed("m")
    clock[0] = FIRST_REST_S

    assert [breaker.may_ask("m"), breaker.may_ask("m")] == [True, False]
    breaker.failed("m")
    clock[0] += FIRST_REST_S
    assert not breaker.may_ask("m")
    clock[0] += FIRST_REST_S
    assert breaker.may_ask("m")
    breaker.let_go("m")
    assert breaker.may_ask("m")


async def test_too_many_requests_are_tried_again_after_the_delay_that_was_asked(google, gemini):
    google.will_answer("error__429", "generate_content__text")

    assert (await gemini.generate(request())).content.text
    assert len(google.asked) == 2


async def test_an_overloaded_model_is_left_for_the_spare_one(google, gemini):
    google.will_answer("error__503", "error__503", "error__503", "generate_content__text")

    assert (await gemini.generate(request())).content.text
    assert google.asked[-1][0] == "/v1/models/spare:generateContent"


async def test_a_refused_request_is_not_repeated(google, gemini):
    google.will_answer("error__400")

    with pytest.raises(ModelRefused, match="API key not valid"):
        await gemini.generate(request())
    assert len(google.asked) == 1


async def test_nobody_at_the_address_is_unavailable_within_the_time():
    service = GeminiService(api_key=SecretStr("key"), model="m", api_url="http://127.0.0.1:1")

    with pytest.raises(ModelUnavailable):
        await service.generate(request(seconds=2))
    await service.close()
