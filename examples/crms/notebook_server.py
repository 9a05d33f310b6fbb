"""Notebook itself: the invented CRM that the example adapter speaks to. It knows nothing of ours.

Every call carries `Authorization: Bearer TOKEN`; times are the branch's wall clock. Refusals: 401 token, 404 unknown
id, 409 the master is busy then, 422 what cannot be read. A `key` that was sent before brings the visit that it made.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from aiohttp import web

from sandbox.business import Business, BusinessService
from sandbox.faults import Fault, Faults
from sandbox.staff_side import Connection, Json, Visit

TOKEN = "notebook-token-1"  # noqa: S105 (known to this server alone)
_CALLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "catalogue": ("GET", "/services"),
        "times": ("GET", "/free"),
        "read": ("GET", "/visits/"),
        "list": ("GET", "/visits"),
        "create": ("POST", "/visits"),
        "move": ("PATCH", "/visits/"),
        "cancel": ("DELETE", "/visits/"),
    }
)


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(slots=True, kw_only=True)
class _Entry:
    id: int
    master: int
    services: list[int]
    start: datetime
    client: str
    phone: str
    comment: str = ""
    key: str = ""
    cancelled: bool = False


class NotebookServer:
    """One branch's notebook (see CRMSandbox): services and masters are numbered from 1."""

    def __init__(self, business: Business, clock: Callable[[], datetime] | None = None) -> None:
        self.business = business
        self.calls: list[Json] = []
        self.violations: list[Json] = []
        self.changed = asyncio.Condition()
        self.seq = 0
        self.url = ""
        self._clock = clock or (lambda: datetime.now(UTC))
        self._faults = Faults()
        self._entries: dict[int, _Entry] = {}
        self._services = {number: one for number, one in enumerate(business.services, 1) if one.online}
        self._masters = {
            number: one.name for number, one in enumerate(business.masters, 1) if one.bookable and not one.fired
        }
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        application = web.Application()
        for method, path, act in (
            ("GET", "/services", self._list_services),
            ("GET", "/masters", self._list_masters),
            ("GET", "/free", self._list_free),
            ("GET", "/visits", self._list_visits),
            ("POST", "/visits", self._create),
            ("GET", "/visits/{id}", self._read),
            ("PATCH", "/visits/{id}", self._move),
            ("DELETE", "/visits/{id}", self._cancel),
        ):
            application.router.add_route(method, path, self._guarded(act))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def connection(self) -> Connection:
        return Connection(
            type="notebook",
            options={"url": self.url},
            secrets={"token": TOKEN},
            wrong_secrets={"token": "wrong-token"},
        )

    def fail(self, operation: str, **fault: Any) -> Fault:
        method, path = _CALLS[operation]
        return self._faults.plant(path, method=method, **fault)

    def list_visits(self) -> tuple[Visit, ...]:
        return tuple(
            Visit(
                id=str(one.id),
                starts=one.start,
                minutes=self._minutes(one.services),
                master=self._masters[one.master],
                services=tuple(self._services[number].title for number in one.services),
                client=one.client,
                phone=one.phone,
                comment=one.comment,
                external_id=one.key,
                cancelled=one.cancelled,
            )
            for one in sorted(self._entries.values(), key=lambda one: one.start)
        )

    def book_by_hand(self, *, master: str, service: str, starts: datetime, client: str, phone: str) -> str:
        staff = next(number for number, name in self._masters.items() if name == master)
        done = next(number for number, one in self._services.items() if one.title == service)
        return str(
            self._write(_Entry(id=0, master=staff, services=[done], start=starts, client=client, phone=phone)).id
        )

    def move_by_hand(self, record_id: str, starts: datetime) -> None:
        self._entries[int(record_id)].start = starts

    def cancel_by_hand(self, record_id: str) -> None:
        self._entries[int(record_id)].cancelled = True

    def add_client(self, name: str, phone: str) -> str:
        raise NotImplementedError("a notebook has no cards")

    def _guarded(self, act: Callable[[web.Request, Json], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body: Json = json.loads(await request.read() or "{}")
            return web.json_response(act(request, body), status=201 if request.method == "POST" else 200)

        async def guarded(request: web.Request) -> web.StreamResponse:
            self.calls.append({"method": request.method, "path": request.path_qs})
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return _refusal(401, "who are you?")
            try:
                return await self._faults.run(request, handle, _refusal)
            except _Refused as refused:
                return _refusal(refused.status, str(refused))
            except (KeyError, TypeError, ValueError) as error:
                self.violations.append({"path": request.path, "why": repr(error)})
                return _refusal(422, "cannot be read")

        return guarded

    def _list_services(self, request: web.Request, _: Json) -> list[Json]:
        return [self._service(number) for number in self._services]

    def _list_masters(self, request: web.Request, _: Json) -> list[Json]:
        wanted = self._asked(request)
        return [_named(number, name) for number, name in self._masters.items() if self._does(name, wanted)]

    def _list_free(self, request: web.Request, _: Json) -> list[Json]:
        wanted, master = self._asked(request), request.query.get("master", "")
        if not wanted:
            raise _Refused(404, "no services named")
        if master and master not in {str(number) for number in self._masters}:
            raise _Refused(404, "no such master")
        first, last = date.fromisoformat(request.query["first"]), date.fromisoformat(request.query["last"])
        if (last - first).days > 31:
            raise _Refused(422, "a month at most")
        free = []
        for shift in range((last - first).days + 1):
            for start in self._starts(first + timedelta(days=shift), self._minutes(wanted)):
                for number, name in self._masters.items():
                    if (
                        master in ("", str(number))
                        and self._does(name, wanted)
                        and self._is_free(number, start, wanted)
                    ):
                        free.append(self._time(number, start, wanted))
        return free

    def _list_visits(self, request: web.Request, _: Json) -> list[Json]:
        first, phone = date.fromisoformat(request.query["first"]), request.query.get("phone", "")
        found = [one for one in self._entries.values() if one.start.date() >= first]
        mine = [one for one in found if not phone or "".join(filter(str.isdigit, one.phone)) == phone]
        return [self._shown(one) for one in sorted(mine, key=lambda one: one.start)]

    def _create(self, request: web.Request, body: Json) -> Json:
        key = str(body["key"])
        for one in self._entries.values():
            if key and one.key == key:
                return self._shown(one)
        entry = _Entry(
            id=0,
            master=int(body["master"]),
            services=[int(one) for one in body["services"]],
            start=datetime.fromisoformat(body["start"]),
            client=str(body["client"]),
            phone=str(body["phone"]),
            comment=str(body["comment"]),
            key=key,
        )
        if not self._is_free(entry.master, entry.start, entry.services):
            raise _Refused(409, "busy")
        return self._shown(self._write(entry))

    def _read(self, request: web.Request, _: Json) -> Json:
        return self._shown(self._entry(request))

    def _move(self, request: web.Request, body: Json) -> Json:
        entry = self._entry(request)
        master, start = int(body["master"]), datetime.fromisoformat(body["start"])
        if entry.cancelled:
            raise _Refused(404, "cancelled")
        if not self._is_free(master, start, entry.services, but=entry.id):
            raise _Refused(409, "busy")
        entry.master, entry.start = master, start
        return self._shown(entry)

    def _cancel(self, request: web.Request, _: Json) -> Json:
        entry = self._entry(request)
        entry.cancelled = True
        return self._shown(entry)

    def _entry(self, request: web.Request) -> _Entry:
        number = request.match_info["id"]
        if not number.isdigit() or int(number) not in self._entries:
            raise _Refused(404, "no such visit")
        return self._entries[int(number)]

    def _write(self, entry: _Entry) -> _Entry:
        entry.id = len(self._entries) + 101
        self._entries[entry.id] = entry
        self.seq += 1
        return entry

    def _asked(self, request: web.Request) -> list[int]:
        wanted = [part for part in request.query.get("services", "").split(",") if part]
        if any(not part.isdigit() or int(part) not in self._services for part in wanted):
            raise _Refused(404, "no such service")
        return [int(part) for part in wanted]

    def _does(self, name: str, services: Sequence[int]) -> bool:
        return all(name in self._services[number].masters for number in services)

    def _minutes(self, services: Sequence[int]) -> int:
        return sum(self._services[number].minutes for number in services)

    def _starts(self, day: date, minutes: int) -> list[datetime]:
        opening = self.business.hours.get(day.weekday())
        if opening is None:
            return []
        opens, closes = (datetime.combine(day, one) for one in opening)
        now = self._clock().astimezone(self.business.zone).replace(tzinfo=None)
        steps = int((closes - opens - timedelta(minutes=minutes)) / timedelta(minutes=self.business.grid_minutes)) + 1
        starts = [opens + timedelta(minutes=self.business.grid_minutes * step) for step in range(steps)]
        return [start for start in starts if start >= now]

    def _is_free(self, master: int, start: datetime, services: Sequence[int], *, but: int = 0) -> bool:
        ends = start + timedelta(minutes=self._minutes(services))
        return not any(
            one.master == master
            and not one.cancelled
            and one.id != but
            and start < one.start + timedelta(minutes=self._minutes(one.services))
            and one.start < ends
            for one in self._entries.values()
        )

    def _service(self, number: int) -> Json:
        one: BusinessService = self._services[number]
        return _named(number, one.title) | {"price": one.low, "minutes": one.minutes}

    def _time(self, master: int, start: datetime, services: Sequence[int]) -> Json:
        minutes = self._minutes(services)
        return {"master": _named(master, self._masters[master]), "start": start.isoformat(), "minutes": minutes}

    def _shown(self, entry: _Entry) -> Json:
        who = {"client": entry.client, "phone": entry.phone, "comment": entry.comment, "key": entry.key}
        services = [self._service(number) for number in entry.services]
        more = {"id": entry.id, "services": services, "cancelled": entry.cancelled}
        return self._time(entry.master, entry.start, entry.services) | who | more


def _named(number: int, name: str) -> Json:
    return {"id": number, "name": name}


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
