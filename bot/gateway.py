"""The gateway: routes and what stands round them, and how it leaves. Loads no messenger or model SDK."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.connections import Doorkeeper, DoorLimits, GuardedConnection
from bot.logs import write_access_line
from handlers.webhooks import BODY_LIMIT
from middlewares.http import Handler, errors_as_json, request_log

log = structlog.get_logger()

_FINISH = timedelta(seconds=10)


class Stop(asyncio.Event):
    """Set when the process is asked to end. `at_once`: it is asked a second time, or by a person at a terminal, and
    nobody is to be waited for who may still be sending."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once = asyncio.Event()

    def ask(self, *, at_once: bool = False) -> None:
        """Ask; who asks twice is in a hurry."""
        if at_once or self.is_set():
            self.at_once.set()
        self.set()


def build_application(
    routes: Sequence[web.RouteDef],
    leaving: asyncio.Event | None = None,
    parts: Mapping[str, web.Application] | None = None,
) -> web.Application:
    """Make the aiohttp application. Bodies over 1 MB are refused with 413 before they are read whole.

    `parts`: applications of their own, each below its path.

    Once `leaving` is set, every answer asks the sender to close its connection: who keeps one open to this instance
    would else write into it at the very moment in which it is closed here.
    """
    closes = [_closes(leaving)] if leaving is not None else []
    application = web.Application(
        client_max_size=BODY_LIMIT, middlewares=[*closes, request_log(write_access_line), errors_as_json]
    )
    application.add_routes(routes)
    for path, part in (parts or {}).items():
        application.add_subapp(path, part)
    return application


def _closes(leaving: asyncio.Event) -> Middleware:
    @web.middleware
    async def close(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if leaving.is_set() and not response.prepared:
            response.force_close()
        return response

    return close


def _nobody(peer: str) -> bool:
    return False


class Gateway:
    """A running server; `drain()` lets balancers notice that it leaves, `stop()` finishes the requests under way."""

    def __init__(
        self,
        application: web.Application,
        *,
        host: str,
        port: int,
        is_proxy: Callable[[str], bool] = _nobody,
        limits: DoorLimits | None = None,
        leaving: asyncio.Event | None = None,
        finish: timedelta = _FINISH,
    ) -> None:
        """`is_proxy`: says of a peer whether it forwards for many, and may hold as many connections as it likes.

        `leaving`: set by `drain`, read by `/ready`. `finish`: how long requests and calls under way may take when it
        stops; what is not at its end then is cut off (more than 0, which aiohttp takes for ever).
        """
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=finish.total_seconds())
        self._leaving = leaving or asyncio.Event()
        self._keeper = Doorkeeper(limits or DoorLimits(), is_proxy)
        self._listening: asyncio.Server | None = None
        self._host = host
        self._port = port

    async def start(self) -> str:
        """Listen, and return the address (a port of 0 is chosen by the system)."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        server = self._runner.server
        assert server is not None, "set up a line above"  # noqa: S101 (for the type checker)
        self._listening = await loop.create_server(
            lambda: GuardedConnection(server, self._keeper, loop=loop), self._host, self._port, backlog=1024
        )
        host, port = self._listening.sockets[0].getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        log.info("gateway_listens", url=url)
        return url

    async def drain(self, wait: timedelta, stop: Stop) -> None:
        """Say at `/ready` that this instance leaves, and serve on for `wait`: as long as balancers take to notice.

        Until then they send here, and a closed port would be a refused webhook. `stop.at_once` ends the waiting.
        """
        self._leaving.set()
        log.info("gateway_drains", seconds=wait.total_seconds())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await stop.at_once.wait()

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        await self._runner.cleanup()
