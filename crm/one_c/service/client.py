"""The service's calls: addresses, headers, how many at once. Answers are parsed into wire models here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from crm.base import Pace
from crm.errors import CRMUnavailable
from crm.http import Answer, Call, CRMConnection, CRMHttp, parse
from crm.one_c.access import Access
from crm.one_c.service.refusals import explain, open_answer, require_success
from crm.one_c.service.wire import (
    WireAppointment,
    WireCard,
    WireInfo,
    WireItems,
    WireProduct,
    WireService,
    WireSlot,
    WireStaff,
)
from crm.phones import digits_of

T = TypeVar("T")
Params = Sequence[tuple[str, str]]

SERVICE_PATH = "/hs/ai-admin/v1"
AT_ONCE = 2
"""Calls at a time for one base, in one process: each takes a client licence, and may start a session."""
SLOW = 2
"""A base is slow rather than limited: a reading has 20 s in place of 10."""
JSON_BODY: Mapping[str, str] = {"Content-Type": "application/json; charset=utf-8"}

_INFO = TypeAdapter(WireInfo)
_SERVICES = TypeAdapter(WireItems[WireService])
_STAFF = TypeAdapter(WireItems[WireStaff])
_SLOTS = TypeAdapter(WireItems[WireSlot])
_PRODUCTS = TypeAdapter(WireItems[WireProduct])
_CARD = TypeAdapter(WireCard)
_CARDS = TypeAdapter(WireItems[WireCard])
_APPOINTMENT = TypeAdapter(WireAppointment)
_APPOINTMENTS = TypeAdapter(WireItems[WireAppointment])


class OneCServiceClient:
    """Calls for one base. Raises the CRMError tree only."""

    def __init__(self, http: CRMHttp, pace: Pace, access: Access) -> None:
        self._headers = {"Accept": "application/json", "Authorization": access.authorization}
        self._gate = http.gate(f"1c:{access.url}", at_once=AT_ONCE)
        self._longest_wait = http.time_limits.read
        self._connection = CRMConnection(
            http,
            crm="1c",
            base_url=access.url + SERVICE_PATH,
            secrets=(access.password, access.credentials),
            pace=pace,
            limits=(),
            explain=explain,
            slow_reads=SLOW,
        )

    # ---- reading

    async def get_info(self) -> WireInfo:
        return await self._read("info", "/info", _INFO)

    async def list_services(self) -> tuple[WireService, ...]:
        return (await self._read("services", "/services", _SERVICES)).items

    async def list_staff(self) -> tuple[WireStaff, ...]:
        return (await self._read("staff", "/staff", _STAFF)).items

    async def list_products(self) -> tuple[WireProduct, ...]:
        return (await self._read("products", "/products", _PRODUCTS)).items

    async def list_slots(
        self, service_ids: Sequence[str], *, first: date, last: date, staff_id: str | None
    ) -> tuple[WireSlot, ...]:
        # One name once: of a repeated one the platform keeps a single value.
        params = [("service_ids", ",".join(service_ids)), ("from", first.isoformat()), ("to", last.isoformat())]
        params += [("staff_id", staff_id)] if staff_id else []
        return (await self._read("slots", "/slots", _SLOTS, params)).items

    async def list_cards(self, phone: str) -> tuple[WireCard, ...]:
        digits = digits_of(phone)
        return (await self._read("clients", "/clients", _CARDS, [("phone", digits)], private=(phone, digits))).items

    async def list_appointments(self, filters: Mapping[str, str]) -> tuple[WireAppointment, ...]:
        return (await self._read("appointments", "/appointments", _APPOINTMENTS, tuple(filters.items()))).items

    async def get_appointment(self, record_id: str) -> WireAppointment:
        return await self._read("appointment", _appointment(record_id), _APPOINTMENT)

    # ---- writing

    async def create_card(self, *, name: str, phone: str) -> WireCard:
        digits = digits_of(phone)
        return await self._write(
            "create_client", "POST", "/clients", _CARD, {"name": name, "phone": digits}, private=(phone, digits, name)
        )

    async def create_appointment(
        self, body: Mapping[str, Any], *, key: str, private: tuple[str, ...]
    ) -> WireAppointment:
        return await self._write(
            "create_appointment",
            "POST",
            "/appointments",
            _APPOINTMENT,
            body,
            headers={"Idempotency-Key": key},
            private=private,
        )

    async def change_appointment(self, record_id: str, body: Mapping[str, Any]) -> WireAppointment:
        return await self._write("change_appointment", "PATCH", _appointment(record_id), _APPOINTMENT, body)

    async def cancel_appointment(self, record_id: str) -> None:
        """Cancel: any 2xx, whatever its body."""

        def decode(answer: Answer) -> None:
            require_success(answer, operation="cancel_appointment")

        call = Call(
            operation="cancel_appointment",
            method="DELETE",
            path=_appointment(record_id),
            safe=False,
            headers=self._headers,
        )
        await self._call(call, decode)

    # ---- how

    async def _read(
        self,
        operation: str,
        path: str,
        shape: TypeAdapter[T],
        params: Params = (),
        *,
        private: tuple[str, ...] = (),
    ) -> T:
        call = Call(
            operation=operation,
            method="GET",
            path=path,
            safe=True,
            params=params,
            headers=self._headers,
            private=private,
        )
        return await self._call(call, lambda answer: parse(shape, open_answer(answer, operation=operation)))

    async def _write(
        self,
        operation: str,
        method: str,
        path: str,
        shape: TypeAdapter[T],
        body: Mapping[str, Any],
        *,
        headers: Mapping[str, str] | None = None,
        private: tuple[str, ...] = (),
    ) -> T:
        call = Call(
            operation=operation,
            method=method,
            path=path,
            safe=False,
            headers={**self._headers, **JSON_BODY, **(headers or {})},
            json=body,
            private=private,
        )
        return await self._call(call, lambda answer: parse(shape, open_answer(answer, operation=operation)))

    async def _call(self, call: Call, decode: Callable[[Answer], T]) -> T:
        """Make a call when the base has room for it. CRMUnavailable, nothing sent, where it has none for long."""
        try:
            async with asyncio.timeout(self._longest_wait.total_seconds()):
                await self._gate.acquire()
        except TimeoutError:
            raise CRMUnavailable(f"{call.operation}: not sent, the base is busy with {AT_ONCE} other calls") from None
        try:
            return await self._connection.call(call, decode)
        finally:
            self._gate.release()


def _appointment(record_id: str) -> str:
    return f"/appointments/{quote(record_id, safe='')}"
