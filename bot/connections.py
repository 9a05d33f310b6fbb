"""Connections at the door: how many, how long the head of a request may take, and how large it may be.

aiohttp closes a connection that is idle, and bounds lines and fields. What it does not know is a sender who gives a
head byte by byte (slow-loris), and how many connections one address may hold.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from aiohttp import web
from prometheus_client import Counter as Metric

from middlewares.http import error_response

log = structlog.get_logger()

THIS_MACHINE = ("127.0.0.0/8", "::1")
"""Who connects from here is a proxy, or could do worse than holding connections."""
_FILES_FOR_THE_REST = 200
"""Of the files that a process may have open: the database, Redis, CRMs, messengers."""

REFUSED = Metric("ai_admin_connections_refused", "Connections that were closed at the door.", ["why"])


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLimits:
    """What a connection may take. Times in seconds.

    `head`: from a connection's start, or the first byte of a further request, to the end of its head. `idle`: between
    requests; longer than a reverse proxy keeps its own. `linger`: how long a refused body is read, so that the refusal
    can be heard. `most_of_one`: connections of one peer that is no trusted proxy.
    """

    head: float = 10
    idle: float = 75
    linger: float = 2
    most: int = field(default_factory=lambda: _most_connections(4000))
    most_of_one: int = 400
    line_bytes: int = 4096
    field_bytes: int = 8190
    fields: int = 64


def _most_connections(wanted: int) -> int:
    """Return `wanted`, or what the process' limit of open files leaves for it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else max(50, min(wanted, soft - _FILES_FOR_THE_REST))


class Doorkeeper:
    """Counts the open connections, all together and by peer."""

    def __init__(self, limits: DoorLimits, is_proxy: Callable[[str], bool]) -> None:
        self.limits = limits
        self._is_proxy = is_proxy
        self._open: Counter[str] = Counter()

    def admit(self, peer: str) -> str | None:
        """Count a connection. None: it is let in; else why not, and it has to leave all the same."""
        self._open[peer] += 1
        if self._open.total() > self.limits.most:
            return "too_many"
        if self._open[peer] > self.limits.most_of_one and not self._is_proxy(peer):
            return "too_many_of_one"
        return None

    def leave(self, peer: str) -> None:
        self._open[peer] -= 1
        if self._open[peer] <= 0:
            del self._open[peer]


class GuardedConnection(web.RequestHandler):
    """aiohttp's connection under a doorkeeper."""

    __slots__ = ("_head_timer", "_keeper", "_peer")

    def __init__(self, server: web.Server, keeper: Doorkeeper, *, loop: asyncio.AbstractEventLoop) -> None:
        limits = keeper.limits
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # as the runner itself is told
            keepalive_timeout=limits.idle,
            max_line_size=limits.line_bytes,
            max_field_size=limits.field_bytes,
            max_headers=limits.fields,
            lingering_time=limits.linger,
        )
        self._keeper = keeper
        self._peer: str | None = None
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        name = transport.get_extra_info("peername")
        self._peer = str(name[0]) if isinstance(name, tuple) else "local"
        refused = self._keeper.admit(self._peer)
        if refused is not None:
            self._refuse(refused)
            return
        self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_timer()
        if self._peer is not None:
            self._keeper.leave(self._peer)
            self._peer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # `_waiter`: aiohttp waits for a whole head. While it does, what came is a part of one.
        if self._waiter is None or self._waiter.done():
            self._stop_timer()
        elif self._head_timer is None:
            self._await_head()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be read in our own shape: neither the answer nor the log repeats what was sent."""
        log.info("request_unreadable", status=status, error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response has left already")
        response = error_response(
            status, "bad_request" if status < 500 else "internal_error", HTTPStatus(status).phrase
        )
        response.force_close()
        return response

    def _await_head(self) -> None:
        self._head_timer = self._loop.call_later(self._keeper.limits.head, self._refuse, "slow_head")

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, why: str) -> None:
        REFUSED.labels(why).inc()
        self._stop_timer()
        self.force_close()
