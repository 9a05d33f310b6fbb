"""The day's visits: what the agent booked, as it was last read, and then as it stands in the CRM now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.console.phones import written_out
from bot.console.rights import Page, may_open
from bot.console.screens import day_of, page
from bot.console.visitor import Visitor, visitor_of
from crm.base import Appointment, RecordId
from crm.errors import CRMError, CRMNotFound
from db.appointments import Appointments
from db.audit import Action
from db.booking_records import BookedAppointment
from db.records import Branch, CompanyId
from orchestration.identity import mask_phone
from orchestration.scope import CompanyScope
from orchestration.staff_rules import Right, sees_visit

if TYPE_CHECKING:
    from bot.app import Core

_PATIENCE_S = 10
_AT_ONCE, _MOST_ASKED = 4, 60


class OpenScope(Protocol):
    """Opens a company with its CRM."""

    async def open(self, company_id: CompanyId) -> CompanyScope: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visits:
    """A branch's day, as far as it is the visitor's to see."""

    branch: Branch
    booked: Sequence[BookedAppointment]


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
            asks_crm=visitor.snapshot.crm is not None and any(one.booked for one in found),
            branches=[self._drawn(visitor, one, {}) for one in found],
        )

    async def _show_crm(self, request: web.Request) -> web.Response:
        """Show the same as the CRM has it; what cannot be asked stays as we have it, and says so."""
        visitor, day = _asked(request, self._core.clock())
        found = await self._read(visitor, day)
        told: dict[UUID, Appointment | CRMError | TimeoutError] = {}
        scope = await self._scopes.open(visitor.company_id)
        for one in found:
            told |= await _ask(scope, one)
        branches = [self._drawn(visitor, one, told) for one in found]
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
        phones = written_out([booked.phone] if booked.phone else [])
        whole = "HX-Request" not in request.headers
        return page(request, "phone.html", title=booked.client_name, phones=phones, back="/console/day", whole=whole)

    async def _read(self, visitor: Visitor, day: date) -> list[_Visits]:
        found = []
        for branch in visitor.branches:
            zone = ZoneInfo(branch.time_zone)
            first = datetime.combine(day, time(), zone)
            last = datetime.combine(day + timedelta(days=1), time(), zone)
            async with self._core.database.reading(visitor.company_id) as tx:
                booked = await Appointments().list_between(tx, [branch.id], first=first, until=last)
            own = [one for one in booked if sees_visit(visitor.member, one, visitor.snapshot.branches)]
            found.append(_Visits(branch=branch, booked=own))
        return found

    def _drawn(
        self, visitor: Visitor, visits: _Visits, told: Mapping[UUID, Appointment | CRMError | TimeoutError]
    ) -> Mapping[str, Any]:
        zone, several = ZoneInfo(visits.branch.time_zone), len(visitor.snapshot.branches) > 1
        return {
            "name": visits.branch.name if several else "",
            "visits": [_visit(visitor, one, zone, told.get(one.id)) for one in visits.booked],
        }


async def _ask(scope: CompanyScope, visits: _Visits) -> dict[UUID, Appointment | CRMError | TimeoutError]:
    """Ask the CRM for each visit: a few at once, no more than so many, and no longer than so long."""
    asked = asyncio.Semaphore(_AT_ONCE)
    told: dict[UUID, Appointment | CRMError | TimeoutError] = {}

    async def one(booked: BookedAppointment) -> None:
        async with asked:
            try:
                told[booked.id] = await scope.crm(visits.branch.id).get_appointment(RecordId(booked.crm_record_id))
            except CRMError as error:
                told[booked.id] = error

    try:
        async with asyncio.timeout(_PATIENCE_S), asyncio.TaskGroup() as group:
            for booked in visits.booked[:_MOST_ASKED]:
                group.create_task(one(booked))
    except TimeoutError as error:
        for booked in visits.booked[:_MOST_ASKED]:
            told.setdefault(booked.id, error)
    return told


def _visit(
    visitor: Visitor, booked: BookedAppointment, zone: ZoneInfo, told: Appointment | CRMError | TimeoutError | None
) -> Mapping[str, Any]:
    texts = visitor.texts
    starts = booked.starts_at.astimezone(zone)
    return {
        "id": str(booked.id),
        "at": texts.time(starts.time()),
        "until": texts.time((starts + booked.duration).time()),
        "services": ", ".join(booked.service_names),
        "staff": booked.staff_name,
        "client": booked.visitor_name or booked.client_name,
        "phone": mask_phone(booked.phone) if booked.phone else "",
        "unproved": not booked.phone_proved,
        "may_see_phone": bool(booked.phone) and visitor.may(Right.SEE_PHONES),
        "dialogue": f"/console/dialogues/{booked.dialogue_id}" if may_open(visitor.member, Page.DIALOGUES) else "",
        "cancelled": booked.cancelled or _is_gone(told),
        "crm": _crm_word(visitor, booked, zone, told),
    }


def _is_gone(told: Appointment | CRMError | TimeoutError | None) -> bool:
    return isinstance(told, CRMNotFound) or (isinstance(told, Appointment) and told.cancelled)


def _crm_word(
    visitor: Visitor, booked: BookedAppointment, zone: ZoneInfo, told: Appointment | CRMError | TimeoutError | None
) -> str:
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
