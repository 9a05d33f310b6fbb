"""Vendors that answer at once, for measuring what is ours of a turn: Telegram's methods, and a model that asks for free
times and then tells them. The CRM beside them is the sandbox's."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from bench.serving import served

_TEXT = "Свободно завтра в 12:00 и в 15:00. Какое время вам удобно?"
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
        self._count("model")
        asked = json.loads(await request.read())
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
            answer = {"functionCall": {"id": "1", "name": "get_available_slots", "args": arguments}}
        return web.json_response(
            {
                "candidates": [{"content": {"role": "model", "parts": [answer]}, "finishReason": "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": 2000, "candidatesTokenCount": 20, "totalTokenCount": 2020},
                "modelVersion": "bench",
            }
        )

    def _count(self, kind: str) -> None:
        self.calls[kind] = self.calls.get(kind, 0) + 1
