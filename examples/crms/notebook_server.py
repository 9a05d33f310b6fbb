"""Notebook itself: the invented CRM that the example adapter speaks to. It knows nothing of ours.

Every call carries `Authorization: Bearer TOKEN`; times are the branch's wall clock; services and masters are numbered
from 1. Refusals: 401 token, 404 unknown id, 409 the master is busy then, 422 what cannot be read. A `key` that was sent
before brings the visit that it made.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from aiohttp import web

from sandbox.business import Business
from sandbox.diary import Diary, Entry
from sandbox.simple_server import DiaryServer
from sandbox.staff_side import Connection, Json

TOKEN = "notebook-token-1"  # noqa: S105 (known to this server alone)
MONTH = 31


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class NotebookServer(DiaryServer):
    """One branch's notebook (see CRMSandbox)."""

    operations: Mapping[str, tuple[str, str, str]] = MappingProxyType(
        {
            "catalogue": ("GET", "/services", ""),
            "times": ("GET", "/free", ""),
            "read": ("GET", "/visits/", ""),
            "list": ("GET", "/visits", ""),
            "create": ("POST", "/visits", ""),
            "move": ("PATCH", "/visits/", ""),
            "cancel": ("DELETE", "/visits/", ""),
        }
    )

    def __init__(self, business: Business, clock: Callable[[], datetime] | None = None) -> None:
        numbers = itertools.count(101)
        super().__init__(Diary(business, lambda: str(next(numbers)), clock or (lambda: datetime.now(UTC))))
        self._services = {number: one for number, one in enumerate(business.services, 1) if one.online}
        self._masters = {one.name: number for number, one in enumerate(business.masters, 1)}

    def connection(self) -> Connection:
        secrets, wrong = {"token": TOKEN}, {"token": "wrong-token"}
        return Connection(type="notebook", options={"url": self.url}, secrets=secrets, wrong_secrets=wrong)

    def add_routes(self, application: web.Application) -> None:
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

    def _guarded(self, act: Callable[[web.Request, Json], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            answer = act(request, json.loads(await request.read() or "{}"))
            await self.diary.tell()
            return web.json_response(answer, status=201 if request.method == "POST" else 200)

        async def guarded(request: web.Request) -> web.StreamResponse:
            self.asked.append({"method": request.method, "path": request.path_qs})
            if request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return _refusal(401, "who are you?")
            try:
                return await self.faults.run(request, handle, _refusal)
            except _Refused as refused:
                return _refusal(refused.status, str(refused))
            except (KeyError, TypeError, ValueError) as error:
                self.misread.append({"path": request.path, "why": repr(error)})
                return _refusal(422, "cannot be read")

        return guarded

    def _list_services(self, request: web.Request, _: Json) -> list[Json]:
        return [self._service(number) for number in self._services]

    def _list_masters(self, request: web.Request, _: Json) -> list[Json]:
        return [self._master(name) for name in self.diary.masters(self._asked(request))]

    def _list_free(self, request: web.Request, _: Json) -> list[Json]:
        wanted, chosen = self._asked(request), request.query.get("master", "")
        if not wanted or (chosen and chosen not in {str(number) for number in self._masters.values()}):
            raise _Refused(404, "no such service or master")
        first, last = date.fromisoformat(request.query["first"]), date.fromisoformat(request.query["last"])
        if (last - first).days > MONTH:
            raise _Refused(422, "a month at most")
        masters = [name for name in self.diary.masters(wanted) if chosen in ("", str(self._masters[name]))]
        days = [first + timedelta(days=shift) for shift in range((last - first).days + 1)]
        free = [
            (start, name) for day in days for name in masters for start in self.diary.free_starts(name, wanted, day)
        ]
        return [self._time(name, start, self.diary.lasts(wanted)) for start, name in sorted(free)]

    def _list_visits(self, request: web.Request, _: Json) -> list[Json]:
        first, phone = date.fromisoformat(request.query["first"]), request.query.get("phone", "")
        found = [one for one in self.diary.entries.values() if one.start.date() >= first]
        mine = [one for one in found if not phone or "".join(filter(str.isdigit, one.phone)) == phone]
        return [self._shown(one) for one in sorted(mine, key=lambda one: one.start)]

    def _create(self, request: web.Request, body: Json) -> Json:
        known = [one for one in self.diary.entries.values() if body["key"] and one.external_id == body["key"]]
        if known:
            return self._shown(known[0])
        entry = Entry(
            id=self.diary.new_id(),
            master=self._name_of(body["master"]),
            services=[self._services[int(one)].title for one in body["services"]],
            start=datetime.fromisoformat(body["start"]),
            client=str(body["client"]),
            phone=str(body["phone"]),
            comment=str(body["comment"]),
            external_id=str(body["key"]),
        )
        return self._shown(self._placed(entry))

    def _read(self, request: web.Request, _: Json) -> Json:
        return self._shown(self._entry(request))

    def _move(self, request: web.Request, body: Json) -> Json:
        entry = self._entry(request)
        if entry.cancelled:
            raise _Refused(404, "cancelled")
        master, start = self._name_of(body["master"]), datetime.fromisoformat(body["start"])
        if not self.diary.is_free(master, start, self.diary.lasts(entry.services), but=entry.id):
            raise _Refused(409, "busy")
        entry.master, entry.start = master, start
        return self._shown(self.diary.write(entry))

    def _cancel(self, request: web.Request, _: Json) -> Json:
        entry = self._entry(request)
        entry.cancelled = True
        return self._shown(self.diary.write(entry))

    def _placed(self, entry: Entry) -> Entry:
        if not self.diary.is_free(entry.master, entry.start, self.diary.lasts(entry.services)):
            raise _Refused(409, "busy")
        return self.diary.write(entry)

    def _entry(self, request: web.Request) -> Entry:
        try:
            return self.diary.entries[request.match_info["id"]]
        except KeyError:
            raise _Refused(404, "no such visit") from None

    def _name_of(self, number: object) -> str:
        return next(name for name, its in self._masters.items() if its == int(str(number)))

    def _asked(self, request: web.Request) -> list[str]:
        wanted = [part for part in request.query.get("services", "").split(",") if part]
        if any(not part.isdigit() or int(part) not in self._services for part in wanted):
            raise _Refused(404, "no such service")
        return [self._services[int(part)].title for part in wanted]

    def _service(self, number: int) -> Json:
        one = self._services[number]
        return {"id": number, "name": one.title, "price": one.low, "minutes": one.minutes}

    def _master(self, name: str) -> Json:
        return {"id": self._masters[name], "name": name}

    def _time(self, master: str, start: datetime, lasts: timedelta) -> Json:
        return {
            "master": self._master(master),
            "start": start.isoformat(),
            "minutes": round(lasts.total_seconds() / 60),
        }

    def _shown(self, entry: Entry) -> Json:
        services = [self._service(number) for number, one in self._services.items() if one.title in entry.services]
        who = {"client": entry.client, "phone": entry.phone, "comment": entry.comment, "key": entry.external_id}
        more = {"id": int(entry.id), "services": services, "cancelled": entry.cancelled}
        return self._time(entry.master, entry.start, self.diary.end_of(entry) - entry.start) | who | more


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
