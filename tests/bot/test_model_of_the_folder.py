"""Where no key is set: the model fails at once, says so at the start, and takes what a living demo lends."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.lent import Lent, find_lent, lend
from bot.settings import Mode
from bot.worker_app import open_model
from orchestration.errors import ModelUnavailable
from orchestration.ports import Content, ModelRequest, TextPart

HELLO = ModelRequest(
    system="=== ИНФОРМАЦИЯ О КОМПАНИИ ===\nНазвание: Салон",
    contents=[Content(role="user", parts=(TextPart(text="Здравствуйте"),))],
    tools=[],
    timeout=timedelta(seconds=20),
)
LENDER = """
import sys
from pathlib import Path
from bot.lent import Lent, lend
with lend(Path(sys.argv[1]), Lent(gemini_url="http://127.0.0.1:1")):
    print("lent", flush=True)
    sys.stdin.read()
"""


async def test_without_a_key_the_model_fails_at_once_and_the_start_says_so(core):
    with capture_logs() as logs:
        model = open_model(core, borrow=True)

    with pytest.raises(ModelUnavailable, match="AI_ADMIN_GEMINI_API_KEY"):
        # Not one step of the event loop is waited for.
        model.generate(HELLO).send(None)
    assert [(line["event"], line["setting"]) for line in logs] == [("no_model_key", "AI_ADMIN_GEMINI_API_KEY")]


async def test_the_terminals_worker_without_a_key_asks_the_model_that_a_demo_of_its_folder_lends(core, vendors):
    model = open_model(core, borrow=True)

    with lend(core.settings.data_dir, Lent(gemini_url=vendors.gemini.url)):
        answer = await model.generate(HELLO)

    assert "Салон" in answer.content.text
    with pytest.raises(ModelUnavailable):
        await model.generate(HELLO)
    await model.close()


async def test_a_worker_of_messengers_never_lets_a_script_answer(core, vendors):
    model = open_model(core, borrow=False)

    with lend(core.settings.data_dir, Lent(gemini_url=vendors.gemini.url)), pytest.raises(ModelUnavailable):
        await model.generate(HELLO)


async def test_in_production_nothing_is_borrowed(core, vendors):
    settings = core.settings.model_copy(update={"mode": Mode.PRODUCTION})
    model = open_model(replace(core, settings=settings), borrow=True)

    with lend(core.settings.data_dir, Lent(gemini_url=vendors.gemini.url)), pytest.raises(ModelUnavailable):
        await model.generate(HELLO)


async def test_what_a_killed_demo_left_is_nobodys(tmp_path):
    lender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LENDER, str(tmp_path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert await lender.stdout.readline() == b"lent\n"
    assert find_lent(tmp_path) == Lent(gemini_url="http://127.0.0.1:1")

    lender.send_signal(signal.SIGKILL)
    await lender.wait()

    assert find_lent(tmp_path) is None
    assert list((tmp_path / "lent").iterdir()) == []
