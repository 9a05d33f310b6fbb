"""A whole conversation with a model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.settings import ModelProvider
from bot.worker_app import open_model
from sandbox.openai.server import OpenAISandbox


@pytest.fixture
async def endpoint(clock):
    server = OpenAISandbox(clock=clock)
    await server.start()
    yield server
    await server.stop()
    assert server.violations == []


@pytest.fixture
async def model(endpoint, core):
    """The model that the settings of such an installation open."""
    settings = core.settings.model_copy(
        update={
            "model_provider": ModelProvider.OPENAI,
            "openai_api_url": endpoint.url,
            "openai_api_key": SecretStr(endpoint.key),
            "openai_model": "house-model",
        }
    )
    opened = open_model(replace(core, settings=settings), borrow=False)
    yield opened
    await opened.close()


async def test_a_client_books_and_nothing_is_asked_of_gemini(house, endpoint):
    client = house.client()

    await client.reaches_proposal()
    receipt = await client.presses("Да, записать")

    assert "Готово" in receipt.text
    assert len(house.records()) == 1
    assert len(endpoint.requests) > 3
    assert list(house.vendors.gemini.requests) == []


async def test_a_voice_note_is_heard(house):
    answer = await house.client().says_aloud("Сколько стоит окрашивание?")

    assert "8000" in answer.text
