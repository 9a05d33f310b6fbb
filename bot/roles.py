"""The processes: gateway, worker, or both in one; each drains on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from bot.app import Core, build_gateway, open_core
from bot.connections import THIS_MACHINE
from bot.garbage import settle
from bot.gateway import Gateway, Stop, build_application
from bot.gauges import keep_gauges
from bot.lane import LEASE
from bot.sdks import load_sdks
from bot.settings import Mode, Settings
from bot.tasks import end
from handlers.ops import Ops
from middlewares.http import client_address, require_admin, trusted

if TYPE_CHECKING:
    from bot.worker_app import WorkerApp
    from handlers.voice.call import Pace

log = structlog.get_logger()

_HOUSEKEEPING = timedelta(hours=1)


async def run_serve(settings: Settings, environment: Mapping[str, str]) -> None:
    """Run gateway and worker in one process; in development also one company from `.env`, by long polling."""
    loading = asyncio.create_task(load_sdks())
    async with open_core(settings, pool_size=20) as core:
        await loading
        await serve(core, environment, stopped=stop_on_signal())


async def run_gateway(settings: Settings) -> None:
    """Run the gateway alone."""
    async with open_core(settings) as core:
        gateway = build_gateway(core)
        await gateway.start()
        settle()
        try:
            async with asyncio.TaskGroup() as group, _beside(group, keep_gauges(core, counts=False)):
                await _with_company_news(core, _until_drained(gateway, core.settings, stop_on_signal()))
        finally:
            await gateway.stop()


async def run_worker(settings: Settings, *, http: bool = False) -> None:
    """Run a worker alone, with its own small port for probes and figures where one is set.

    `http`: it also answers telephone calls, at the gateway's host and port.
    """
    loading = asyncio.create_task(load_sdks())
    async with open_core(settings, pool_size=20) as core:
        await loading
        await work(core, http=http)


def voice_routes(core: Core, app: WorkerApp, pace: Pace | None = None) -> list[web.RouteDef]:
    """Return the routes of telephone calls: the process that holds a line makes its turns itself."""
    from handlers.voice.routes import VoiceRoutes

    address_of = client_address(core.settings.trusted_proxies)
    return VoiceRoutes(
        core.directory,
        app.calls,
        public_url=core.settings.voice_url,
        address_of=address_of,
        clock=core.clock,
        limits=core.limits,
        pace=pace,
    ).routes()


async def work(core: Core, *, lease: timedelta = LEASE, http: bool = False) -> None:
    """Run a worker on an open core until it is told to stop by a signal."""
    from bot.worker_app import open_worker

    async with open_worker(core, lease=lease) as app:
        leaving = asyncio.Event()
        probes = _probes(core, leaving)
        lines = _lines(core, app, leaving) if http else None
        if lines is not None:
            await lines.start()
        if probes is not None:
            await probes.start()
        settle()
        stopped = stop_on_signal()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(app.worker.run())
                async with _beside(group, _keep_house(core), keep_gauges(core, counts=True)):
                    await _with_company_news(core, _until_drained(lines, core.settings, stopped))
                    leaving.set()
                if lines is not None:
                    # Calls speak to their end first: what they leave behind for the lanes is still taken up here.
                    await lines.stop()
                app.worker.stop()
        finally:
            for server in (lines, probes):
                if server is not None:
                    await server.stop()


async def serve(core: Core, environment: Mapping[str, str], *, stopped: Stop) -> None:
    """Run both roles on an open core until `stopped` is set."""
    from bot.development import develop
    from bot.worker_app import open_worker

    async with open_worker(core) as app:
        gateway = build_gateway(core, more=voice_routes(core, app))
        await gateway.start()
        settle()
        beside = [_keep_house(core), keep_gauges(core, counts=True)]
        if core.settings.mode is Mode.DEVELOPMENT:
            beside.append(develop(core, app.bots, environment))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(app.worker.run())
                async with _beside(group, *beside):
                    await _with_company_news(core, _until_drained(gateway, core.settings, stopped))
                await gateway.stop()
                app.worker.stop()
        finally:
            await gateway.stop()


@asynccontextmanager
async def _beside(group: asyncio.TaskGroup, *endless: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run what never ends by itself while the block lasts; if it fails, the group does."""
    tasks = [group.create_task(one) for one in endless]
    try:
        yield
    finally:
        await end(*tasks)


async def _with_company_news(core: Core, until: Awaitable[Any]) -> None:
    """Hear of changed companies while waiting: a changed company is forgotten by the cache at once."""
    listening = asyncio.create_task(core.directory.listen(core.redis, core.redis_prefix))
    try:
        await until
    finally:
        await end(listening)


async def _until_drained(gateway: Gateway | None, settings: Settings, stopped: Stop) -> None:
    """Wait until the process is asked to end, and then until nobody sends to its gateway any more."""
    await stopped.wait()
    if gateway is not None:
        await gateway.drain(settings.drain, stopped)


async def _keep_house(core: Core) -> None:
    """Make the coming months' partitions; what is a company's own is swept by the worker."""
    from bot.housekeeping import make_room

    while True:
        await make_room(core.database, core.clock)
        await asyncio.sleep(_HOUSEKEEPING.total_seconds())


def _lines(core: Core, app: WorkerApp, leaving: asyncio.Event) -> Gateway:
    settings = core.settings
    return Gateway(
        build_application(voice_routes(core, app), leaving),
        host=settings.host,
        port=settings.port,
        is_proxy=trusted((*settings.trusted_proxies, *THIS_MACHINE)),
        leaving=leaving,
        finish=settings.finish,
    )


def _probes(core: Core, leaving: asyncio.Event) -> Gateway | None:
    settings = core.settings
    if settings.worker_metrics_port is None:
        return None
    guard = require_admin(
        settings.admin_token, settings.metrics_token, loopback_allowed=settings.mode is Mode.DEVELOPMENT
    )
    ops = Ops(database=core.database_answers, redis=core.redis_answers, guard=guard, leaving=leaving.is_set)
    return Gateway(build_application(ops.routes()), host=settings.host, port=settings.worker_metrics_port)


def stop_on_signal() -> Stop:
    """Return what SIGTERM and SIGINT set. SIGINT, and the second signal of any kind, want it at once."""
    stopped = Stop()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.ask)
    loop.add_signal_handler(signal.SIGINT, partial(stopped.ask, at_once=True))
    return stopped
