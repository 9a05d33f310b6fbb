"""A Gemini sandbox that plays a short script, the real SDK on it, and a plain HTTP session."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import pytest
from google import genai
from google.genai import types

from sandbox.gemini.server import GeminiSandbox
from sandbox.gemini.wire import GenerateRequest, Part, call_part, text_part

KEY = "sandbox-key"


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
async def open_sdk(server: GeminiSandbox) -> AsyncIterator[genai.Client]:
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
    async with open_sdk(sandbox) as made:
        yield made


@pytest.fixture
async def http(sandbox: GeminiSandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url, headers={"x-goog-api-key": KEY}) as session:
        yield session


@pytest.fixture
def sdk() -> Callable[[GeminiSandbox], AbstractAsyncContextManager[genai.Client]]:
    """Open the SDK on a server."""
    return open_sdk
