"""Whatever one place of an answer turns into, it is read right or refused by name: no crash, and never "empty"."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.base import BaseCRMAdapter, NewAppointment, Phone, RecordId, ServiceId, Slot, Staff, StaffId
from crm.errors import CRMError, CRMOutcomeUnknown, CRMUnavailable

DAY = date(2015, 9, 29)
SERVICE = ServiceId("1896303")
PHONE = Phone("+70001234567")
SLOT = Slot(
    starts_at=datetime(2015, 9, 29, 12, tzinfo=ZoneInfo("Europe/Moscow")),
    duration=DAY.resolution * 0,
    staff=Staff(id=StaffId("16"), name="Вася"),
    service_ids=(SERVICE,),
)
NEW = NewAppointment(external_id="aiadm-1", slot=SLOT, client_name="Дмитрий", phone=PHONE)
Path = tuple[str | int, ...]
Operation = Callable[[BaseCRMAdapter], Awaitable[Any]]


@dataclass(frozen=True)
class Call:
    """An operation, and the answer that is changed under it."""

    answer: str
    operation: Operation
    writes: bool = False


CALLS = {
    "rules": Call("GET company", lambda crm: crm.get_rules()),
    "services": Call("GET book_services", lambda crm: crm.get_services()),
    "masters": Call("GET book_staff", lambda crm: crm.get_staff()),
    "days": Call("GET book_dates", lambda crm: crm.get_available_slots([SERVICE], first=DAY, last=DAY)),
    "times": Call("GET book_times", lambda crm: crm.get_available_slots([SERVICE], first=DAY, last=DAY)),
    "client": Call("POST company", lambda crm: crm.get_client_by_phone(PHONE)),
    "record": Call("GET record", lambda crm: crm.get_appointment(RecordId("2"))),
    "visits": Call("GET records", lambda crm: crm.list_appointments(PHONE, first=DAY)),
    "by our id": Call("GET records", lambda crm: crm.find_appointment("aiadm-1", day=DAY)),
    "changed": Call("GET records", lambda crm: crm.list_changed(datetime(2015, 1, 1, tzinfo=ZoneInfo("UTC")))),
    "check": Call("GET user", lambda crm: crm.check()),
    "booking": Call("POST records", lambda crm: crm.create_appointment(NEW), writes=True),
}
ABSENT = object()
ODD: tuple[Any, ...] = (
    ABSENT,
    None,
    "",
    "abc",
    [],
    {},
    [None],
    {"1": None},
    True,
    False,
    0,
    -1,
    1.5,
    10**30,
    "9" * 5000,
)
"""What a place may turn into; the last ones are beyond every number that a date or an amount can hold."""
SILENT = (ABSENT, None, "abc", {}, {"1": None}, [None], 1.5, 10**30)
"""What never says that there is nothing: an empty list, a zero or a "no" may."""


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def at(body: Any, path: Path) -> Any:
    for key in path:
        body = body[key]
    return body


def changed(body: Any, path: Path, odd: Any) -> Any:
    """Return the answer with one place turned into something else."""
    if not path:
        return None if odd is ABSENT else odd
    made = copy.deepcopy(body)
    holder = at(made, path[:-1])
    if odd is ABSENT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = odd
    return made


@pytest.fixture
def whole(vendor: Any, published: Callable[[str], Any]) -> Any:
    """Fill the recorded answers so that every operation has something to find."""
    for row in (records := published("records__published"))["data"]:
        row["api_id"] = "aiadm-1"
        row["last_change_date"] = "2019-01-16T12:00:00+0400"
        row["attendance"] = 0
    records["meta"]["total_count"] = len(records["data"])
    cards = [{"id": 7, "name": "Анна", "phone": PHONE, "email": ""}]
    vendor.answers |= {
        "GET records": (200, records),
        "POST company": (200, {"success": True, "data": cards, "meta": {"total_count": 1}}),
    }
    return vendor


@pytest.mark.parametrize("name", CALLS)
@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_an_answer_with_something_odd_in_it_is_read_right_or_refused_by_name(
    adapter: BaseCRMAdapter, whole: Any, cache: Any, name: str, data: st.DataObject
) -> None:
    call = CALLS[name]
    status, body = whole.answers[call.answer]
    path = data.draw(st.sampled_from(list(places(body))), label="place")
    odd = data.draw(st.sampled_from(ODD), label="turned into")
    cache.kept.clear()
    whole.answers[call.answer] = (status, changed(body, path, odd))
    try:
        result = await call.operation(adapter)
    except CRMUnavailable:
        refused = True
    except CRMError as error:
        refused = not isinstance(error, CRMOutcomeUnknown) and path[:1] != ("success",)
    else:
        refused = False
        shortened = path[-1:] and isinstance(path[-1], int) and odd is ABSENT
        another = path[-1:] == ("phone",)  # a card with another phone is another client's
        if any(odd is one for one in SILENT) and not shortened and not another:
            assert result not in ((), None)
    finally:
        whole.answers[call.answer] = (status, body)
    # What was accepted is not known to have failed.
    assert not (call.writes and refused)


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if name != "check"])
async def test_fields_that_the_vendor_adds_change_nothing(
    adapter: BaseCRMAdapter, whole: Any, cache: Any, name: str
) -> None:
    call = CALLS[name]
    status, body = whole.answers[call.answer]
    before = await call.operation(adapter)
    richer = copy.deepcopy(body)
    for path in list(places(body)):
        if isinstance(at(richer, path), dict):
            at(richer, path)["added_one_day"] = {"rows": [1, None]}
    cache.kept.clear()
    whole.answers[call.answer] = (status, richer)

    assert await call.operation(adapter) == before


@pytest.mark.parametrize("name", ["services", "masters", "times", "client", "record", "visits"])
async def test_numbers_written_as_texts_read_the_same(
    adapter: BaseCRMAdapter, whole: Any, cache: Any, name: str
) -> None:
    call = CALLS[name]
    status, body = whole.answers[call.answer]
    before = await call.operation(adapter)
    for path in list(places(body)):
        value = at(body, path)
        if isinstance(value, int) and not isinstance(value, bool):
            body = changed(body, path, str(value))
    cache.kept.clear()
    whole.answers[call.answer] = (status, body)

    assert await call.operation(adapter) == before
