"""Failures that a test plants in a CRM's server: what the next calls of some kind meet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True, kw_only=True)
class Fault:
    """What the next calls meet, those with `path` in their address and, where it is named, this method.

    A hold keeps the call, before its effect or after it, until the event is set; `held` counts those that wait.
    `word` must stand in the body or the query (servers with one address for every operation tell them apart so).
    `mutate` changes the JSON of the true answer: what a vendor may send one day without notice.
    """

    path: str
    times: int = 1
    method: str = ""
    word: str = ""
    status: int = 0
    retry_after: int | None = None
    html: bool = False
    malformed: bool = False
    hang_s: float = 0
    mutate: Callable[[Any], Any] | None = None
    cut_before: bool = False
    cut_after: bool = False
    hold_before: asyncio.Event | None = None
    hold_after: asyncio.Event | None = None
    held: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set as soon as a call is held."""

    async def hold(self, until: asyncio.Event | None) -> None:
        if until is not None:
            self.held += 1
            self.arrived.set()
            await until.wait()
            self.held -= 1


class Faults:
    """The failures that wait for their calls."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def plant(self, path: str, **fault: Any) -> Fault:
        """Let the next calls fail (see Fault); return what tells how many are held."""
        made = Fault(path=path, **fault)
        self._waiting.append(made)
        return made

    def clear(self) -> None:
        self._waiting.clear()

    async def run(
        self, request: web.Request, handler: Handler, refuse: Callable[[int, str], web.StreamResponse]
    ) -> web.StreamResponse:
        """Handle the request as the planted failure says, or as it is. `refuse` makes the vendor's own error answer."""
        fault = await self._find(request)
        if fault is None:
            return await handler(request)
        early = await self._suffer(request, fault, refuse)
        if early is not None:
            return early
        response = await handler(request)
        await fault.hold(fault.hold_after)
        if fault.mutate is not None and isinstance(response, web.Response) and isinstance(response.body, bytes):
            response.body = json.dumps(fault.mutate(json.loads(response.body))).encode()
        return await _cut(request) if fault.cut_after else response

    async def _find(self, request: web.Request) -> Fault | None:
        for fault in self._waiting:
            if fault.times <= 0 or fault.path not in request.path or fault.method not in ("", request.method):
                continue
            if fault.word and fault.word not in request.path_qs and fault.word not in await request.text():
                continue
            fault.times -= 1
            return fault
        return None

    async def _suffer(
        self, request: web.Request, fault: Fault, refuse: Callable[[int, str], web.StreamResponse]
    ) -> web.StreamResponse | None:
        if fault.hang_s:
            await asyncio.sleep(fault.hang_s)
        if fault.hold_before is not None:
            await request.read()  # what is held has arrived, whatever becomes of the caller
            await fault.hold(fault.hold_before)
        if fault.cut_before:
            return await _cut(request)
        if fault.html:
            return web.Response(text="<html>502 Bad Gateway</html>", content_type="text/html", status=502)
        if fault.malformed:
            return web.Response(text='{"success": true, "data": [', content_type="application/json")
        if fault.status:
            response = refuse(fault.status, "Error")
            if fault.retry_after:
                response.headers["Retry-After"] = str(fault.retry_after)
            return response
        return None


async def _cut(request: web.Request) -> web.StreamResponse:
    """Close the line without an answer."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)
