"""`ai-admin chat` as a process of its own: a booking, whoever else runs in the same folder, and where nobody does."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from aiohttp import ClientSession

from bot.app import open_core
from bot.demo import set_up_company
from bot.demo_vendors import open_sandboxes

# Two processes that load every SDK, side by side.
pytestmark = pytest.mark.timeout(300)
BOOKING = "Хочу постричься завтра после обеда\nЖенская стрижка, мастер Анна Смирнова\nДавайте в 18:00\n1\n"


@pytest.fixture
def chat(start):
    async def talk(said):
        process = await start("chat", "elita", "--phone", "+79160000009", "--name", "Елена")
        out, notes = await process.communicate(said.encode())
        assert process.returncode == 0, notes.decode()
        return out.decode(), notes.decode()

    return talk


@contextlib.asynccontextmanager
async def demo(start):
    """Run the demo; yield its page's address."""
    process = await start("demo", "--port", "0")
    try:
        async for line in process.stdout:
            if found := re.search(r"Open (http://\S+/)", line.decode()):
                yield found[1]
                break
        else:
            raise AssertionError((await process.stderr.read()).decode())
    finally:
        process.terminate()
        await process.communicate()


@pytest.fixture
async def after_a_demo(settings):
    """The stores as a demo leaves them: the company is there, its CRM was a server of a process that is gone."""
    async with open_core(settings) as core:
        async with open_sandboxes(real_model=False) as sandboxes:
            local = {
                "telegram_api_url": sandboxes.telegram.url,
                "whatsapp_api_url": sandboxes.whatsapp.url,
                "public_url": "http://127.0.0.1:1",
            }
            await set_up_company(replace(core, settings=settings.model_copy(update=local)), sandboxes)
        yield core


async def appointments_tomorrow(page):
    """Read the salon's journal as the demo's page shows it."""
    async with ClientSession() as session:
        async with session.get(f"{page}sandbox/crm") as response:
            today = (await response.json())["today"]
        tomorrow = date.fromisoformat(today) + timedelta(days=1)
        async with session.get(f"{page}sandbox/crm/day/{tomorrow}") as response:
            columns = (await response.json())["columns"]
    return [(record["time"], record["client"]) for column in columns for record in column["records"]]


async def test_a_booking_is_held_in_the_terminal_beside_the_running_demo(start, chat):
    async with demo(start) as page:
        talk, notes = await chat(BOOKING)
        booked = await appointments_tomorrow(page)

    assert "Готово, вы записаны" in talk
    assert booked == [("18:00", "Елена")]
    assert "a script answers" in notes
    assert "begun anew" not in notes


async def test_with_nothing_running_the_chat_brings_what_the_demo_had(after_a_demo, chat):
    talk, notes = await chat(BOOKING)

    assert "Готово, вы записаны" in talk
    assert "a script answers" in notes
    assert "CRM is begun anew" in notes
