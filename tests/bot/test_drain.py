"""A gateway that is asked to end: it says so first, serves whoever has not noticed, and finishes what is under way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from bot.gateway import Gateway, Stop, build_application
from bot.settings import Settings
from handlers.ops import Ops

LONG = timedelta(hours=1)


async def yes():
    return True


@pytest.fixture
async def serve():
    """Start a gateway with these routes beside the operators'; return it and its address."""
    started = []

    async def start(*routes, finish=LONG):
        leaving = asyncio.Event()
        ops = Ops(database=yes, redis=yes, guard=lambda handler: handler, leaving=leaving.is_set)
        application = build_application([*ops.routes(), *routes], leaving)
        gateway = Gateway(application, host="127.0.0.1", port=0, leaving=leaving, finish=finish)
        started.append(gateway)
        return gateway, await gateway.start()

    yield start
    for gateway in started:
        await gateway.stop()


async def test_who_drains_says_so_at_once_and_serves_on_until_balancers_have_noticed(serve):
    async def accept(request):
        return web.Response()

    gateway, url = await serve(web.post("/webhook", accept))
    stop = Stop()
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/ready") as before:
            assert before.status == 200
        stop.ask()
        draining = asyncio.create_task(gateway.drain(LONG, stop))
        await asyncio.sleep(0)

        async with session.get(f"{url}/ready") as ready, session.post(f"{url}/webhook") as taken:
            assert (ready.status, await ready.json()) == (503, {"status": "leaving"})
            assert taken.status == 200
            # A connection that is kept open would be written to at the moment in which it is closed.
            assert taken.headers["Connection"] == "close"
        stop.ask()
        await draining
        await gateway.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{url}/ready")


async def test_the_waiting_ends_by_itself(serve):
    gateway, _ = await serve()

    async with asyncio.timeout(10):
        await gateway.drain(timedelta(0), Stop())


async def test_a_call_under_way_is_spoken_to_its_end(serve):
    async def call(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"heard {message.data}")
        return socket

    gateway, url = await serve(web.get("/stream", call))
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/stream") as line:
        stopping = asyncio.create_task(gateway.stop())
        await line.send_str("tomorrow at three")
        answer = await line.receive_str(timeout=10)
        still_waiting = not stopping.done()
        await line.close()
        async with asyncio.timeout(10):
            await stopping

    assert answer == "heard tomorrow at three"
    assert still_waiting


async def test_a_call_past_the_limit_is_cut_off(serve):
    begun = asyncio.Event()

    async def call(request):
        begun.set()
        await asyncio.Event().wait()

    gateway, url = await serve(web.get("/stream", call), finish=timedelta(milliseconds=10))
    async with aiohttp.ClientSession() as session:
        calling = asyncio.create_task(session.get(f"{url}/stream"))
        await begun.wait()
        async with asyncio.timeout(10):
            await gateway.stop()
        with pytest.raises(aiohttp.ClientError):
            await calling


@pytest.mark.parametrize(
    ("given", "mode", "seconds"),
    [(None, "production", 10), (None, "development", 0), (3, "production", 3), (3, "development", 3)],
)
def test_only_production_waits_for_balancers_unless_it_is_told_to(given, mode, seconds):
    settings = Settings(_env_file=None, mode=mode, master_keys="a:b", drain_seconds=given)

    assert settings.drain == timedelta(seconds=seconds)
