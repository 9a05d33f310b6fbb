"""The gateway: routes and what stands round them. Loads no messenger or model SDK."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from aiohttp import web

from handlers.webhooks import BODY_LIMIT
from middlewares.http import errors_as_json, request_log

log = structlog.get_logger()

_SHUTDOWN_S = 10


def build_application(routes: Sequence[web.RouteDef]) -> web.Application:
    """Make the aiohttp application. Bodies over 1 MB are refused with 413 before they are read whole."""
    application = web.Application(client_max_size=BODY_LIMIT, middlewares=[request_log, errors_as_json])
    application.add_routes(routes)
    return application


class Gateway:
    """A running server; `stop()` finishes the requests under way."""

    def __init__(self, application: web.Application, *, host: str, port: int) -> None:
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        self._host = host
        self._port = port

    async def start(self) -> str:
        """Listen, and return the address (a port of 0 is chosen by the system)."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port, backlog=1024).start()
        host, port = self._runner.addresses[0][:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        log.info("gateway_listens", url=url)
        return url

    async def stop(self) -> None:
        await self._runner.cleanup()
