"""Vendors that answer at once, for measuring what is ours of a turn: Telegram's methods, and a model that asks for free
times and then tells them. The CRM beside them is the sandbox's."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from bench.serving import served
from sandbox.business import Business
from sandbox.one_c.service.server import OneCServiceSalon

_TEXT = "Свободно завтра в 12:00 и в 15:00. Какое время вам удобно?"
MARK = "(#{})"
"""Said with a question whose turn's outside calls are to be timed."""
_MARKED = re.compile(rb"\(#(\d+)\)")
_DAYS = 150
"""So many different days are asked for: free times are kept for a minute, and the CRM is to be asked each time."""


@dataclass(slots=True)
class Vendors:
    """One server for both. `calls`: how many there were, by kind."""

    service_id: str = ""
    model_s: float = 0.0
    """What the model takes to answer."""
    model_held: asyncio.Event | None = None
    """Where there is one, the model answers nobody until it is set."""
    model_waiting: int = 0
    """So many wait for the model now."""
    replies: dict[tuple[str, int], asyncio.Future[float]] = field(default_factory=dict)
    """Who waits for a message: by bot's id and chat; told when it came."""
    calls: dict[str, int] = field(default_factory=dict)
    outside_s: dict[int, float] = field(default_factory=dict)
    """What the model and the CRM took of each turn whose question was marked, from arrival to answer."""
    _turn_of_day: dict[str, int] = field(default_factory=dict)
    _days: itertools.count[int] = field(default_factory=itertools.count)
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Vendors]:
        application = web.Application(client_max_size=20 * 1024 * 1024)
        application.router.add_post("/bot{token}/{method}", self._telegram)
        application.router.add_post("/{rest:.*:(?:generateContent|streamGenerateContent)}", self._model)
        async with served(application) as self.url:
            yield self

    async def _telegram(self, request: web.Request) -> web.Response:
        method, bot = request.match_info["method"], request.match_info["token"].partition(":")[0]
        self._count(method)
        given = await request.post()
        result: Any = True
        if method == "sendMessage":
            chat = int(str(given["chat_id"]))
            waiting = self.replies.pop((bot, chat), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(time.perf_counter())
            result = {"message_id": 1, "date": 1_790_000_000, "chat": {"id": chat, "type": "private"}}
        return web.json_response({"ok": True, "result": result})

    async def _model(self, request: web.Request) -> web.Response:
        arrived = time.perf_counter()
        self._count("model")
        body = await request.read()
        asked = json.loads(body)
        marks = _MARKED.findall(body)
        self.model_waiting += 1
        try:
            if self.model_s:
                await asyncio.sleep(self.model_s)
            if self.model_held is not None:
                await self.model_held.wait()
        finally:
            self.model_waiting -= 1
        parts = asked["contents"][-1]["parts"]
        if any("functionResponse" in part for part in parts):
            answer: dict[str, Any] = {"text": _TEXT}
        else:
            day = datetime.now(UTC) + timedelta(days=1 + next(self._days) % _DAYS)
            arguments = {"services": [{"service_id": self.service_id}], "date_from": day.date().isoformat()}
            if marks:
                self._turn_of_day[day.date().isoformat()] = int(marks[-1])
            answer = {"functionCall": {"id": "1", "name": "get_available_slots", "args": arguments}}
        if marks:
            self._took(int(marks[-1]), arrived)
        return web.json_response(
            {
                "candidates": [{"content": {"role": "model", "parts": [answer]}, "finishReason": "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": 2000, "candidatesTokenCount": 20, "totalTokenCount": 2020},
                "modelVersion": "bench",
            }
        )

    def crm_took(self, day: str, arrived: float) -> None:
        """Count a call to the CRM, which arrived then (time.perf_counter), to the turn that was told this day."""
        if day in self._turn_of_day:
            self._took(self._turn_of_day[day], arrived)

    def _took(self, turn: int, arrived: float) -> None:
        self.outside_s[turn] = self.outside_s.get(turn, 0.0) + time.perf_counter() - arrived

    def _count(self, kind: str) -> None:
        self.calls[kind] = self.calls.get(kind, 0) + 1


class TimedSalon(OneCServiceSalon):
    """The sandbox's 1C, each of whose calls is told to the vendors with the day that it asks for."""

    def __init__(self, business: Business, vendors: Vendors, *, path: str) -> None:
        super().__init__(business, path=path)
        self._vendors = vendors

    def add_routes(self, application: web.Application) -> None:
        super().add_routes(application)

        @web.middleware
        async def timed(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            arrived = time.perf_counter()
            try:
                return await handler(request)
            finally:
                self._vendors.crm_took(request.query.get("from", ""), arrived)

        application.middlewares.append(timed)
