"""The gateway: routes and what stands round them. Loads no messenger or model SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog
from aiohttp import web

from bot.connections import Doorkeeper, DoorLimits, GuardedConnection
from handlers.webhooks import BODY_LIMIT
from middlewares.http import errors_as_json, request_log

log = structlog.get_logger()

_SHUTDOWN_S = 10


def build_application(routes: Sequence[web.RouteDef]) -> web.Application:
    """Make the aiohttp application. Bodies over 1 MB are refused with 413 before they are read whole."""
    application = web.Application(client_max_size=BODY_LIMIT, middlewares=[request_log, errors_as_json])
    application.add_routes(routes)
    return application


def _nobody(peer: str) -> bool:
    return False


class Gateway:
    """A running server; `stop()` finishes the requests under way."""

    def __init__(
        self,
        application: web.Application,
        *,
        host: str,
        port: int,
        is_proxy: Callable[[str], bool] = _nobody,
        limits: DoorLimits | None = None,
    ) -> None:
        """`is_proxy`: says of a peer whether it forwards for many, and may hold as many connections as it likes."""
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_S)
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

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        await self._runner.cleanup()
