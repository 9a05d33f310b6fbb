"""A whole CRM in one file, walked through in docs/add-a-crm.md: Notebook, an invented one (see notebook_server.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from crm import base, errors
from crm.account import Account, Clock
from crm.base import Appointment, Capability, RecordId, Service, ServiceId, SettingField, Slot, Staff
from crm.http import Answer, Call, CRMConnection, CRMHttp, parse
from crm.phones import digits_of, to_phone
from crm.prices import price_of

CAN = {"CATALOGUE", "SLOTS", "STAFF_CHOICE", "CREATE", "MOVE", "CANCEL", "LIST"}
MANIFEST = base.Manifest(
    type="notebook",
    title="Notebook",
    fields=(SettingField(name="url", title="Address"), SettingField(name="token", title="Token", secret=True)),
    capabilities=frozenset(Capability[name] for name in (*CAN, "FIND_BY_EXTERNAL_ID", "IDEMPOTENT_CREATE")),
    tier="example",
    documents=("examples/crms/notebook_server.py",),
)
REFUSALS = {401: errors.CRMAuthFailed, 404: errors.CRMNotFound, 409: errors.SlotTaken, 422: errors.CRMInvalid}


class Wire(BaseModel):
    id: int
    name: str


class WireService(Wire):
    price: Decimal
    minutes: int


class WireTime(BaseModel):
    master: Wire
    start: datetime
    minutes: int


class WireVisit(WireTime):
    id: int
    services: list[WireService]
    client: str
    phone: str
    key: str
    cancelled: bool


SERVICES, MASTERS = TypeAdapter(list[WireService]), TypeAdapter(list[Wire])
TIMES, VISITS, VISIT = TypeAdapter(list[WireTime]), TypeAdapter(list[WireVisit]), TypeAdapter(WireVisit)


class NotebookAdapter(base.BaseCRMAdapter):
    """One branch's notebook. Times are the branch's wall clock; the vendor numbers what we name by texts."""

    manifest = MANIFEST

    def __init__(self, account: Account, *, http: CRMHttp, pace: base.Pace, cache: base.Cache, clock: Clock) -> None:
        token, url = account.get_secret("token"), account.get_option("url")
        self._zone = account.time_zone
        self._headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
        self._api = CRMConnection(http, crm="notebook", base_url=url, secrets=[token], pace=pace, limits=())

    async def get_rules(self) -> base.BookingRules:
        return base.BookingRules(time_zone=self._zone)

    async def get_services(self) -> tuple[Service, ...]:
        return tuple(Service(**_named(row), terms=_terms(row)) for row in await self._ask(SERVICES, "GET", "/services"))

    async def get_staff(self, service_ids: Sequence[ServiceId] = ()) -> tuple[Staff, ...]:
        return tuple(map(_staff, await self._ask(MASTERS, "GET", "/masters", services=",".join(service_ids))))

    async def get_available_slots(
        self, service_ids: Sequence[ServiceId], *, first: date, last: date, staff_id: base.StaffId | None = None
    ) -> tuple[Slot, ...]:
        asked = {"services": ",".join(service_ids), "first": str(first), "last": str(last), "master": staff_id or ""}
        rows = await self._ask(TIMES, "GET", "/free", **asked)
        return tuple(Slot(**self._when(row), service_ids=tuple(service_ids)) for row in rows)

    async def create_appointment(self, new: base.NewAppointment) -> Appointment:
        body = _place(new.slot) | {"services": [int(one) for one in new.slot.service_ids], "key": new.external_id}
        body |= {"client": new.client_name, "phone": digits_of(new.phone), "comment": new.comment}
        return self._visit(await self._ask(VISIT, "POST", "/visits", body))

    async def find_appointment(self, external_id: str, *, day: date) -> Appointment | None:
        found = [self._visit(row) for row in await self._ask(VISITS, "GET", "/visits", first=str(day)) if row.key]
        return next((one for one in found if one.external_id == external_id and one.starts_at.date() == day), None)

    async def get_appointment(self, record_id: RecordId) -> Appointment:
        return self._visit(await self._ask(VISIT, "GET", "/visits/", id_=record_id))

    async def list_appointments(self, phone: base.Phone, *, first: date) -> tuple[Appointment, ...]:
        rows = await self._ask(VISITS, "GET", "/visits", phone=digits_of(phone), first=str(first))
        return tuple(self._visit(row) for row in rows if not row.cancelled)

    async def reschedule_appointment(self, record_id: RecordId, slot: Slot) -> Appointment:
        return self._visit(await self._ask(VISIT, "PATCH", "/visits/", _place(slot), id_=record_id))

    async def cancel_appointment(self, record_id: RecordId) -> None:
        await self._ask(VISIT, "DELETE", "/visits/", id_=record_id)

    async def _ask(self, shape: Any, method: str, path: str, body: Any = None, id_: str = "", **params: str) -> Any:
        """Send a call: one that reads may be repeated, one that writes is sent once."""
        where: dict[str, Any] = {"method": method, "path": path + quote(id_, safe=""), "headers": self._headers}
        call = Call(operation=path, **where, safe=method == "GET", params=tuple(params.items()), json=body)
        return await self._api.call(call, lambda answer: parse(shape, _opened(answer)))

    def _when(self, row: WireTime) -> dict[str, Any]:
        at, length = row.start.replace(tzinfo=self._zone), timedelta(minutes=row.minutes)
        return {"starts_at": at, "duration": length, "staff": _staff(row.master)}

    def _visit(self, row: WireVisit) -> Appointment:
        services = tuple(base.AppointmentService(**_named(one), price=_terms(one).price) for one in row.services)
        more: dict[str, Any] = {"client_name": row.client, "phone": to_phone(row.phone), "external_id": row.key or None}
        return Appointment(
            id=RecordId(str(row.id)), services=services, cancelled=row.cancelled, **self._when(row), **more
        )


def _opened(answer: Answer) -> object:
    if answer.status in REFUSALS:
        raise REFUSALS[answer.status](f"Notebook refused: HTTP {answer.status}")
    return answer.json()


def _named(row: Wire) -> dict[str, Any]:
    return {"id": ServiceId(str(row.id)), "title": row.name}


def _staff(row: Wire) -> Staff:
    return Staff(id=base.StaffId(str(row.id)), name=row.name)


def _terms(row: WireService) -> base.Terms:
    return base.Terms(price=price_of(row.price, None, "RUB"), duration=timedelta(minutes=row.minutes))


def _place(slot: Slot) -> dict[str, Any]:
    return {"master": int(slot.staff.id), "start": slot.starts_at.replace(tzinfo=None).isoformat()}
