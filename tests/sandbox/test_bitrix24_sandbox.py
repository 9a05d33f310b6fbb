"""The local Bitrix24 portal by plain HTTP: what it answers and refuses, as the vendor's REST documentation says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sandbox.bitrix24.calendar import FIELD
from sandbox.bitrix24.oauth import CLIENT_ID, CLIENT_SECRET, FIRST_RENEWAL
from sandbox.bitrix24.server import Bitrix24Server
from sandbox.seeds import elita_business

CONTACT, DEAL = 3, 2
ANNA = 5
HOOK = "/rest/1/sandboxcode0001"
AT_TEN = 1_795_590_000
"""2026-11-25, ten in Moscow."""
RENEWAL = {
    "grant_type": "refresh_token",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "refresh_token": FIRST_RENEWAL,
}


class Time:
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def options():
    return {"threshold": 1000}


@pytest.fixture
async def portal(clock, options):
    server = Bitrix24Server(elita_business(), clock, **options)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def ask(portal):
    """Call a method by the webhook; the status and the body."""
    async with httpx.AsyncClient(base_url=portal.url) as http:

        async def asking(method, body=None, *, path=HOOK):
            answer = await http.post(f"{path}/{method}", json=body or {})
            return answer.status_code, answer.json()

        yield asking


def booking(resource=ANNA, begins=AT_TEN, minutes=60, **fields):
    moments = {"from": begins, "to": begins + minutes * 60}
    period = {side: {"timestamp": at, "timezone": "Europe/Moscow"} for side, at in moments.items()}
    return {"fields": {"name": "Стрижка женская", "resourceIds": [resource], "datePeriod": period, **fields}}


@pytest.mark.parametrize("method", ["crm.status.list", "crm.status.list.json"])
async def test_a_method_is_called_with_and_without_its_format(ask, method):
    status, body = await ask(method, {"filter": {"ENTITY_ID": "DEAL_STAGE_5"}})

    assert (status, body["result"][0]["STATUS_ID"]) == (200, "C5:NEW")
    assert {"start", "finish", "operating", "operating_reset_at"} <= set(body["time"])


async def test_a_wrong_code_a_missing_right_and_an_unknown_method_are_told_apart(ask, portal):
    assert await ask("crm.item.list", path="/rest/1/wrongcode0000") == (
        401,
        {"error": "NO_AUTH_FOUND", "error_description": "Wrong authorization data"},
    )
    portal.scopes = portal.scopes - {"booking"}
    status, body = await ask("booking.v1.resource.list")
    assert (status, body["error"], "time" in body) == (403, "insufficient_scope", False)
    status, body = await ask("crm.item.forget")
    assert (status, body["error"]) == (404, "ERROR_METHOD_NOT_FOUND")


class TestLimits:
    @pytest.fixture
    def options(self):
        return {"threshold": 3, "drains": 0}

    async def test_a_full_bucket_is_a_503(self, ask):
        found = [(await ask("crm.status.list"))[0] for _ in range(5)]

        assert found == [200, 200, 200, 503, 503]

    async def test_a_batch_is_one_call(self, ask):
        await ask("batch", {"cmd": {f"c{n}": "crm.status.list" for n in range(50)}})

        assert (await ask("crm.status.list"))[0] == 200


async def test_a_method_whose_time_is_spent_is_refused_and_others_go_on(ask, portal):
    portal.operating.spent["crm.status.list"] = 480

    status, body = await ask("crm.status.list")
    assert (status, body["error"]) == (429, "OPERATION_TIME_LIMIT")
    assert (await ask("booking.v1.resource.list"))[0] == 200


class TestBatch:
    async def test_a_command_uses_what_an_earlier_one_found(self, ask, portal):
        number = portal.add_client("Елена", "+79161234567")
        commands = {
            "found": "crm.duplicate.findbycomm?type=PHONE&values[]=79161234567&entity_type=CONTACT",
            "read": f"crm.item.get?entityTypeId={CONTACT}&id=$result[found][CONTACT][0]",
        }
        _, body = await ask("batch", {"halt": 0, "cmd": commands})

        assert body["result"]["result"]["read"]["item"]["id"] == int(number)
        assert body["result"]["result_error"] == []

    async def test_failures_stand_inside_under_200(self, ask):
        commands = {"a": "booking.v1.booking.get?id=77", "b": "batch?cmd[x]=crm.status.list", "c": "crm.status.list"}
        status, body = await ask("batch", {"halt": 0, "cmd": commands})

        errors = body["result"]["result_error"]
        assert (status, errors["a"]["error"], errors["b"]["error"]) == (200, 1021, "ERROR_BATCH_METHOD_NOT_ALLOWED")
        assert list(body["result"]["result"]) == ["c"]

    async def test_fifty_is_the_most(self, ask):
        status, body = await ask("batch", {"cmd": {f"c{n}": "crm.status.list" for n in range(51)}})

        assert (status, body["error"]) == (400, "ERROR_BATCH_LENGTH_EXCEEDED")


async def test_pages_are_of_fifty_and_the_last_has_no_next(ask, portal):
    for number in range(120):
        portal.add_client(f"Клиент {number}", f"+7916000{number:04}")
    pages = [await ask("crm.item.list", {"entityTypeId": CONTACT, "start": start}) for start in (0, 50, 100)]

    assert [len(body["result"]["items"]) for _, body in pages] == [50, 50, 20]
    assert [(body["total"], body.get("next")) for _, body in pages] == [(120, 50), (120, 100), (120, None)]


class TestContacts:
    async def test_nobody_found_is_phps_empty_list(self, ask):
        _, body = await ask("crm.duplicate.findbycomm", {"type": "PHONE", "values": ["+79161234567"]})

        assert body["result"] == []

    async def test_phones_come_only_with_everything(self, ask, portal):
        portal.add_client("Елена", "+79161234567")
        _, everything = await ask("crm.item.list", {"entityTypeId": CONTACT, "select": ["*"]})
        _, named = await ask("crm.item.list", {"entityTypeId": CONTACT, "select": ["id", "name", "fm"]})

        assert everything["result"]["items"][0]["fm"][0]["value"] == "+79161234567"
        assert "fm" not in named["result"]["items"][0]

    async def test_a_name_that_is_no_field_is_ignored_without_a_word(self, ask):
        status, body = await ask("crm.item.add", {"entityTypeId": DEAL, "fields": {"titel": "x", "title": "Визит"}})

        assert status == 200
        assert set(body["result"]["item"]) == {"id", "title"}


class TestBookings:
    async def test_a_busy_resource_and_one_that_is_not_there_have_one_number(self, ask):
        status, made = await ask("booking.v1.booking.add", booking())
        assert (status, list(made["result"])) == (200, ["id"])

        for wrong in (booking(begins=AT_TEN + 1800), booking(resource=999), booking(resourceIds=[])):
            status, body = await ask("booking.v1.booking.add", wrong)
            assert (status, body["error"]) == (400, 1018)
        assert (await ask("booking.v1.booking.add", booking(begins=AT_TEN + 3600)))[0] == 200

    async def test_a_booking_carries_neither_clients_nor_deals(self, ask):
        _, made = await ask("booking.v1.booking.add", booking(description="aiadm-1"))
        _, read = await ask("booking.v1.booking.get", {"id": made["result"]["id"]})

        assert set(read["result"]["booking"]) == {"id", "name", "description", "resourceIds", "datePeriod"}

    async def test_what_is_gone_is_told_by_a_number(self, ask):
        _, made = await ask("booking.v1.booking.add", booking())
        await ask("booking.v1.booking.delete", {"id": made["result"]["id"]})
        status, body = await ask("booking.v1.booking.get", {"id": made["result"]["id"]})

        assert (status, body["error"]) == (400, 1021)

    async def test_a_body_that_cannot_be_read_is_written_down(self, ask, portal):
        status, _ = await ask("booking.v1.booking.client.set", {"bookingId": None, "clients": 5})
        assert status == 400
        status, _ = await ask("crm.duplicate.findbycomm", {"type": "PHONE", "values": 5})

        assert status == 400
        assert portal.violations


class TestApplication:
    async def token(self, portal, **changed):
        async with httpx.AsyncClient(base_url=portal.url) as http:
            answer = await http.get("/oauth/token/", params=RENEWAL | changed)
        return answer.status_code, answer.json()

    async def test_a_pair_serves_an_hour_and_is_renewed_by_the_new_one(self, ask, portal, clock):
        _, pair = await self.token(portal)
        call = {"entityTypeId": DEAL, "auth": pair["access_token"]}
        assert (await ask("crm.item.list", call, path="/rest"))[0] == 200
        clock.now += timedelta(hours=1)
        status, body = await ask("crm.item.list", call, path="/rest")
        assert (status, body["error"]) == (401, "expired_token")

        assert (await self.token(portal, refresh_token=pair["refresh_token"]))[0] == 200
        assert (await self.token(portal, refresh_token=pair["refresh_token"]))[1]["error"] == "invalid_grant"

    async def test_a_call_without_a_token_is_refused(self, ask):
        for body in ({}, {"auth": "nonsense"}):
            status, answer = await ask("crm.item.list", body, path="/rest")
            assert (status, answer["error"]) == (401, "NO_AUTH_FOUND")

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"client_secret": "x"}, "invalid_client"),
            ({"grant_type": "password"}, "invalid_request"),
            ({"refresh_token": "x"}, "invalid_grant"),
        ],
    )
    async def test_the_authorization_server_refuses_in_its_own_words(self, portal, changed, error):
        assert (await self.token(portal, **changed))[1]["error"] == error


class TestWithoutTheBookingModule:
    @pytest.fixture
    def options(self):
        return {"threshold": 1000, "booking_module": False}

    def deal(self, *values, **more):
        return {
            "entityTypeId": DEAL,
            "useOriginalUfNames": "Y",
            "fields": {"title": "Визит", FIELD: list(values)},
            **more,
        }

    async def listed(self, ask, **chosen):
        _, body = await ask("calendar.resource.booking.list", {"filter": chosen})
        return body["result"]

    async def test_its_methods_are_not_there(self, ask):
        assert (await ask("booking.v1.resource.list"))[1]["error"] == "ERROR_METHOD_NOT_FOUND"

    async def test_a_value_books_moves_and_releases(self, ask):
        _, made = await ask("crm.item.add", self.deal("resource|5|25.11.2026 10:00:00|3600|Стрижка женская"))
        number, item = made["result"]["item"]["id"], made["result"]["item"]
        [row] = await self.listed(ask, resourceIdList=item[FIELD])
        assert (row["SECTION_ID"], row["DATE_FROM_TS_UTC"], row["DT_LENGTH"]) == ("5", str(AT_TEN), 3600)

        again = self.deal("resource|5|25.11.2026 12:00:00|3600|Стрижка женская", id=number)
        _, moved = await ask("crm.item.update", again)
        assert moved["result"]["item"][FIELD] == item[FIELD]
        _, other = await ask("crm.item.update", self.deal("resource|6|25.11.2026 12:00:00|3600|", id=number))
        assert other["result"]["item"][FIELD] != item[FIELD]
        _, kept = await ask("crm.item.update", self.deal(*other["result"]["item"][FIELD], id=number))
        assert kept["result"]["item"][FIELD] == other["result"]["item"][FIELD]
        _, released = await ask("crm.item.update", self.deal("empty", id=number))
        assert released["result"]["item"][FIELD] == []

    async def test_an_overlap_is_not_refused(self, ask):
        value = "resource|5|25.11.2026 10:00:00|3600|Стрижка женская"
        await ask("crm.item.add", self.deal(value))
        await ask("crm.item.add", self.deal(value))

        window = {"resourceTypeIdList": [5], "from": "2026-11-25", "to": "2026-11-25"}
        assert len(await self.listed(ask, **window)) == 2

    async def test_in_camels_the_field_has_another_name(self, ask):
        body = self.deal("resource|5|25.11.2026 10:00:00|3600|")
        _, made = await ask("crm.item.add", body | {"useOriginalUfNames": "N"})

        assert made["result"]["item"]["ufCrm_1709565075"] == []

    async def test_bookings_are_asked_for_in_one_of_two_ways(self, ask, portal):
        status, body = await ask("calendar.resource.booking.list", {"filter": {}})
        assert (status, body["error"]) == (400, "")
        both = {"resourceIdList": [10], "resourceTypeIdList": [5], "from": "2026-11-25", "to": "2026-11-25"}
        assert (await ask("calendar.resource.booking.list", {"filter": both}))[0] == 400
        assert len(portal.violations) == 1
