"""The widget's calls: addresses, headers, the session's cookies. Answers are parsed into wire models here alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

from pydantic import TypeAdapter

from crm.base import NewAppointment, Pace, ServiceId
from crm.dikidi.access import Access
from crm.dikidi.refusals import Surprised, open_envelope
from crm.dikidi.wire import (
    Wire,
    WireAnything,
    WireBookings,
    WireCatalogue,
    WireDays,
    WireHold,
    WireMasters,
    WireTimes,
)
from crm.errors import CRMOutcomeUnknown, CRMUnavailable
from crm.http import Answer, Call, CRMConnection, CRMHttp, Limit, NotJSON, UnreadableAnswer, parse

T = TypeVar("T", bound=Wire)
Params = Sequence[tuple[str, str]]
HEADERS = {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
"""Without the first the widget answers that this is no AJAX request."""


class DikidiClient:
    """Asks one company's widget: one call a second, with room for the few of one question."""

    def __init__(self, http: CRMHttp, pace: Pace, access: Access) -> None:
        self._company = access.company_id
        limit = Limit(name=f"dikidi:{access.company_id}", rate=1, per=timedelta(seconds=1), burst=20)
        self._api = CRMConnection(http, crm="dikidi", base_url=access.site_url, secrets=(), pace=pace, limits=(limit,))

    async def get_catalogue(self) -> WireCatalogue:
        path = "/mobile/ajax/newrecord/company_services/"
        params = (("lang", "ru"), ("array", "1"), ("company", self._company), ("master", ""), ("share", ""))
        return await self._read("services", path, params, WireCatalogue)

    async def list_masters(self, service_ids: Sequence[ServiceId]) -> WireMasters:
        """Return the masters who do all of these; without any, all of them."""
        if not service_ids:
            path = "/ru/ajax/newrecord/to_master_get_masters/"
            return await self._read("masters", path, (("company_id", self._company),), WireMasters)
        path = "/ru/mobile/ajax/newrecord/get_masters_multi/"
        params = (("company_id", self._company), *(("service_id_list[]", one) for one in service_ids))
        return await self._read("masters", path, params, WireMasters)

    async def list_days(self, service_ids: Sequence[ServiceId], *, first: date, last: date) -> WireDays:
        params = (
            ("company_id", self._company),
            *(("services_id[]", one) for one in service_ids),
            ("date_from", first.isoformat()),
            ("date_to", last.isoformat()),
        )
        return await self._read("days", "/ru/ajax/newrecord/get_dates_true/", params, WireDays)

    async def list_times(self, service_ids: Sequence[ServiceId], *, staff_id: str, day: date) -> WireTimes:
        """Return the free starts of a day; of every master where `staff_id` is empty (as the widget itself asks)."""
        params = (
            ("company_id", self._company),
            *(("service_id[]", one) for one in service_ids),
            ("master_id", staff_id),
            ("date", day.isoformat()),
            ("with_first", "1"),
        )
        return await self._read("times", "/ru/mobile/ajax/newrecord/get_datetimes/", params, WireTimes)

    async def open_session(self) -> Mapping[str, str]:
        """Return the cookies under which the widget keeps one booking."""
        params = (("company", self._company), ("social_key", ""))
        call = self._call("session", "GET", "/ru/mobile/ajax/newrecord/project_options/", params=params)
        cookies = await self._api.call(call, _cookies_of)
        if not cookies:
            raise Surprised("session: the widget set no cookie")
        return cookies

    async def hold(
        self, cookies: Mapping[str, str], service_ids: Sequence[ServiceId], *, staff_id: str, starts: datetime
    ) -> Mapping[str, str]:
        """Hold a time and return the cookies to go on with. A GET that changes state: it is not repeated.

        What is left behind if the answer is lost is a hold that runs out by itself (how soon is not known).
        """
        params = (
            ("company_id", self._company),
            ("master_id", staff_id),
            *(("services_id[]", one) for one in service_ids),
            ("time", starts.strftime("%Y-%m-%d %H:%M:%S")),
            ("action_source", "dikidi"),
        )
        path = "/ru/ajax/newrecord/time_reservation/"
        try:
            call = self._call("hold", "GET", path, params=params, cookies=cookies, safe=False)
            answer = await self._api.call(call, _whole)
            _read_as(WireHold, answer, operation="hold")
        except (CRMOutcomeUnknown, UnreadableAnswer) as error:
            raise CRMUnavailable(f"hold: not known to stand ({error}); nothing was booked") from None
        return {**cookies, **answer.cookies}

    async def check(self, cookies: Mapping[str, str], new: NewAppointment) -> Mapping[str, str]:
        """Ask whether the held time may be booked for this person; return the cookies to go on with."""
        form = (
            ("company", self._company),
            ("type", "normal"),
            ("shared_id", "0"),
            ("phone", new.phone),
            ("first_name", new.client_name),
            ("last_name", ""),
            ("comments", new.comment),
        )
        params = (("company", self._company),)
        path, private = "/ru/mobile/newrecord/check/", (new.phone, new.client_name)
        call = self._call("check", "POST", path, params=params, form=form, cookies=cookies, safe=True, private=private)
        answer = await self._api.call(call, _whole)
        try:
            _read_as(WireAnything, answer, operation="check")
        except UnreadableAnswer as error:
            raise Surprised(f"check: {error}") from None
        return {**cookies, **answer.cookies}

    async def book(self, cookies: Mapping[str, str], new: NewAppointment) -> WireBookings:
        """Book the held time: the one call of the four that books. Raises CRMOutcomeUnknown as every write."""
        form = (
            ("type", "normal"),
            ("shared_id", "0"),
            ("phone", new.phone),
            ("name", new.client_name),
            ("first_name", new.client_name),
            ("comments", new.comment),
            ("action_source", "direct_link"),
            ("active_cart_id", "0"),
            ("active_method", "0"),
            ("agreement", "1"),
        )
        params = (("company_id", self._company), ("social_key", ""))
        path, private = "/ru/ajax/newrecord/record/", (new.phone, new.client_name)
        call = self._call("book", "POST", path, params=params, form=form, cookies=cookies, safe=False, private=private)
        return await self._api.call(call, lambda answer: _read_as(WireBookings, answer, operation="book"))

    async def _read(self, operation: str, path: str, params: Params, shape: type[T]) -> T:
        def decode(answer: Answer) -> T:
            try:
                return _read_as(shape, answer, operation=operation)
            except NotJSON:
                raise
            except UnreadableAnswer as error:
                raise Surprised(f"{operation}: {error}") from None

        return await self._api.call(self._call(operation, "GET", path, params=params), decode)

    @staticmethod
    def _call(
        operation: str,
        method: str,
        path: str,
        *,
        params: Params,
        form: Params | None = None,
        cookies: Mapping[str, str] | None = None,
        safe: bool = True,
        private: tuple[str, ...] = (),
    ) -> Call:
        return Call(
            operation=operation,
            method=method,
            path=path,
            safe=safe,
            params=params,
            form=form,
            headers=HEADERS,
            cookies=cookies or {},
            private=private,
        )


def _read_as(shape: type[T], answer: Answer, *, operation: str) -> T:
    return parse(TypeAdapter(shape), open_envelope(answer, operation=operation))


def _whole(answer: Answer) -> Answer:
    return answer


def _cookies_of(answer: Answer) -> Mapping[str, str]:
    open_envelope(answer, operation="session")
    return answer.cookies
