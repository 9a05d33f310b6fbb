"""The local YCLIENTS refuses what the vendor refuses."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession

from sandbox.seeds import ELITA_ID, elita_salon
from sandbox.yclients.server import YclientsSandbox

ACCEPT = "application/vnd.yclients.v2+json"
PARTNER, USER = "Bearer sandbox-partner-token", ", User sandbox-user-token"
RECORD = {
    "staff_id": 101,
    "services": [{"id": 501, "cost": 2500}],
    "client": {"phone": "79161234567", "name": "Test"},
    "datetime": "2026-11-25T12:00:00+0300",
    "seance_length": 3600,
    "save_if_busy": False,
    "send_sms": False,
}


@pytest.fixture
async def vendor(clock):
    sandbox = YclientsSandbox(clock=clock)
    sandbox.add_salon(elita_salon())
    await sandbox.start()
    async with ClientSession() as session:
        sandbox.session = session
        yield sandbox
    await sandbox.stop()


async def call(vendor, method, path, body=None, *, accept=ACCEPT, token=PARTNER + USER):
    headers = {"Accept": accept, "Authorization": token}
    async with vendor.session.request(method, f"{vendor.url}/api/v1{path}", json=body, headers=headers) as response:
        text = await response.text()
        return response.status, (await response.json()) if text else None


async def test_tokens_and_the_accept_header_are_demanded(vendor):
    assert (await call(vendor, "GET", f"/book_staff/{ELITA_ID}", token=""))[0] == 401
    assert (await call(vendor, "GET", f"/records/{ELITA_ID}", token=PARTNER))[0] == 403
    assert isinstance((await call(vendor, "GET", f"/book_staff/{ELITA_ID}", accept="application/json"))[1], list)
    assert (await call(vendor, "GET", "/book_staff/1"))[0] == 404


async def test_five_calls_a_second_are_the_limit(vendor):
    statuses = [(await call(vendor, "GET", f"/company/{ELITA_ID}"))[0] for _ in range(7)]

    assert statuses[:5] == [200] * 5
    assert 429 in statuses[5:]


async def test_lengths_are_told_only_with_a_master_and_lists_want_brackets(vendor):
    _, plain = await call(vendor, "GET", f"/book_services/{ELITA_ID}")
    _, with_master = await call(vendor, "GET", f"/book_services/{ELITA_ID}?staff_id=101")
    _, ignored = await call(vendor, "GET", f"/book_staff/{ELITA_ID}?service_ids=503")
    _, kept = await call(vendor, "GET", f"/book_staff/{ELITA_ID}?service_ids[]=503")

    assert {service["seance_length"] for service in plain["data"]["services"]} == {None}
    assert {service["seance_length"] for service in with_master["data"]["services"]} == {3600, 7200, 10800}
    assert (len(ignored["data"]), len(kept["data"])) == (3, 1)
    assert plain["meta"] == []


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({}, 201, None),
        ({"phone": "1"}, 422, 431),
        ({"fullname": " "}, 422, 435),
        ({"services": [505]}, 422, 438),
        ({"services": [504]}, 422, 437),
        ({"datetime": "2026-11-25T03:00:00+03:00"}, 422, 433),
        ({"staff_id": 0, "datetime": "2026-11-25T03:00:00+03:00"}, 422, 436),
        ({"staff_id": 103}, 422, 438),
    ],
)
async def test_online_booking_refuses_by_the_vendors_codes(vendor, changed, status, code):
    visit = {"id": 1, "services": [501], "staff_id": 101, "datetime": "2026-11-25T12:00:00+03:00"}
    body = {"phone": "79161234567", "fullname": "Test", "email": "", "appointments": [visit]}
    for name, value in changed.items():
        (body if name in body else visit)[name] = value

    got, answer = await call(vendor, "POST", f"/book_record/{ELITA_ID}", body, token=PARTNER)

    assert got == status
    if code:
        assert answer["meta"]["errors"]["code"] == code
        assert answer["success"] is False


async def test_a_busy_time_is_refused_unless_the_caller_insists(vendor):
    first = await call(vendor, "POST", f"/records/{ELITA_ID}", RECORD)
    second = await call(vendor, "POST", f"/records/{ELITA_ID}", RECORD)
    third = await call(vendor, "POST", f"/records/{ELITA_ID}", {**RECORD, "save_if_busy": True})

    assert (first[0], second[0], third[0]) == (201, 409, 201)
    assert vendor.book.double_bookings() == 1


@pytest.mark.parametrize("missing", ["staff_id", "services", "client", "datetime", "seance_length", "save_if_busy"])
async def test_a_record_wants_its_whole_body(vendor, missing):
    body = {name: value for name, value in RECORD.items() if name != missing}

    assert (await call(vendor, "POST", f"/records/{ELITA_ID}", body))[0] == 422


async def test_a_record_is_shown_changed_and_deleted(vendor):
    _, made = await call(vendor, "POST", f"/records/{ELITA_ID}", {**RECORD, "api_id": "x1"})
    path = f"/record/{ELITA_ID}/{made['data']['id']}"

    changed = await call(vendor, "PUT", path, {**RECORD, "datetime": "2026-11-25T14:00:00"})
    assert changed[1]["data"]["datetime"] == "2026-11-25T14:00:00+0300"
    assert changed[1]["data"]["api_id"] == ""
    assert (await call(vendor, "DELETE", path)) == (204, None)
    assert (await call(vendor, "DELETE", path))[0] == 404


async def test_clients_are_searched_by_a_part_and_tell_only_what_is_asked(vendor):
    await call(vendor, "POST", f"/clients/{ELITA_ID}", {"name": "Test", "phone": "+79161234567"})
    search = {"filters": [{"type": "quick_search", "state": {"value": "916123"}}]}

    _, found = await call(vendor, "POST", f"/company/{ELITA_ID}/clients/search", search)
    duplicate = await call(vendor, "POST", f"/clients/{ELITA_ID}", {"name": "T", "phone": "79161234567"})

    assert [list(card) for card in found["data"]] == [["id"]]
    assert found["meta"]["total_count"] == 1
    assert duplicate[0] == 422


async def test_what_is_malformed_is_refused_and_remembered(vendor):
    status, _ = await call(vendor, "POST", f"/book_check/{ELITA_ID}", {"appointments": [{"id": 1}]})

    assert status == 422
    assert vendor.violations[0]["path"].endswith(f"/book_check/{ELITA_ID}")
