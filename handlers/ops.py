"""Routes for operators: alive, ready, figures, and the description of the routes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Probe = Callable[[], Awaitable[bool]]


class Ops:
    """`database` and `redis` say whether each answers; they never raise."""

    def __init__(self, *, database: Probe, redis: Probe, guard: Callable[[Handler], Handler]) -> None:
        self._database = database
        self._redis = redis
        self._guard = guard

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self._health),
            web.get("/ready", self._ready),
            web.get("/metrics", self._guard(self._metrics)),
        ]

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _ready(self, request: web.Request) -> web.Response:
        """Without the database nothing can be accepted; without Redis everything works, slower."""
        database, redis = await self._database(), await self._redis()
        status = "ready" if database and redis else "degraded" if database else "unready"
        body = {"status": status, "database": _word(database), "redis": _word(redis)}
        return web.json_response(body, status=200 if database else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        # In a thread: ten thousand companies are seconds of writing.
        body = await asyncio.to_thread(generate_latest)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _word(answers: bool) -> str:
    return "ok" if answers else "down"
