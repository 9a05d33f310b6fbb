"""A local 1C base behind the HTTP service of docs/crm-1c.md, with one business in it.

It refuses what the page says to refuse, and keeps 1C's own ways: Basic authentication in UTF-8, an answer in plain text
for an exception that nobody caught, an HTML page when licences are used up, wall clocks without a zone, guids. Nothing
of the platform's documents says how an address outside the URL templates is answered: 404 in plain text here.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import uuid4

from aiohttp import web

from sandbox.business import Business
from sandbox.diary import Diary
from sandbox.faults import Handler
from sandbox.one_c.service.book import Book
from sandbox.one_c.service.wire import (
    NO_LICENCE,
    Refused,
    error,
    exception_page,
    no_such_template,
    written,
)
from sandbox.simple_server import DiaryServer
from sandbox.staff_side import Connection, Json

USER, PASSWORD = "Робот записи", "пароль-робота-1"
HOOK_SECRET = "sandbox-hook-secret-1"  # noqa: S105 (known to this server alone)
Act = Callable[[web.Request], Awaitable[tuple[int, Json | None]]]


class OneCServiceSalon(DiaryServer):
    """A server with one salon in it (see CRMSandbox).

    `lacks` names optional parts that this base has not: products, changes; `told_zone` is what /info says in place of
    the business's own. Switches for tests: `bom`, `numbers_as_text`, `licences` (calls at once; None: enough).
    `most_at_once` is how many calls there were at one time.
    """

    operations: Mapping[str, tuple[str, str, str]] = MappingProxyType(
        {
            "catalogue": ("GET", "/services", ""),
            "times": ("GET", "/slots", ""),
            "clients": ("GET", "/clients", ""),
            "read": ("GET", "/appointments/", ""),
            "list": ("GET", "/appointments", ""),
            "day": ("GET", "/appointments", ""),
            "create": ("POST", "/appointments", ""),
            "move": ("PATCH", "/appointments/", ""),
            "cancel": ("DELETE", "/appointments/", ""),
        }
    )

    def __init__(
        self,
        business: Business,
        clock: Callable[[], datetime] | None = None,
        *,
        path: str = "/salon",
        lacks: Sequence[str] = (),
        told_zone: str | None = None,
    ) -> None:
        super().__init__(Diary(business, lambda: str(uuid4()), clock or (lambda: datetime.now(UTC))))
        self.book = Book(self.diary, lacks=lacks, told_zone=told_zone)
        self.bom = False
        self.numbers_as_text = False
        self.licences: int | None = None
        self.most_at_once = 0
        self._at_once = 0
        self._path = path
        pair = f"{USER}:{PASSWORD}".encode()
        self._authorization = f"Basic {base64.b64encode(pair).decode()}"

    def connection(self) -> Connection:
        return Connection(
            type="1c",
            options={"base_url": self.url + self._path, "user": USER},
            secrets={"password": PASSWORD, "hook_secret": HOOK_SECRET},
            wrong_secrets={"password": "не-тот-пароль"},
        )

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        """Book as staff do in their own form: a visit has a client's card there too."""
        card = self.book.find_card(phone) or self.book.add_card(client, phone)
        return self.diary.book_by_hand(
            master=master, service=service, starts=starts, client=card.name, phone=card.phone
        )

    def add_routes(self, application: web.Application) -> None:
        base = self._path + "/hs/ai-admin/v1"
        for method, path, act in self.book.routes():
            application.router.add_route(method, base + path, self._admitted(self._answered(act)))
        application.router.add_route("*", "/{anywhere:.*}", self._admitted(_nowhere))

    def _admitted(self, handler: Handler) -> Handler:
        """Count the caller among the licences, then ask who it is: as the web server's module does."""

        async def admitted(request: web.Request) -> web.StreamResponse:
            self.asked.append({"method": request.method, "path": request.path_qs})
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                if self.licences is not None and self._at_once > self.licences:
                    return web.Response(text=NO_LICENCE, status=503, content_type="text/html")
                if request.headers.get("Authorization") != self._authorization:
                    return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="1C:Enterprise 8.3"'})
                return await self.faults.run(request, handler, exception_page)
            finally:
                self._at_once -= 1

        return admitted

    def _answered(self, act: Act) -> Handler:
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                status, value = await act(request)
            except Refused as refused:
                status, value = refused.status, error(refused)
                if refused.malformed:
                    self.misread.append({"method": request.method, "path": request.path_qs, "why": str(refused)})
            await self.diary.tell()
            if value is None:
                return web.Response(status=status)
            return written(value, status=status, bom=self.bom, numbers_as_text=self.numbers_as_text)

        return answered


async def _nowhere(_: web.Request) -> web.StreamResponse:
    return no_such_template()
