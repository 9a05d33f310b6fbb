"""A local Bitrix24 portal behind a webhook or an application's tokens, as the vendor's REST documentation describes it.

It refuses what the vendor refuses: a wrong code 401, a scope that was not given 403, too many calls 503, an exhausted
method 429, busy resources 1018. What the documents leave open is said where it is decided.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, time
from types import MappingProxyType
from typing import Any

from aiohttp import web

from sandbox.bitrix24.booking import Bookings
from sandbox.bitrix24.calendar import FIELD, Calendars, ResourceField
from sandbox.bitrix24.calling import Bucket, Json, Operating, Refused, run_batch
from sandbox.bitrix24.crm import DEAL, PAGE, Crm
from sandbox.bitrix24.events import Events
from sandbox.bitrix24.oauth import CLIENT_ID, CLIENT_SECRET, FIRST_RENEWAL, OAuth
from sandbox.bitrix24.portal import DURATION, MASTERS, Portal
from sandbox.business import Business
from sandbox.simple_server import DiaryServer
from sandbox.staff_side import Connection

USER, CODE = "1", "sandboxcode0001"
SCOPES = frozenset({"crm", "booking", "catalog", "calendar"})
IN_CALENDAR: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "catalogue": ("POST", "/catalog.product.service.list", ""),
        "times": ("POST", "/calendar.resource.booking.list", "resourceTypeIdList"),
        "clients": ("POST", "/crm.duplicate.findbycomm", ""),
        "read": ("POST", "/crm.item.get", FIELD),
        "list": ("POST", "/crm.item.list", "contactId"),
        "create": ("POST", "/crm.item.add", "resource|"),
        "move": ("POST", "/crm.item.update", "resource|"),
        "cancel": ("POST", "/crm.item.update", "empty"),
    }
)
"""The calls of OPERATIONS in a portal without the booking module."""


class Bitrix24Server(DiaryServer):
    """One portal (see CRMSandbox). `scopes`: what the webhook was given; `events`: who is told of changes.

    `by_application`: the company is connected by an application in place of a webhook (both ways are always open).
    `booking_module` False: resources are the calendar's, and deals book them by a field of theirs.
    """

    operations: Mapping[str, tuple[str, str, str]] = MappingProxyType(
        {
            "catalogue": ("POST", "/catalog.product.service.list", ""),
            "times": ("POST", "/booking.v1.booking.list", ""),
            "clients": ("POST", "/crm.duplicate.findbycomm", ""),
            "read": ("POST", "/booking.v1.booking.get", ""),
            "list": ("POST", "/batch", "booking.v1.booking.list"),
            "day": ("POST", "/booking.v1.booking.list", ""),
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
        by_application: bool = False,
        booking_module: bool = True,
    ) -> None:
        tells = clock or (lambda: datetime.now(UTC))
        self.events = Events(clock=tells)
        self.portal = Portal(business, tells, self.events.tell, booking_module)
        super().__init__(self.portal.diary)
        self.oauth = OAuth(tells)
        self._by_application = by_application
        self.scopes = SCOPES
        self.operating = Operating()
        self._bucket = Bucket(threshold, drains)
        self.booked = None if booking_module else ResourceField(self.portal)
        self._methods = Crm(self.portal, self.booked).methods()
        if self.booked is None:
            self._methods |= Bookings(self.portal).methods()
        else:
            self._methods |= Calendars(self.portal, self.booked).methods()
            self.operations = IN_CALENDAR

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        self.events.start()
        return await super().start(host, port)

    async def stop(self) -> None:
        await self.events.stop()
        await super().stop()

    def connection(self) -> Connection:
        options = {"duration_property": str(DURATION), "masters_property": str(MASTERS)}
        if self.booked is not None:
            options |= {"mode": "calendar", "hours": _written(self.portal.business.hours)}
        if self._by_application:
            return Connection(
                type="bitrix24",
                options={**options, "portal": self.url, "oauth_url": self.url, "client_id": CLIENT_ID},
                secrets={"client_secret": CLIENT_SECRET, "refresh_token": FIRST_RENEWAL},
                wrong_secrets={"client_secret": "wrongsecret000", "refresh_token": "wrongrenewal000"},
            )
        return Connection(
            type="bitrix24",
            options=options,
            secrets={"webhook_url": f"{self.url}/rest/{USER}/{CODE}/"},
            wrong_secrets={"webhook_url": f"{self.url}/rest/{USER}/wrongcode0000/"},
        )

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        """Book in the portal's own screens: the client is a contact there, and the visit may be a deal."""
        number = super().book_by_hand(master=master, service=service, starts=starts, client=client, phone=phone)
        card = self.portal.contact_by_phone(phone)
        contact = card.id if card is not None else self.diary.add_client(client, phone)
        self.portal.name_clients(self.diary.entries[number], [contact])
        if self.booked is not None:
            self.booked.number(number)
            deal = {"id": int(number), "title": f"{service}, {client}", "contactId": int(contact)}
            self.portal.items[DEAL][int(number)] = deal | {"contactIds": [int(contact)]}
        return number

    def add_routes(self, application: web.Application) -> None:
        application.router.add_route("*", "/rest/{user}/{code}/{method}", self._called)
        application.router.add_route("*", "/rest/{method}", self._called)
        application.router.add_get("/oauth/token/", self._renewed)

    async def _called(self, request: web.Request) -> web.StreamResponse:
        """Answer a call by a webhook, whose code stands in the address, or by a token in the body's `auth`."""

        async def answer() -> web.StreamResponse:
            self._bucket.take(asyncio.get_running_loop().time())
            if "code" not in request.match_info:
                self.oauth.require((await _body_of(request)).get("auth"))
            elif (request.match_info["user"], request.match_info["code"]) != (USER, CODE):
                raise Refused(401, "NO_AUTH_FOUND", "Wrong authorization data")
            return await self.faults.run(request, self._answer, _planted)

        return await self._guard(request, answer)

    async def _renewed(self, request: web.Request) -> web.StreamResponse:
        async def renew(request: web.Request) -> web.StreamResponse:
            return web.json_response(self.oauth.renew(request.query))

        return await self._guard(request, lambda: self.faults.run(request, renew, _planted))

    async def _guard(
        self, request: web.Request, answer: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Write down what was asked, and tell refusals in the portal's words."""
        self.asked.append({"method": request.method, "path": request.path})
        try:
            return await answer()
        except Refused as refused:
            return _refusal(refused)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            self.misread.append({"path": request.path, "why": repr(error)})
            return _refusal(Refused(400, "INVALID_REQUEST", "The request cannot be read"))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await _body_of(request)
        method = request.match_info["method"].removesuffix(".json")
        result: Any = run_batch(body, self._call) if method == "batch" else self._call(method, body)
        await self.diary.tell()
        more = self._paging(result, body) if isinstance(result, dict) else {}
        return web.json_response({"result": result, **more, "time": self._time(method)})

    def _call(self, method: str, body: Json) -> Any:
        if method == "scope":
            return sorted(self.scopes)
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


def _written(hours: Mapping[int, tuple[time, time]]) -> str:
    """Write a week's hours as an admin types them."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return "; ".join(f"{days[day]} {opens:%H:%M}-{closes:%H:%M}" for day, (opens, closes) in hours.items())


async def _body_of(request: web.Request) -> Json:
    if "application/json" not in request.headers.get("Content-Type", ""):
        raise ValueError("only JSON bodies are understood here")
    body: Json = json.loads(await request.read() or "{}")
    return body


def _refusal(refused: Refused) -> web.Response:
    return web.json_response({"error": refused.code, "error_description": str(refused)}, status=refused.status)


def _planted(status: int, why: str) -> web.StreamResponse:
    code = {429: "OPERATION_TIME_LIMIT", 503: "QUERY_LIMIT_EXCEEDED"}.get(status, "INTERNAL_SERVER_ERROR")
    return _refusal(Refused(status, code, why))
