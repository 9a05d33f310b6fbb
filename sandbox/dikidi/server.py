"""A local DIKIDI: the calls of the public booking widget, as public clients of it read them.

The vendor documents no API. Taken from clients: the addresses, the session's cookie, the three envelopes (failures
under HTTP 200), the order of hold, check and booking. Decided here where none says: the words of refusals, how long a
hold lasts (ten minutes), the shape of lists of masters, that an empty `master_id` asks for everybody.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from aiohttp import web

from sandbox.business import Business, BusinessService
from sandbox.diary import Diary, Entry
from sandbox.simple_server import DiaryServer
from sandbox.staff_side import Connection, Json

COMPANY = 100500
COOKIE = "cid"
HOLD = timedelta(minutes=10)
_MOMENT = "%Y-%m-%d %H:%M:%S"
_FORM = ("type", "shared_id", "phone", "name", "first_name", "comments", "action_source", "agreement")


class _Refused(Exception):
    """A failure in the words of the widget; `code` stands where the newer envelope has one."""

    def __init__(self, why: str, code: object = 1) -> None:
        super().__init__(why)
        self.code = code


@dataclass(slots=True, kw_only=True)
class _Hold:
    master: str
    services: list[str]
    start: datetime
    until: datetime
    checked: bool = False


class DikidiServer(DiaryServer):
    """One company's widget (see CRMSandbox). `mode` is what the company's settings will say.

    Switches: `challenged` answers with a page, `wants_sms` refuses to book without a code, `hold_lasts`.
    """

    operations: Mapping[str, tuple[str, str, str]] = MappingProxyType(
        {
            "catalogue": ("GET", "/company_services/", ""),
            "times": ("GET", "/get_datetimes/", ""),
            "create": ("POST", "/record/", ""),
        }
    )

    def __init__(
        self, business: Business, clock: Callable[[], datetime] | None = None, *, mode: str = "widget_book"
    ) -> None:
        numbers = itertools.count(880_001)
        super().__init__(Diary(business, lambda: str(next(numbers)), clock or (lambda: datetime.now(UTC))))
        self.mode = mode
        self.challenged = False
        self.wants_sms = False
        self.hold_lasts = HOLD
        self._services = {number: one for number, one in enumerate(business.services, 201) if one.online}
        self._masters = {one.name: number for number, one in enumerate(business.masters, 11)}
        self._sessions: set[str] = set()
        self._holds: dict[str, _Hold] = {}

    def connection(self) -> Connection:
        options = {"site_url": self.url, "company_id": str(COMPANY), "mode": self.mode}
        return Connection(type="dikidi", options=options, secrets={})

    def add_routes(self, application: web.Application) -> None:
        for method, path, act in (
            ("GET", "/ru/mobile/ajax/newrecord/project_options/", self._project),
            ("GET", "/mobile/ajax/newrecord/company_services/", self._list_services),
            ("GET", "/ru/mobile/ajax/newrecord/get_masters_multi/", self._list_masters),
            ("GET", "/ru/ajax/newrecord/to_master_get_masters/", self._list_all_masters),
            ("GET", "/ru/ajax/newrecord/get_dates_true/", self._list_days),
            ("GET", "/ru/mobile/ajax/newrecord/get_datetimes/", self._list_times),
            ("GET", "/ru/ajax/newrecord/time_reservation/", self._reserve),
            ("POST", "/ru/mobile/newrecord/check/", self._check),
            ("POST", "/ru/ajax/newrecord/record/", self._record),
            ("GET", "/ru/mobile/ajax/newrecord/records_info/", self._records_info),
        ):
            application.router.add_route(method, path, self._guarded(act, nested="/mobile/ajax/" in path))

    def _guarded(self, act: Callable[[web.Request, Any], Json], *, nested: bool) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            answer = act(request, await request.post())
            await self.diary.tell()
            shown = {"error": {"code": 0}, "data": answer} if nested else answer
            response = web.json_response(shown)
            if request.path.endswith("/project_options/") and request.cookies.get(COOKIE) not in self._sessions:
                session = secrets.token_hex(8)
                self._sessions.add(session)
                response.set_cookie(COOKIE, session, path="/", httponly=True)
            return response

        async def guarded(request: web.Request) -> web.StreamResponse:
            self.asked.append({"method": request.method, "path": request.path_qs})
            if self.challenged:
                return web.Response(text="<html><script>challenge()</script></html>", content_type="text/html")
            try:
                if request.headers.get("X-Requested-With") != "XMLHttpRequest":
                    raise _Refused("Запрос не является AJAX запросом")
                company = request.query.get("company_id") or request.query.get("company")
                if company != str(COMPANY):
                    raise _Refused("Компания не найдена", "COMPANY_ERROR")
                return await self.faults.run(request, handle, _planted)
            except _Refused as refused:
                return _failure(str(refused), refused.code, nested=nested)
            except (KeyError, TypeError, ValueError) as error:
                self.misread.append({"path": request.path, "why": repr(error)})
                return _failure("Неверный запрос", 400, nested=nested)

        return guarded

    def _project(self, request: web.Request, _: Any) -> Json:
        return {"company": {"id": COMPANY, "name": self.business.title}}

    def _list_services(self, request: web.Request, _: Any) -> Json:
        if request.query["array"] != "1":
            raise ValueError("array")
        groups: dict[str, Json] = {}
        for number, one in self._services.items():
            group = groups.setdefault(one.category, {"id": 300 + len(groups), "name": one.category, "services": []})
            group["services"].append(
                {"id": number, "name": one.title, "price": str(one.low), "time": one.minutes, "image": None}
            )
        return {"list": {str(group["id"]): group for group in groups.values()}}

    def _list_masters(self, request: web.Request, _: Any) -> Json:
        wanted = self._wanted(request, "service_id_list[]")
        return {"masters": {str(self._masters[name]): self._master(name) for name in self.diary.masters(wanted)}}

    def _list_all_masters(self, request: web.Request, _: Any) -> Json:
        masters = {str(self._masters[name]): self._master(name) for name in self.diary.masters()}
        return {"masters": masters, "view": "<div class='masters'></div>"}

    def _list_days(self, request: web.Request, _: Any) -> Json:
        wanted = self._wanted(request, "services_id[]")
        first, last = (date.fromisoformat(request.query[name]) for name in ("date_from", "date_to"))
        days = [first + timedelta(days=shift) for shift in range((last - first).days + 1)]
        return {"dates_true": [day.isoformat() for day in days if self._free(wanted, "", day)]}

    def _list_times(self, request: web.Request, _: Any) -> Json:
        wanted, master = self._wanted(request, "service_id[]"), request.query["master_id"]
        day = date.fromisoformat(request.query["date"])
        times = self._free(wanted, master, day)
        masters = {str(self._masters[name]): self._master(name) for name in self.diary.masters(wanted)}
        return {
            "masters": masters,
            "times": times or [],
            "dates_true": [day.isoformat()] if times else [],
            "company": {"id": COMPANY, "name": self.business.title},
        }

    def _reserve(self, request: web.Request, _: Any) -> Json:
        session = self._session(request)
        wanted = self._wanted(request, "services_id[]")
        start = datetime.strptime(request.query["time"], _MOMENT)  # noqa: DTZ007 (the branch's wall clock)
        master = self._name_of(request.query["master_id"])
        if not self._may_begin(master, wanted, start, but=session):
            raise _Refused("Выбранное время уже занято")
        self._holds[session] = _Hold(
            master=master, services=wanted, start=start, until=self.diary.clock() + self.hold_lasts
        )
        number = self.diary.new_id()
        return {"record_id": int(number), "master_id": self._masters[master], "duration_string": "1 ч"}

    def _check(self, request: web.Request, form: Mapping[str, str]) -> Json:
        hold = self._held(request)
        if not re.fullmatch(r"\+\d{11,14}", form["phone"]) or not form["first_name"]:
            raise _Refused("Проверьте имя и номер телефона")
        hold.checked = True
        return {"error": 0, "result": "ok"}

    def _record(self, request: web.Request, form: Mapping[str, str]) -> Json:
        hold = self._held(request)
        missing = [name for name in _FORM if name not in form]
        if missing or not hold.checked:
            raise ValueError(f"missing {missing}, checked {hold.checked}")
        if form["agreement"] != "1":
            raise _Refused("Примите условия")
        if self.wants_sms:
            raise _Refused("Подтвердите номер телефона: введите код из СМС")
        entry = Entry(
            id=self.diary.new_id(),
            master=hold.master,
            services=hold.services,
            start=hold.start,
            client=form["first_name"],
            phone=form["phone"],
            comment=form["comments"],
        )
        self.diary.write(entry)
        del self._holds[request.cookies[COOKIE]]
        return {"bookings": [self._booking(entry)]}

    def _records_info(self, request: web.Request, _: Any) -> Json:
        found: Json = {}
        for number in request.query.getall("record_id_list[]"):
            entry = self.diary.entries.get(number)
            if entry is not None:
                services = [one for one in self._services.values() if one.title in entry.services]
                found[number] = {"record": self._booking(entry) | {"service_name": services[0].title}}
        return found

    def _free(self, services: list[str], master: str, day: date) -> dict[str, list[str]]:
        free = {}
        for name in self.diary.masters(services):
            if master in ("", str(self._masters[name])):
                starts = self.diary.free_starts(name, services, day)
                open_ = [start.strftime(_MOMENT) for start in starts if not self._is_held(name, services, start)]
                if open_:
                    free[str(self._masters[name])] = open_
        return free

    def _may_begin(self, master: str, services: list[str], start: datetime, *, but: str) -> bool:
        return start in self.diary.free_starts(master, services, start.date()) and not self._is_held(
            master, services, start, but=but
        )

    def _is_held(self, master: str, services: list[str], start: datetime, *, but: str = "") -> bool:
        lasts = self.diary.lasts(services)
        return any(
            session != but
            and hold.master == master
            and hold.until > self.diary.clock()
            and start < hold.start + self.diary.lasts(hold.services)
            and hold.start < start + lasts
            for session, hold in self._holds.items()
        )

    def _session(self, request: web.Request) -> str:
        session = request.cookies.get(COOKIE, "")
        if session not in self._sessions:
            raise _Refused("Сессия истекла")
        return session

    def _held(self, request: web.Request) -> _Hold:
        hold = self._holds.get(self._session(request))
        if hold is None or hold.until <= self.diary.clock():
            raise _Refused("Время больше не забронировано за вами")
        return hold

    def _wanted(self, request: web.Request, name: str) -> list[str]:
        numbers = request.query.getall(name, [])
        if not numbers or any(not one.isdigit() or int(one) not in self._services for one in numbers):
            raise _Refused("Услуга не найдена", 400)
        return [self._services[int(one)].title for one in numbers]

    def _name_of(self, number: str) -> str:
        return next(name for name, its in self._masters.items() if str(its) == number)

    def _master(self, name: str) -> Json:
        master = next(one for one in self.business.masters if one.name == name)
        return {"id": self._masters[name], "username": name, "post": master.specialization, "image": ""}

    def _booking(self, entry: Entry) -> Json:
        done: list[BusinessService] = [one for one in self._services.values() if one.title in entry.services]
        numbers = {one.title: number for number, one in self._services.items()}
        return {
            "id": int(entry.id),
            "time": entry.start.strftime(_MOMENT),
            "time_to": self.diary.end_of(entry).strftime(_MOMENT),
            "cost": sum(one.low for one in done),
            "duration": sum(one.minutes for one in done),
            "employees": [{"id": self._masters[entry.master], "username": entry.master}],
            "services": [
                {"id": numbers[one.title], "name": one.title, "cost": one.low, "duration": one.minutes} for one in done
            ],
        }


def _failure(why: str, code: object, *, nested: bool) -> web.Response:
    body: Json = {"error": {"code": code, "message": why}} if nested else {"error": code, "message": why}
    return web.Response(text=json.dumps(body, ensure_ascii=False), content_type="application/json")


def _planted(status: int, why: str) -> web.StreamResponse:
    return web.json_response({"error": {"code": status, "message": why}}, status=status)
