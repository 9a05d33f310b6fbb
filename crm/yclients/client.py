"""The vendor's calls: addresses, headers, paging. Answers are parsed into wire models here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import TypeAdapter

from crm.base import Pace
from crm.errors import CRMUnavailable
from crm.http import Answer, Call, CRMConnection, CRMHttp, Limit, UnreadableAnswer, parse
from crm.phones import digits_of
from crm.yclients.access import Access
from crm.yclients.refusals import Envelope, open_envelope, refusal
from crm.yclients.wire import (
    EmptyObject,
    Rows,
    WireBookServices,
    WireCard,
    WireCompany,
    WireDates,
    WireRecord,
    WireSeance,
    WireStaff,
)

T = TypeVar("T")
Params = Sequence[tuple[str, str]]

ACCEPT = {"yclients": "application/vnd.yclients.v2+json", "altegio": "application/vnd.api.v2+json"}
PAGE_SIZE = 200
MOST_PAGES = 50

_SERVICES: TypeAdapter[WireBookServices] = TypeAdapter(Annotated[WireBookServices, EmptyObject])
_STAFF = TypeAdapter(Rows[WireStaff])
_DATES: TypeAdapter[WireDates] = TypeAdapter(Annotated[WireDates, EmptyObject])
_SEANCES = TypeAdapter(Rows[WireSeance])
_COMPANY = TypeAdapter(WireCompany)
_CARD = TypeAdapter(WireCard)
_CARDS = TypeAdapter(Rows[WireCard])
_RECORD = TypeAdapter(WireRecord)
_RECORDS = TypeAdapter(Rows[WireRecord])
_RIGHTS = TypeAdapter(dict[str, Any])


def limits_of(flavour: str) -> tuple[Limit, ...]:
    """Return what keeps us below 5 calls a second and 200 a minute, counted by outgoing address over all companies."""
    return (
        Limit(name=f"{flavour}:second", rate=4, per=timedelta(seconds=1), burst=1),
        Limit(name=f"{flavour}:minute", rate=180, per=timedelta(minutes=1), burst=20),
    )


class YclientsClient:
    """Calls for one branch. Raises the CRMError tree only."""

    def __init__(self, http: CRMHttp, pace: Pace, access: Access) -> None:
        self._access = access
        self._company = access.company_id
        self._headers = {
            "Accept": ACCEPT[access.flavour],
            "Accept-Language": "ru-RU",
            "Content-Type": "application/json",
        }
        self._connection = CRMConnection(
            http,
            crm="yclients",
            base_url=f"{access.api_url}/api/v1",
            secrets=(access.partner_token, access.user_token),
            pace=pace,
            limits=limits_of(access.flavour),
        )

    # ---- what a client of the business sees: partner token alone -----------------------------------------------

    async def get_company(self) -> WireCompany:
        return await self._read("company", f"/company/{self._company}/", _COMPANY, [("showBookforms", "1")], user=True)

    async def get_services(self, staff_id: str | None = None) -> WireBookServices:
        """Return what is open for online booking; with a master, their own prices and durations."""
        params = [("staff_id", staff_id)] if staff_id else []
        return await self._read("book_services", f"/book_services/{self._company}", _SERVICES, params)

    async def list_staff(self, service_ids: Sequence[str] = ()) -> tuple[WireStaff, ...]:
        return await self._read("book_staff", f"/book_staff/{self._company}", _STAFF, _many(service_ids))

    async def list_dates(self, service_ids: Sequence[str], *, staff_id: str, month: date) -> tuple[date, ...]:
        """Return the days of a month with free time; `staff_id` 0 is anybody."""
        params = [("staff_id", staff_id), ("date", month.isoformat()), *_many(service_ids)]
        return (await self._read("book_dates", f"/book_dates/{self._company}", _DATES, params)).booking_dates

    async def list_seances(self, service_ids: Sequence[str], *, staff_id: str, day: date) -> tuple[WireSeance, ...]:
        path = f"/book_times/{self._company}/{staff_id}/{day.isoformat()}"
        return await self._read("book_times", path, _SEANCES, _many(service_ids))

    async def check_booking(self, service_ids: Sequence[str], *, staff_id: str, moment: str) -> None:
        """Return where a booking would be taken: only a 201 means that, and its body says nothing."""
        wanted = {"id": 1, "services": [int(one) for one in service_ids], "staff_id": int(staff_id), "datetime": moment}

        def decode(answer: Answer) -> None:
            if answer.status == 201:
                return
            open_envelope(answer, operation="book_check")  # raises what the answer explains
            raise refusal(422, {}, operation="book_check")

        body = {"appointments": [wanted]}
        await self._call("book_check", "POST", f"/book_check/{self._company}", decode, safe=True, json=body)

    # ---- the back office: partner and user token ---------------------------------------------------------------

    async def search_clients(self, phone: str | None, *, page: int = 1) -> tuple[tuple[WireCard, ...], int | None]:
        """Return a page of the cards that contain the phone somewhere, and how many there are if the vendor says."""
        digits = digits_of(phone or "")
        body = {
            "page": page,
            "page_size": PAGE_SIZE,
            "fields": ["id", "name", "phone", "email"],
            "order_by": "id",
            "order_by_direction": "ASC",
            "operation": "AND",
            "filters": [{"type": "quick_search", "state": {"value": digits}}] if digits else [],
        }
        path = f"/company/{self._company}/clients/search"

        def decode(answer: Answer) -> tuple[tuple[WireCard, ...], int | None]:
            envelope = open_envelope(answer, operation="clients_search")
            return parse(_CARDS, _present(envelope)), _total(envelope)

        return await self._call(
            "clients_search", "POST", path, decode, safe=True, json=body, user=True, private=(phone or "", digits)
        )

    async def create_client(self, *, name: str, phone: str) -> WireCard:
        body = {"name": name, "phone": phone}
        private = (phone, digits_of(phone))
        return await self._write("create_client", "POST", f"/clients/{self._company}", _CARD, body, private)

    async def get_record(self, record_id: str) -> WireRecord:
        return await self._read("record", f"/record/{self._company}/{record_id}", _RECORD, user=True)

    async def list_records(self, filters: Mapping[str, str]) -> tuple[WireRecord, ...]:
        """Return every record that matches, all pages of it. Raises CRMUnavailable where they cannot all be had."""
        found: dict[str, WireRecord] = {}
        for page in range(1, MOST_PAGES + 1):
            rows, total = await self._list_records_page(filters, page)
            fresh = {row.id: row for row in rows if row.id not in found}
            found |= fresh
            if not rows or (total is not None and len(found) >= total):
                return tuple(found.values())
            if not fresh:
                break
        raise CRMUnavailable("records: the pages of the list do not come to an end")

    async def _list_records_page(
        self, filters: Mapping[str, str], page: int
    ) -> tuple[tuple[WireRecord, ...], int | None]:
        def decode(answer: Answer) -> tuple[tuple[WireRecord, ...], int | None]:
            envelope = open_envelope(answer, operation="records")
            return parse(_RECORDS, _present(envelope)), _total(envelope)

        params = [*filters.items(), ("page", str(page)), ("count", str(PAGE_SIZE))]
        return await self._call(
            "records", "GET", f"/records/{self._company}", decode, safe=True, params=params, user=True
        )

    async def create_record(self, body: Mapping[str, Any], *, private: tuple[str, ...]) -> WireRecord:
        return await self._write("create_record", "POST", f"/records/{self._company}", _RECORD, body, private)

    async def change_record(self, record_id: str, body: Mapping[str, Any], *, private: tuple[str, ...]) -> None:
        path = f"/record/{self._company}/{record_id}"

        def decode(answer: Answer) -> None:
            open_envelope(answer, operation="change_record")

        await self._call("change_record", "PUT", path, decode, safe=False, json=body, user=True, private=private)

    async def delete_record(self, record_id: str) -> None:
        """Delete a record: 204, nothing in the body."""

        def decode(answer: Answer) -> None:
            open_envelope(answer, operation="delete_record")

        path = f"/record/{self._company}/{record_id}"
        await self._call("delete_record", "DELETE", path, decode, safe=False, user=True)

    async def get_rights(self) -> Mapping[str, Any]:
        """Return the user token's rights, in groups."""
        return await self._read("permissions", f"/user/permissions/{self._company}", _RIGHTS, user=True)

    # ---- how ----------------------------------------------------------------------------------------------------

    async def _read(
        self, operation: str, path: str, shape: TypeAdapter[T], params: Params = (), *, user: bool = False
    ) -> T:
        def decode(answer: Answer) -> T:
            return parse(shape, _present(open_envelope(answer, operation=operation)))

        return await self._call(operation, "GET", path, decode, safe=True, params=params, user=user)

    async def _write(
        self,
        operation: str,
        method: str,
        path: str,
        shape: TypeAdapter[T],
        body: Mapping[str, Any],
        private: tuple[str, ...],
    ) -> T:
        def decode(answer: Answer) -> T:
            return parse(shape, _present(open_envelope(answer, operation=operation)))

        return await self._call(operation, method, path, decode, safe=False, json=body, user=True, private=private)

    async def _call(
        self,
        operation: str,
        method: str,
        path: str,
        decode: Callable[[Answer], T],
        *,
        safe: bool,
        params: Params = (),
        json: object | None = None,
        user: bool = False,
        private: tuple[str, ...] = (),
    ) -> T:
        authorization = f"Bearer {self._access.partner_token.get_secret_value()}"
        if user:
            authorization += f", User {self._access.user_token.get_secret_value()}"
        call = Call(
            operation=operation,
            method=method,
            path=path,
            safe=safe,
            params=params,
            headers={**self._headers, "Authorization": authorization},
            json=json,
            private=private,
        )
        return await self._connection.call(call, decode)


def _many(service_ids: Sequence[str]) -> Params:
    """Arrays are PHP's: without the brackets the filter is ignored in silence."""
    return [("service_ids[]", one) for one in service_ids]


def _present(envelope: Envelope) -> object:
    if envelope.data is None:
        raise UnreadableAnswer("success without data")
    return envelope.data


def _total(envelope: Envelope) -> int | None:
    value = envelope.meta.get("total_count")
    return int(value) if isinstance(value, int | str) and re.fullmatch(r"[0-9]{1,9}", str(value)) else None
