"""The local 1C base with an HTTP service refuses what docs/crm-1c.md says to refuse, and answers as 1C does."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession

from sandbox.one_c.service.server import PASSWORD, USER, OneCServiceSalon
from sandbox.one_c.service.wire import guid_of
from sandbox.seeds import elita_business
from sandbox.staff_side import double_bookings

JSON = "application/json; charset=utf-8"
HAIRCUT, ANNA, MARIA = (
    guid_of("services", "Стрижка женская"),
    guid_of("staff", "Анна Смирнова"),
    guid_of("staff", "Мария Иванова"),
)
VISIT = {
    "client": {"name": "Елена", "phone": "79161234567"},
    "staff_id": ANNA,
    "service_ids": [HAIRCUT],
    "start": "2026-11-25T15:00:00",
    "duration_min": 60,
    "comment": "",
}
PLACE = {"staff_id": ANNA, "start": "2026-11-25T18:00:00", "duration_min": 60}
NOBODY = "7c1f0b8e-0000-4000-8000-000000000000"


@pytest.fixture
async def vendor(clock):
    clock.now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    sandbox = OneCServiceSalon(elita_business(), clock)
    await sandbox.start()
    async with ClientSession() as session:
        sandbox.session = session
        yield sandbox
    await sandbox.stop()


async def call(vendor, method, path, body=None, *, key=None, kind=JSON, user=USER, password=PASSWORD):
    headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    headers |= {} if key is None else {"Idempotency-Key": key}
    headers |= {} if kind is None or body is None else {"Content-Type": kind}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    url = f"{vendor.url}/salon/hs/ai-admin/v1{path}"
    async with vendor.session.request(method, url, data=data, headers=headers) as response:
        text = (await response.read()).decode("utf-8-sig")
        is_json = response.content_type == "application/json"
        return response.status, json.loads(text) if is_json else text


async def book(vendor, key="k-1", **changes):
    return await call(vendor, "POST", "/appointments", VISIT | changes, key=key)


@pytest.mark.parametrize("who", [{"password": "другой"}, {"user": "Администратор"}, {"user": "", "password": ""}])
async def test_the_user_and_the_password_are_demanded(vendor, who):
    assert (await call(vendor, "GET", "/info", **who))[0] == 401
    assert (await call(vendor, "GET", "/info"))[0] == 200


async def test_an_address_outside_the_templates_is_the_platforms_404(vendor):
    assert await call(vendor, "GET", "/masters") == (404, "Не найден")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=windows-1251", "text/plain; charset=utf-8"]
)
async def test_a_body_says_that_it_is_json_in_utf8(vendor, kind):
    status, answer = await call(vendor, "POST", "/appointments", VISIT, key="k-1", kind=kind)

    assert (status, answer["error"]["code"]) == (400, "invalid")
    assert vendor.list_visits() == ()
    assert len(vendor.violations) == 1


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in VISIT),
        {"duration_min": "60"},
        {"duration_min": True},
        {"duration_min": 0},
        {"start": "2026-11-25T15:00:00+03:00"},
        {"start": "2026-11-25 15:00"},
        {"start": "2026-13-25T15:00:00"},
        {"client": {"name": "Елена", "phone": "+7 916 123-45-67"}},
        {"client": {"name": " ", "phone": "79161234567"}},
        {"client": {"name": "Елена"}},
        {"telephone": "1"},
    ],
    ids=str,
)
async def test_a_visit_with_a_field_missing_wrong_or_unknown_is_refused_and_remembered(vendor, change):
    status, answer = await book(vendor, **change)

    assert (status, answer["error"]["code"]) == (400, "invalid")
    assert len(vendor.violations) == 1
    assert vendor.list_visits() == ()


@pytest.mark.parametrize("key", [None, "", "two words", "x" * 65])
async def test_a_visit_wants_its_key(vendor, key):
    status, _ = await call(vendor, "POST", "/appointments", VISIT, key=key)

    assert (status, len(vendor.violations)) == (400, 1)


@pytest.mark.parametrize(
    "path",
    [
        "/slots",
        f"/slots?service_ids={HAIRCUT}&from=2026-11-25",
        f"/slots?service_ids={HAIRCUT}&from=2026-11-25&to=2026-12-26",
        f"/slots?service_ids={HAIRCUT}&from=25.11.2026&to=2026-12-01",
        f"/slots?service_ids={HAIRCUT}&service_ids={HAIRCUT}&from=2026-11-25&to=2026-11-25",
        f"/slots?service_ids={HAIRCUT}&from=2026-11-25&to=2026-11-25&page=2",
        "/clients",
        "/clients?phone=%2B79161234567",
        "/appointments",
        "/appointments?changed_since=2026-11-25",
        "/appointments?from=2026-11-25&with_cancelled=true",
        "/services?page=1",
    ],
)
async def test_a_query_outside_the_contract_is_refused_and_remembered(vendor, path):
    status, answer = await call(vendor, "GET", path)

    assert (status, answer["error"]["code"], len(vendor.violations)) == (400, "invalid", 1)


async def test_what_is_not_there_is_not_found_and_no_fault_of_the_caller(vendor):
    day = "from=2026-11-25&to=2026-11-25"
    asked = [
        await call(vendor, "GET", f"/slots?service_ids={NOBODY}&{day}"),
        await call(vendor, "GET", f"/slots?service_ids={HAIRCUT}&staff_id={NOBODY}&{day}"),
        await call(vendor, "GET", f"/appointments/{NOBODY}"),
        await call(vendor, "GET", "/appointments/1"),
        await call(vendor, "PATCH", f"/appointments/{NOBODY}", PLACE),
        await call(vendor, "DELETE", f"/appointments/{NOBODY}"),
        await book(vendor, service_ids=[NOBODY]),
        await book(vendor, staff_id=NOBODY),
        await book(vendor, service_ids=[]),
    ]

    assert [(status, answer["error"]["code"]) for status, answer in asked] == [(404, "not_found")] * 9
    assert vendor.violations == []


async def test_of_two_at_once_for_one_time_one_stands(vendor):
    answers = await asyncio.gather(*(book(vendor, f"k-{number}") for number in range(4)))

    assert sorted(status for status, _ in answers) == [201, 409, 409, 409]
    assert {answer["error"]["code"] for status, answer in answers if status == 409} == {"slot_taken"}
    assert (len(vendor.list_visits()), double_bookings(vendor)) == (1, 0)


async def test_a_key_sent_again_and_at_once_is_answered_with_the_first_visit(vendor):
    answers = await asyncio.gather(*(book(vendor, "k-1") for _ in range(3)))
    later = await book(vendor, "k-1", start="2026-11-25T10:00:00")

    assert sorted(status for status, _ in answers) == [200, 200, 201]
    assert later[0] == 200
    assert len({answer["id"] for _, answer in (*answers, later)}) == 1


@pytest.mark.parametrize("start", ["2026-11-25T08:00:00", "2026-11-25T20:30:00"])
async def test_a_visit_outside_of_the_hours_is_refused(vendor, start):
    assert (await book(vendor, start=start))[0] == 409


async def test_a_visit_is_moved_only_into_free_time_and_its_own_counts_as_free(vendor):
    _, first = await book(vendor)
    await book(vendor, "k-2", start="2026-11-25T18:00:00", client={"name": "Инна", "phone": "79160000001"})
    path = f"/appointments/{first['id']}"

    assert (await call(vendor, "PATCH", path, PLACE))[0] == 409
    half_later = await call(vendor, "PATCH", path, PLACE | {"start": "2026-11-25T15:30:00"})
    assert (half_later[0], half_later[1]["start"]) == (200, "2026-11-25T15:30:00")
    assert (await call(vendor, "PATCH", path, PLACE | {"staff_id": MARIA}))[1]["staff"]["name"] == "Мария Иванова"


async def test_a_cancelled_visit_is_cancelled_again_but_not_moved(vendor):
    _, made = await book(vendor)
    path = f"/appointments/{made['id']}"

    assert [(await call(vendor, "DELETE", path))[0] for _ in range(2)] == [204, 204]
    assert (await call(vendor, "PATCH", path, PLACE))[0] == 404
    assert (await call(vendor, "GET", path))[1]["cancelled"] is True
    assert (await call(vendor, "GET", "/appointments?from=2026-11-25"))[1]["items"] == []
    assert len((await call(vendor, "GET", "/appointments?from=2026-11-25&with_cancelled=1"))[1]["items"]) == 1


async def test_a_client_keeps_the_card_and_the_name_that_the_base_has(vendor):
    known = vendor.add_client("Елена Постоянная", "8 (916) 123-45-67")
    made = await call(vendor, "POST", "/clients", {"name": "Лена", "phone": "79161234567"})
    _, visit = await book(vendor)

    assert made == (200, {"id": known, "name": "Елена Постоянная", "phone": "8 (916) 123-45-67"})
    assert visit["client"]["name"] == "Елена Постоянная"
    assert (await call(vendor, "POST", "/clients", {"name": "Инна", "phone": "79160000001"}))[0] == 201


async def test_licences_that_run_out_are_a_page_and_not_json(vendor):
    vendor.licences = 0
    status, page = await call(vendor, "GET", "/info")

    assert status == 503
    assert "лицензия" in page


async def test_a_planted_exception_is_plain_text(vendor):
    vendor.fail("catalogue", status=500)

    assert (await call(vendor, "GET", "/services"))[1].startswith("{HTTPСервис")


async def test_answers_may_begin_with_a_byte_order_mark_and_have_texts_for_numbers(vendor):
    vendor.bom = vendor.numbers_as_text = True
    url = f"{vendor.url}/salon/hs/ai-admin/v1/services"
    headers = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
    async with vendor.session.get(url, headers=headers) as response:
        body = await response.read()

    assert body.startswith(b"\xef\xbb\xbf{")
    assert {type(one["price"]) for one in json.loads(body.decode("utf-8-sig"))["items"]} == {str}
