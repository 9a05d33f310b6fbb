"""A balancer as small as they come: it asks every instance's `/ready`, sends to those that say yes in turn, repeats
nothing, and knows nothing else. It keeps connections open, as real ones do, and notes how each request went."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from bench.serving import served
from bench.upgrades.processes import says_ready
from bot.tasks import end

_ASKS_EVERY_S = 0.2
_PASSED_ON = ("Content-Type", "X-Telegram-Bot-Api-Secret-Token")
_TICK_S = 0.05


@dataclass(slots=True)
class Balancer:
    """`answers`: how often each status was given; 502 is an instance that could not be reached, 503 none at all."""

    session: aiohttp.ClientSession
    url: str = ""
    answers: Counter[int] = field(default_factory=Counter)
    sent_to: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _instances: dict[str, bool] = field(default_factory=dict)
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _turn: int = 0

    async def add(self, instance: str) -> None:
        """Take an instance in, and wait until it gets its share."""
        self._instances[instance] = False
        self._asking[instance] = asyncio.create_task(self._ask_on(instance))
        while not self._instances[instance]:  # noqa: ASYNC110 (the asking below sees it)
            await asyncio.sleep(_TICK_S)

    async def remove(self, instance: str) -> None:
        """Forget an instance that has ended."""
        await end(self._asking.pop(instance))
        del self._instances[instance]

    async def close(self) -> None:
        """Ask nobody any more."""
        await end(*self._asking.values())

    async def _ask_on(self, instance: str) -> None:
        """Ask an instance again and again; each by itself, so that a slow one hides no other's leaving."""
        while True:
            self._instances[instance] = await says_ready(self.session, instance)
            await asyncio.sleep(_ASKS_EVERY_S)

    async def forward(self, request: web.Request) -> web.Response:
        """Send a request to the next ready instance, once."""
        ready = [instance for instance, is_ready in self._instances.items() if is_ready]
        if not ready:
            return self._answered(web.Response(status=503), "no instance is ready")
        self._turn += 1
        instance = ready[self._turn % len(ready)]
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        try:
            async with self.session.request(
                request.method, instance + request.path_qs, data=await request.read(), headers=headers
            ) as answer:
                body = await answer.read()
                self.sent_to[instance] += 1
                response = web.Response(status=answer.status, body=body, content_type=answer.content_type)
                return self._answered(response, body.decode(errors="replace"))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return self._answered(web.Response(status=502), f"{instance}: {type(error).__name__}: {error}")

    def _answered(self, response: web.Response, why: str) -> web.Response:
        self.answers[response.status] += 1
        if response.status != 200:
            self.faults.append(f"{response.status}: {why}")
        return response


@asynccontextmanager
async def open_balancer() -> AsyncIterator[Balancer]:
    """Listen on a port of this machine."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        balancer = Balancer(session)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", balancer.forward)
        async with served(application) as balancer.url:
            try:
                yield balancer
            finally:
                await balancer.close()
