"""A large prompt's stable part is kept by Gemini under a name; who finds no cache, or a lost one, goes without."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from orchestration.gemini import GeminiService
from orchestration.gemini_caches import GeminiCaches
from orchestration.ports import Content, ModelRequest, TextPart, ToolDeclaration
from sandbox.gemini.server import GeminiSandbox
from sandbox.gemini.wire import text_part

TOOL = ToolDeclaration(name="get_services", description="d", parameters={"type": "object", "properties": {}})
STABLE = "=== НАШИ УСЛУГИ ===\n" + "\n".join(f"• Услуга номер {number}: описание (100 руб.)" for number in range(900))


@pytest.fixture
async def server(clock):
    def policy(request):
        prompt = request.system_instruction.text
        return [text_part(f"{len(request.declarations)} {len(prompt)} {request.contents[0].text[:14]}")]

    sandbox = GeminiSandbox(clock=clock, policy=policy)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def gemini(server):
    service = GeminiService(
        api_key=SecretStr("key"),
        model="gemini-3.8-flash",
        api_url=server.url,
        api_version="v1beta",
        cache_from_chars=10_000,
    )
    yield service
    await service.close()


def ask(stable=STABLE, tail="=== СЕЙЧАС ===\nИмя клиента: Елена"):
    return ModelRequest(
        system=f"{stable}\n\n{tail}",
        stable=stable,
        contents=[Content(role="user", parts=(TextPart(text="Цены?"),))],
        tools=(TOOL,),
        timeout=timedelta(seconds=10),
    )


async def test_the_second_call_is_served_from_the_cache_and_the_tail_still_reaches_the_model(server, gemini):
    first = await gemini.generate(ask())
    await gemini.caches.settle()
    second = await gemini.generate(ask(tail="=== СЕЙЧАС ===\nИмя клиента: Марат"))

    body = server.requests[-1].body
    assert body["cachedContent"].startswith("cachedContents/")
    assert "systemInstruction" not in body
    assert "tools" not in body
    assert "Марат" in body["contents"][0]["parts"][0]["text"]
    assert first.content.text.startswith("1 ")
    assert second.content.text == f"1 {len(STABLE)} === СЕЙЧАС ==="
    assert second.usage.cached_tokens > 0.9 * second.usage.prompt_tokens


async def test_a_cache_that_is_gone_is_gone_without_and_made_anew(server, gemini):
    await gemini.generate(ask())
    await gemini.caches.settle()
    server.forget_caches()

    assert (await gemini.generate(ask())).content.text
    await gemini.caches.settle()
    await gemini.generate(ask())

    assert "cachedContent" in server.requests[-1].body


async def test_a_small_prompt_is_not_kept(server, gemini):
    await gemini.generate(ask(stable="=== НАШИ УСЛУГИ ===\n• Стрижка"))
    await gemini.caches.settle()
    await gemini.generate(ask(stable="=== НАШИ УСЛУГИ ===\n• Стрижка"))

    assert "cachedContent" not in server.requests[-1].body


async def test_what_the_service_will_not_keep_is_not_tried_again_at_once():
    clock, made = [0.0], []

    async def refuse(model, stable, tools):
        made.append(stable)
        raise ValueError("too small")

    caches = GeminiCaches(refuse, 1, now=lambda: clock[0])
    for seconds in (0, 300, 601):
        clock[0] = float(seconds)
        assert caches.find("m", "stable", ()) is None
        await caches.settle()

    assert len(made) == 2
