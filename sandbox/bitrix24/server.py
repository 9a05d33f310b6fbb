"""A local Bitrix24 portal behind an inbound webhook, as the vendor's REST documentation describes it.

It refuses what the vendor refuses: a wrong code 401, a scope that was not given 403, too many calls 503, an exhausted
method 429, busy resources 1018. What the documents leave open is said where it is decided.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from aiohttp import web

from sandbox.bitrix24.booking import Bookings
from sandbox.bitrix24.calling import Bucket, Json, Operating, Refused, run_batch
from sandbox.bitrix24.crm import PAGE, Crm
from sandbox.bitrix24.portal import DURATION, MASTERS, Portal
from sandbox.business import Business
from sandbox.simple_server import DiaryServer
from sandbox.staff_side import Connection

USER, CODE = "1", "sandboxcode0001"
SCOPES = frozenset({"crm", "booking", "catalog"})


class Bitrix24Server(DiaryServer):
    """One portal (see CRMSandbox). `scopes`: what the webhook was given; `events`: where to tell of changes."""

    operations: Mapping[str, tuple[str, str, str]] = MappingProxyType(
        {
            "catalogue": ("POST", "/catalog.product.service.list", ""),
            "times": ("POST", "/booking.v1.booking.list", ""),
            "clients": ("POST", "/crm.duplicate.findbycomm", ""),
            "read": ("POST", "/booking.v1.booking.get", ""),
            "list": ("POST", "/batch", "booking.v1.booking.list"),
            "create": ("POST", "/booking.v1.booking.add", ""),
            "move": ("POST", "/booking.v1.booking.update", ""),
            "cancel": ("POST", "/booking.v1.booking.delete", ""),
        }
    )

    def __init__(
        self,
        business: Business,
        clock: Callable[[], datetime] | None = None,
        *,
        threshold: float = 50,
        drains: float = 2,
    ) -> None:
        self.portal = Portal(business, clock or (lambda: datetime.now(UTC)))
        super().__init__(self.portal.diary)
        self.scopes = SCOPES
        self.operating = Operating()
        self._bucket = Bucket(threshold, drains)
        self._methods = Bookings(self.portal).methods() | Crm(self.portal).methods()

    def connection(self) -> Connection:
        return Connection(
            type="bitrix24",
            options={"duration_property": str(DURATION), "masters_property": str(MASTERS)},
            secrets={"webhook_url": f"{self.url}/rest/{USER}/{CODE}/"},
            wrong_secrets={"webhook_url": f"{self.url}/rest/{USER}/wrongcode0000/"},
        )

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        """Book in the portal's own screens: the client is a contact there."""
        number = super().book_by_hand(master=master, service=service, starts=starts, client=client, phone=phone)
        card = self.portal.contact_by_phone(phone)
        contact = card.id if card is not None else self.diary.add_client(client, phone)
        self.portal.name_clients(self.diary.entries[number], [contact])
        return number

    def add_routes(self, application: web.Application) -> None:
        application.router.add_route("*", "/rest/{user}/{code}/{method}", self._called)

    async def _called(self, request: web.Request) -> web.StreamResponse:
        self.asked.append({"method": request.method, "path": request.path})
        try:
            self._bucket.take(asyncio.get_running_loop().time())
            if (request.match_info["user"], request.match_info["code"]) != (USER, CODE):
                raise Refused(401, "NO_AUTH_FOUND", "Wrong authorization data")
            return await self.faults.run(request, self._answer, _planted)
        except Refused as refused:
            return _refusal(refused)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            self.misread.append({"path": request.path, "why": repr(error)})
            return _refusal(Refused(400, "INVALID_REQUEST", "The request cannot be read"))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "application/json" not in request.headers.get("Content-Type", ""):
            raise ValueError("only JSON bodies are understood here")
        body: Json = json.loads(await request.read() or "{}")
        method = request.match_info["method"].removesuffix(".json")
        result: Any = run_batch(body, self._call) if method == "batch" else self._call(method, body)
        await self.diary.tell()
        more = self._paging(result, body) if isinstance(result, dict) else {}
        return web.json_response({"result": result, **more, "time": self._time(method)})

    def _call(self, method: str, body: Json) -> Any:
        scope = method.split(".")[0]
        if method not in self._methods:
            raise Refused(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")
        if scope not in self.scopes:
            raise Refused(403, "insufficient_scope", "The request requires higher privileges")
        self.operating.require(method)
        self.operating.spent[method] = self.operating.spent.get(method, 0) + 0.01
        return self._methods[method](body)

    @staticmethod
    def _paging(result: Json, body: Json) -> Json:
        """Tell how many there are, and where the next page starts; pages are of 50."""
        total = result.pop("_total", None)
        if total is None:
            return {}
        following = max(0, int(body.get("start") or 0)) + PAGE
        return {"total": total} | ({"next": following} if following < total else {})

    def _time(self, method: str) -> Json:
        now = self.portal.clock().timestamp()
        return {
            "start": now,
            "finish": now,
            "duration": 0.01,
            "processing": 0.01,
            "operating_reset_at": int(now) + 600,
            "operating": self.operating.spent.get(method, 0),
        }


def _refusal(refused: Refused) -> web.Response:
    return web.json_response({"error": refused.code, "error_description": str(refused)}, status=refused.status)


def _planted(status: int, why: str) -> web.StreamResponse:
    code = {429: "OPERATION_TIME_LIMIT", 503: "QUERY_LIMIT_EXCEEDED"}.get(status, "INTERNAL_SERVER_ERROR")
    return _refusal(Refused(status, code, why))
