"""The day's visits: what the agent booked, as it was last read; then all that stands in the CRM, whoever booked it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.console.phones import written_out
from bot.console.rights import Page, may_open
from bot.console.screens import day_of, page
from bot.console.visitor import Visitor, visitor_of
from crm.base import Appointment, RecordId
from crm.errors import CRMError, CRMNotFound, CRMUnavailable
from db.appointments import Appointments
from db.audit import Action
from db.booking_records import BookedAppointment
from db.records import Branch, CompanyId
from orchestration.crm_day import CrmDay, Untold, read_crm_days
from orchestration.identity import mask_phone
from orchestration.scope import CompanyScope
from orchestration.staff_rules import Right, sees_visit, sees_visit_with

if TYPE_CHECKING:
    from bot.app import Core

_PATIENCE_S = 10
_AT_ONCE, _MOST_ASKED = 4, 60
_UNTOLD = {Untold.SILENT: "console-day-silent", Untold.CANNOT: "console-day-cannot"}

Told = Appointment | CRMError | TimeoutError
"""What the CRM says of one visit: how it stands, or why that is not known."""


class OpenScope(Protocol):
    """Opens a company with its CRM."""

    async def open(self, company_id: CompanyId) -> CompanyScope: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visits:
    """A branch's day, as far as it is the visitor's to see; `ours`: the records of all that the agent booked."""

    branch: Branch
    booked: Sequence[BookedAppointment]
    ours: frozenset[str]


class DayPages:
    """`scopes` is open as long as the application runs."""

    def __init__(self, core: Core, scopes: Scopes) -> None:
        self._core = core
        self._scopes = scopes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/day", self._show),
            web.get("/day/crm", self._show_crm),
            web.post("/day/{appointment_id}/phone", self._show_phone),
            web.post("/day/{branch_id}/records/{record_id}/phone", self._show_phone_in_crm),
        ]

    async def _show(self, request: web.Request) -> web.Response:
        visitor, day = _asked(request, self._core.clock())
        found = await self._read(visitor, day)
        return page(
            request,
            "day.html",
            title=visitor.texts.text("console-day"),
            on=day.isoformat(),
            day=visitor.texts.day(day),
            before=(day - timedelta(days=1)).isoformat(),
            after=(day + timedelta(days=1)).isoformat(),
            is_today=day == visitor.today(self._core.clock()),
            asks_crm=visitor.snapshot.crm is not None and bool(found),
            branches=[self._drawn(visitor, one, {}, None) for one in found],
        )

    async def _show_crm(self, request: web.Request) -> web.Response:
        """Show the same as the CRM has it, with what was booked past the agent; what cannot be asked stays as we have
        it, and says so."""
        visitor, day = _asked(request, self._core.clock())
        found = await self._read(visitor, day)
        scope = await self._scopes.open(visitor.company_id)
        days = await read_crm_days(scope, [(one.branch, day) for one in found])
        branches = []
        for one in found:
            whole = days[one.branch.id, day]
            branches.append(self._drawn(visitor, one, await _told(scope, one, whole), whole))
        return page(request, "_day.html", on=day.isoformat(), asks_crm=False, branches=branches)

    async def _show_phone(self, request: web.Request) -> web.Response:
        """Show one client's number whole, and write down who looked."""
        visitor = visitor_of(request)
        visitor.demand(Right.SEE_PHONES)
        try:
            wanted = UUID(request.match_info["appointment_id"])
        except ValueError:
            raise web.HTTPNotFound from None
        async with self._core.database.company(visitor.company_id) as tx:
            booked = await Appointments().find(tx, wanted)
            if booked is None or not sees_visit(visitor.member, booked, visitor.snapshot.branches):
                raise web.HTTPNotFound
            subject = f"appointment {booked.id}"
            await self._core.audit.record(
                tx, Action.PHONE_VIEW, subject=subject, after={"shown": "phone"}, actor=visitor.actor
            )
        return _phone(request, booked.client_name, booked.phone)

    async def _show_phone_in_crm(self, request: web.Request) -> web.Response:
        """Show the number of one whom staff have booked, read from the CRM anew, and write down who looked."""
        visitor = visitor_of(request)
        visitor.demand(Right.SEE_PHONES)
        branch = next((one for one in visitor.branches if str(one.id) == request.match_info["branch_id"]), None)
        if branch is None:
            raise web.HTTPNotFound
        scope = await self._scopes.open(visitor.company_id)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                record = await scope.crm(branch.id).get_appointment(RecordId(request.match_info["record_id"]))
        except CRMNotFound:
            raise web.HTTPNotFound from None
        except (CRMError, TimeoutError):
            raise web.HTTPServiceUnavailable from None
        async with self._core.database.company(visitor.company_id) as tx:
            subject = f"record {record.id} of branch {branch.key}"
            await self._core.audit.record(
                tx, Action.PHONE_VIEW, subject=subject, after={"shown": "phone"}, actor=visitor.actor
            )
        return _phone(request, record.client_name, record.phone)

    async def _read(self, visitor: Visitor, day: date) -> list[_Visits]:
        found = []
        for branch in visitor.branches:
            zone = ZoneInfo(branch.time_zone)
            first = datetime.combine(day, time(), zone)
            last = datetime.combine(day + timedelta(days=1), time(), zone)
            async with self._core.database.reading(visitor.company_id) as tx:
                booked = await Appointments().list_between(tx, [branch.id], first=first, until=last)
            own = [one for one in booked if sees_visit(visitor.member, one, visitor.snapshot.branches)]
            ours = frozenset(one.crm_record_id for one in booked)
            found.append(_Visits(branch=branch, booked=own, ours=ours))
        return found

    def _drawn(
        self, visitor: Visitor, visits: _Visits, told: Mapping[UUID, Told], whole: CrmDay | None
    ) -> Mapping[str, Any]:
        """`whole` None: the CRM was not asked yet."""
        zone, several = ZoneInfo(visits.branch.time_zone), len(visitor.snapshot.branches) > 1
        drawn = [(one.starts_at, _visit(visitor, one, zone, told.get(one.id))) for one in visits.booked]
        if whole is not None:
            drawn += [
                (one.starts_at, _visit_in_crm(visitor, visits.branch, one, zone))
                for one in whole.visits
                if one.id not in visits.ours and _sees(visitor, visits.branch, one)
            ]
        untold = None if whole is None else whole.untold
        is_all = whole is not None and untold is None
        return {
            "name": visits.branch.name if several else "",
            "visits": [one for _, one in sorted(drawn, key=lambda pair: pair[0])],
            "empty": visitor.texts.text("console-day-empty" if is_all else "console-no-visits"),
            "untold": visitor.texts.text(_UNTOLD[untold]) if untold is not None else "",
        }


async def _told(scope: CompanyScope, visits: _Visits, whole: CrmDay) -> dict[UUID, Told]:
    """Return what the CRM says of ours: by the day that it told, and of what is not on it, each asked for."""
    if whole.untold is Untold.SILENT:
        return {one.id: CRMUnavailable("the day could not be read") for one in visits.booked}
    listed = {one.id: one for one in whole.visits}
    told: dict[UUID, Told] = {
        one.id: listed[RecordId(one.crm_record_id)] for one in visits.booked if one.crm_record_id in listed
    }
    return told | await _ask(scope, visits.branch, [one for one in visits.booked if one.id not in told])


async def _ask(scope: CompanyScope, branch: Branch, visits: Sequence[BookedAppointment]) -> dict[UUID, Told]:
    """Ask the CRM for each visit: a few at once, no more than so many, and no longer than so long."""
    asked = asyncio.Semaphore(_AT_ONCE)
    told: dict[UUID, Told] = {}

    async def one(booked: BookedAppointment) -> None:
        async with asked:
            try:
                told[booked.id] = await scope.crm(branch.id).get_appointment(RecordId(booked.crm_record_id))
            except CRMError as error:
                told[booked.id] = error

    try:
        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as group:
            for booked in visits[:_MOST_ASKED]:
                group.create_task(one(booked))
    except TimeoutError as error:
        for booked in visits[:_MOST_ASKED]:
            told.setdefault(booked.id, error)
    return told


def _phone(request: web.Request, name: str, phone: str | None) -> web.Response:
    whole = "HX-Request" not in request.headers
    phones = written_out([phone] if phone else [])
    return page(request, "phone.html", title=name, phones=phones, back="/console/day", whole=whole)


def _sees(visitor: Visitor, branch: Branch, record: Appointment) -> bool:
    staff_id = record.staff.id or None
    return sees_visit_with(visitor.member, branch.id, staff_id, record.staff.name, visitor.snapshot.branches)


def _visit_in_crm(visitor: Visitor, branch: Branch, record: Appointment, zone: ZoneInfo) -> Mapping[str, Any]:
    """Draw what was booked past the agent."""
    texts, starts = visitor.texts, record.starts_at.astimezone(zone)
    return {
        "at": texts.time(starts.time()),
        "until": texts.time((starts + record.duration).time()),
        "services": ", ".join(one.title for one in record.services if one.title) or "—",
        "staff": record.staff.name,
        "client": record.client_name or texts.text("staff-unnamed-client"),
        "phone": mask_phone(record.phone) if record.phone else "",
        "unproved": False,
        "may_see_phone": bool(record.phone) and visitor.may(Right.SEE_PHONES),
        "phone_at": f"/console/day/{branch.id}/records/{quote(record.id, safe='')}/phone",
        "dialogue": "",
        "cancelled": record.cancelled,
        "crm": texts.text("console-crm-by-staff"),
    }


def _visit(visitor: Visitor, booked: BookedAppointment, zone: ZoneInfo, told: Told | None) -> Mapping[str, Any]:
    texts = visitor.texts
    starts = booked.starts_at.astimezone(zone)
    return {
        "at": texts.time(starts.time()),
        "until": texts.time((starts + booked.duration).time()),
        "services": ", ".join(booked.service_names),
        "staff": booked.staff_name,
        "client": booked.visitor_name or booked.client_name,
        "phone": mask_phone(booked.phone) if booked.phone else "",
        "unproved": not booked.phone_proved,
        "may_see_phone": bool(booked.phone) and visitor.may(Right.SEE_PHONES),
        "phone_at": f"/console/day/{booked.id}/phone",
        "dialogue": f"/console/dialogues/{booked.dialogue_id}" if may_open(visitor.member, Page.DIALOGUES) else "",
        "cancelled": booked.cancelled or _is_gone(told),
        "crm": _crm_word(visitor, booked, zone, told),
    }


def _is_gone(told: Told | None) -> bool:
    return isinstance(told, CRMNotFound) or (isinstance(told, Appointment) and told.cancelled)


def _crm_word(visitor: Visitor, booked: BookedAppointment, zone: ZoneInfo, told: Told | None) -> str:
    """Say what the CRM says of a visit, where it says anything else than we do."""
    texts = visitor.texts
    if told is None:
        return ""
    if _is_gone(told):
        return texts.text("console-crm-cancelled")
    if not isinstance(told, Appointment):
        return texts.text("console-crm-silent")
    if told.starts_at != booked.starts_at:
        return texts.text("console-crm-moved", when=texts.moment(told.starts_at.astimezone(zone)))
    if told.staff.name and told.staff.name != booked.staff_name:
        return texts.text("console-crm-staff", name=told.staff.name)
    return texts.text("console-crm-stands")


def _asked(request: web.Request, now: datetime) -> tuple[Visitor, date]:
    visitor = visitor_of(request).opens(Page.DAY)
    return visitor, day_of(request.query.get("on"), visitor.today(now))


class Scopes:
    """Opens companies with their CRMs, over connections that the application's clean-up closes."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._opened: OpenScope | None = None
        self._context: AbstractAsyncContextManager[OpenScope] | None = None
        self._opening = asyncio.Lock()

    async def open(self, company_id: CompanyId) -> CompanyScope:
        """Return the company's scope. The first who asks opens the way: most gateways never need it."""
        async with self._opening:
            if self._opened is None:
                from bot.scopes import open_crm

                self._context = open_crm(self._core)
                self._opened = await self._context.__aenter__()
        return await self._opened.open(company_id)

    async def close(self, _: web.Application) -> None:
        if self._context is not None:
            await self._context.__aexit__(None, None, None)
            self._context, self._opened = None, None
