"""A local YCLIENTS: the REST API v1 as the vendor's blueprint (apib, Sep 2024) and integrators' reviews describe it.

It refuses what the vendor refuses: no partner token 401, no user token 403, too many calls 429, busy times 433. Without
the v2 Accept header answers come bare, without the envelope. What the documents leave open is marked "unknown" where it
is decided.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.faults import Fault, Faults, Handler
from sandbox.yclients.answers import Refused
from sandbox.yclients.journal import Journal
from sandbox.yclients.online import Online
from sandbox.yclients.salon import Book, Json, Salon

ACCEPT = ("application/vnd.yclients.v2+json", "application/vnd.api.v2+json")


class YclientsSandbox:
    """The server. `book` holds the salons; `violations` what was refused as malformed."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        partner_token: str = "sandbox-partner-token",  # noqa: S107
        user_token: str = "sandbox-user-token",  # noqa: S107
        per_second: int = 5,
        per_minute: int = 200,
    ) -> None:
        self.book = Book(clock)
        self.journal = Journal(self.book)
        self.violations: list[Json] = []
        self.calls: deque[Json] = deque(maxlen=5000)
        self.partner_token = partner_token
        self.user_token = user_token
        self.url = ""
        self._limits = ((1.0, per_second), (60.0, per_minute))
        self._times: deque[float] = deque(maxlen=per_minute)
        self._faults = Faults()
        self._runner: web.AppRunner | None = None

    def add_salon(self, salon: Salon) -> int:
        self.book.salons[salon.id] = salon
        return salon.id

    def fail_next(self, path: str, *, times: int = 1, **fault: Any) -> Fault:
        """Let the next calls to paths that contain `path` fail (see Fault); return what tells how many are held."""
        return self._faults.plant(path, times=times, **fault)

    def clear_faults(self) -> None:
        """Forget the failures still waiting."""
        self._faults.clear()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return the address below which `/api/v1` lies."""
        application = web.Application()
        self.add_routes(application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def add_routes(self, application: web.Application) -> None:
        """Mount the API."""
        online = Online(self.book)
        for method, path, handler, needs_user in (*online.routes(), *self.journal.routes()):
            application.router.add_route(method, f"/api/v1{path}", self._guarded(handler, needs_user=needs_user))

    def _guarded(self, handler: Handler, *, needs_user: bool) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            self.calls.append({"method": request.method, "path": request.path_qs})
            try:
                self._admit(request, needs_user=needs_user)
                response = await self._faults.run(request, handler, _planted)
            except Refused as refused:
                return self._refuse(request, refused)
            except (KeyError, TypeError, ValueError) as error:
                self.violations.append({"method": request.method, "path": request.path, "why": repr(error)})
                return self._refuse(request, Refused(422, f"The request is malformed: {error}"))
            return self._dressed(request, response)

        return guarded

    def _admit(self, request: web.Request, *, needs_user: bool) -> None:
        """Apply the limits by address (200 a minute or 5 a second), then the tokens (apib, Authorization)."""
        now = asyncio.get_running_loop().time()
        for window, most in self._limits:
            if sum(1 for at in self._times if now - at < window) >= most:
                raise Refused(429, "Too many requests")
        self._times.append(now)
        partner, _, user = request.headers.get("Authorization", "").partition(",")
        if partner.strip() != f"Bearer {self.partner_token}":
            raise Refused(401, "Partner ID not specified")
        if needs_user and user.strip() != f"User {self.user_token}":
            raise Refused(403, "No company management rights")
        salon_id = request.match_info.get("company_id")
        if salon_id is not None:
            salon = self.book.salons.get(int(salon_id)) if salon_id.isdigit() else None
            if salon is None:
                raise Refused(404, "Company not found")
            if not salon.licensed:
                raise Refused(402, "The branch's licence is not paid")

    def _refuse(self, request: web.Request, refused: Refused) -> web.Response:
        if request.headers.get("Accept") not in ACCEPT:
            return web.json_response(
                {"errors": {"code": refused.code, "message": refused.message}}, status=refused.status
            )
        return web.json_response(_envelope_of(refused), status=refused.status)

    def _dressed(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Take the envelope off where the v2 Accept header is missing (seen in live traffic for `book_record`)."""
        if request.headers.get("Accept") in ACCEPT or not isinstance(response, web.Response) or not response.body:
            return response
        assert isinstance(response.body, bytes)  # noqa: S101
        return web.json_response(json.loads(response.body)["data"], status=response.status)


def _planted(status: int, message: str) -> web.Response:
    return web.json_response(_envelope_of(Refused(status, message)), status=status)


def _envelope_of(refused: Refused) -> Json:
    """Where the booking code stands in the v2 envelope is unknown; it is put where integrators saw it."""
    meta: Json = {"message": refused.message}
    if refused.code is not None:
        meta["errors"] = {"code": refused.code, "message": refused.message}
    return {"success": False, "data": None, "meta": meta}
