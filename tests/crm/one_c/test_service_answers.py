"""What an answer of the HTTP service means, read and written: its own errors, 1C's pages, other servers' pages."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from crm.base import NewAppointment, Phone, RecordId, ServiceId, Slot, Staff, StaffId
from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotConfigured,
    CRMNotFound,
    CRMOutcomeUnknown,
    CRMRejected,
    CRMUnavailable,
    CRMUnsupported,
    SlotTaken,
)
from crm.registry import CRMFactory

ID = RecordId("7c1f0b8e-0000-4000-8000-000000000001")
CATALOGUE: dict[str, Any] = {
    "/info": {"version": "1", "timezone": "Europe/Moscow", "currency": "RUB"},
    "/services": {"items": [{"id": "s1", "name": "Стрижка", "price": 2500, "duration_min": 60}]},
    "/staff": {"items": [{"id": "m1", "name": "Анна"}]},
}
APPOINTMENT: dict[str, Any] = {
    "id": ID,
    "start": "2026-11-25T15:00:00",
    "duration_min": 60,
    "staff": {"id": "m1"},
    "services": [{"id": "s1"}],
}


@dataclass
class Base:
    """Answers the catalogue as it stands, and everything about appointments by `status`, `body` and `headers`."""

    rows: dict[str, Any] = field(default_factory=lambda: {name: dict(row) for name, row in CATALOGUE.items()})
    status: int = 200
    body: Any = None
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    refused: tuple[str, int, Any] | None = None
    """A method that is refused wherever it goes, the status and the body."""
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        await request.read()
        path = request.path.removeprefix("/salon/hs/ai-admin/v1")
        if self.refused and request.method == self.refused[0]:
            return web.json_response(self.refused[2], status=self.refused[1])
        if path in self.rows:
            return web.json_response(self.rows[path])
        if isinstance(self.body, str):
            return web.Response(text=self.body, status=self.status, content_type=self.kind, headers=self.headers)
        return web.json_response(self.body, status=self.status, headers=self.headers)


@pytest.fixture
async def base():
    answers = Base()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answers.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    answers.url = f"http://127.0.0.1:{runner.addresses[0][1]}/salon"
    yield answers
    await runner.cleanup()


@pytest.fixture
def crm(base, http, pace, cache, clock):
    clock.now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    return CRMFactory(http, pace, cache, clock).create(
        "1c",
        options={"base_url": base.url, "user": "Робот"},
        secrets={"password": SecretStr("пароль-1")},
        account_id=None,
        time_zone="Europe/Moscow",
    )


async def book(crm):
    zone = (await crm.get_rules()).time_zone
    slot = Slot(
        starts_at=datetime(2026, 11, 25, 15, tzinfo=zone),
        duration=timedelta(hours=1),
        staff=Staff(id=StaffId("m1"), name="Анна"),
        service_ids=(ServiceId("s1"),),
    )
    new = NewAppointment(external_id="aiadm-1", slot=slot, client_name="Елена", phone=Phone("+79161234567"))
    return await crm.create_appointment(new)


def error(code: str, message: str = "Так нельзя") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@dataclass(frozen=True)
class Means:
    status: int
    body: Any
    reading: type[CRMError]
    writing: type[CRMError]
    kind: str = "application/json"


PAGE = "<html><body>Ошибка</body></html>"
OUTAGE = (CRMUnavailable, CRMOutcomeUnknown)
MEANINGS = [
    Means(400, error("invalid"), CRMInvalid, CRMInvalid),
    Means(403, error("denied"), CRMAuthFailed, CRMAuthFailed),
    Means(404, error("not_found"), CRMNotFound, CRMNotFound),
    Means(409, error("slot_taken"), SlotTaken, SlotTaken),
    Means(422, error("unsupported"), CRMUnsupported, CRMUnsupported),
    Means(503, error("busy"), CRMUnavailable, CRMUnavailable),
    Means(500, error("slot_taken"), SlotTaken, SlotTaken),
    Means(500, error("an unknown one"), *OUTAGE),
    Means(500, "{HTTPСервис.AIAdmin.Модуль(214)}: Поле объекта не обнаружено", *OUTAGE, "text/plain"),
    Means(502, PAGE, *OUTAGE, "text/html"),
    Means(503, PAGE, *OUTAGE, "text/html"),
    Means(200, PAGE, *OUTAGE, "text/html"),
    Means(200, '{"items": [', *OUTAGE),
    Means(200, [], *OUTAGE),
    Means(200, {"id": "1"}, *OUTAGE),
    Means(302, PAGE, *OUTAGE, "text/html"),
    Means(401, "", CRMAuthFailed, CRMAuthFailed, "text/plain"),
    Means(402, PAGE, CRMAuthFailed, CRMAuthFailed, "text/html"),
    Means(403, PAGE, CRMAuthFailed, CRMAuthFailed, "text/html"),
    Means(404, PAGE, CRMNotConfigured, CRMNotConfigured, "text/html"),
    Means(405, PAGE, CRMNotConfigured, CRMNotConfigured, "text/html"),
    Means(413, PAGE, CRMRejected, CRMRejected, "text/html"),
]


@pytest.mark.parametrize("means", MEANINGS, ids=lambda one: f"{one.status} {str(one.body)[:30]}")
async def test_an_answer_means_the_same_to_all_who_ask(base, crm, means):
    base.status, base.body, base.kind = means.status, means.body, means.kind

    with pytest.raises(CRMError) as read:
        await crm.get_appointment(ID)
    written_before = len(base.asked)
    with pytest.raises(CRMError) as written:
        await book(crm)

    assert (type(read.value), type(written.value)) == (means.reading, means.writing)
    assert len([one for one in base.asked[written_before:] if one.method == "POST"]) == 1


async def test_the_words_of_a_refusal_are_told_without_the_clients_phone_and_name(base, crm):
    base.status, base.body = 400, error("invalid", "Клиент  Елена с телефоном\n79161234567 в чёрном списке" + "!" * 500)

    with pytest.raises(CRMInvalid, match="чёрном списке") as refused:
        await book(crm)
    assert "79161234567" not in str(refused.value)
    assert "Елена" not in str(refused.value)
    assert len(str(refused.value)) < 300


async def test_a_card_that_is_refused_shows_no_name_or_phone_either(base, crm):
    base.rows["/clients"] = {"items": []}
    base.refused = ("POST", 400, error("invalid", "Карточка Елена, 79161234567: дубль"))

    with pytest.raises(CRMInvalid, match="дубль") as refused:
        await crm.create_client(name="Елена", phone=Phone("+79161234567"))
    assert "79161234567" not in str(refused.value)
    assert "Елена" not in str(refused.value)


async def test_any_success_of_a_cancellation_is_one_whatever_its_body(base, crm):
    for status, body in ((204, ""), (200, "готово"), (200, {"id": ID})):
        base.status, base.body = status, body
        await crm.cancel_appointment(ID)


async def test_cancelling_what_was_erased_is_a_success_and_where_nothing_is_published_it_is_none(base, crm):
    base.status, base.body = 404, error("not_found")
    await crm.cancel_appointment(ID)

    base.body, base.kind = PAGE, "text/html"
    with pytest.raises(CRMNotConfigured):
        await crm.cancel_appointment(ID)


async def test_writes_say_their_encoding_and_carry_the_key(base, crm):
    base.status, base.body = 201, APPOINTMENT
    await book(crm)

    sent = base.asked[-1]
    assert sent.headers["Content-Type"] == "application/json; charset=utf-8"
    assert sent.headers["Idempotency-Key"] == "aiadm-1"
    assert await sent.json() == {
        "staff_id": "m1",
        "service_ids": ["s1"],
        "start": "2026-11-25T15:00:00",
        "duration_min": 60,
        "client": {"name": "Елена", "phone": "79161234567"},
        "comment": "",
    }
    assert "Елена" in (await sent.read()).decode()


async def test_an_appointment_of_bare_ids_gets_its_names_from_the_catalogue(base, crm):
    base.body = APPOINTMENT
    read = await crm.get_appointment(ID)

    assert (read.staff.name, read.services[0].title, read.client_name, read.phone) == ("Анна", "Стрижка", "", None)
    assert read.external_id is None


@pytest.mark.parametrize(
    ("written", "kopecks"),
    [(2500, 250_000), (2500.5, 250_050), ("2500", 250_000), ("2 500,50", 250_050), ("2\u00a0500,00", 250_000)],
)
async def test_a_price_is_read_however_1c_writes_a_number(base, crm, written, kopecks):
    base.rows["/services"] = {"items": [{"id": "s1", "name": "Стрижка", "price": written, "duration_min": "60"}]}
    [service] = await crm.get_services()

    assert (service.terms.price.low.minor_units, service.terms.duration) == (kopecks, timedelta(hours=1))


@pytest.mark.parametrize("nothing", [None, "", 0, "0,00"])
async def test_a_price_that_is_not_filled_in_is_not_known(base, crm, nothing):
    base.rows["/services"] = {"items": [{"id": "s1", "name": "Стрижка", "price": nothing}]}
    [service] = await crm.get_services()

    assert service.terms.price is None
    assert service.terms.duration is None


async def test_a_masters_own_price_and_length_hold_for_that_master(base, crm):
    own = [{"staff_id": "m1", "price": 3000}]
    base.rows["/services"]["items"] = [CATALOGUE["/services"]["items"][0] | {"by_staff": own}]
    [service] = await crm.get_services()

    assert service.terms_with(StaffId("m1")).price.low.minor_units == 300_000
    assert service.terms_with(StaffId("m1")).duration == timedelta(hours=1)
    assert service.terms_with(StaffId("m2")).price.low.minor_units == 250_000


async def test_a_free_times_own_price_comes_before_the_services(base, crm):
    day = date(2026, 11, 25)
    at = {"staff_id": "m1", "duration_min": 60}
    base.body = {"items": [at | {"start": "2026-11-25T10:00:00", "price": 2000}, at | {"start": "2026-11-25T11:00:00"}]}
    slots = await crm.get_available_slots([ServiceId("s1")], first=day, last=day)

    assert [slot.price.low.minor_units for slot in slots] == [200_000, 250_000]


async def test_free_times_that_were_not_asked_for_are_left_out(base, crm):
    day = date(2026, 11, 25)
    given = (("m1", "26T10:00:00"), ("m2", "25T10:00:00"), ("m1", "25T12:00:00"), ("m1", "25T12:00:00"))
    base.body = {"items": [{"staff_id": who, "start": f"2026-11-{at}", "duration_min": 60} for who, at in given]}
    slots = await crm.get_available_slots([ServiceId("s1")], first=day, last=day)

    assert [(slot.staff.id, slot.starts_at.hour) for slot in slots] == [("m1", 12)]


@pytest.mark.parametrize("id_", ["s1,s2", "../s1", "", "s 1", "x" * 65])
async def test_an_id_that_cannot_stand_in_an_address_is_an_outage_and_not_sent_on(base, crm, id_):
    base.rows["/services"] = {"items": [{"id": id_, "name": "Стрижка"}]}

    with pytest.raises(CRMUnavailable):
        await crm.get_services()


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00", "25.11.2026 15:00:00", "", None, 1764072000])
async def test_an_appointment_without_a_readable_time_is_an_outage(base, crm, start):
    base.body = APPOINTMENT | {"start": start}

    with pytest.raises(CRMUnavailable):
        await crm.get_appointment(ID)


class TestThePageForProgrammers:
    """docs/crm-1c.md is the contract: what it shows is what is read and sent."""

    @pytest.fixture
    def samples(self) -> list[Any]:
        """Return the page's samples in order: info, services, staff, slots, card, appointment, a booking, an error."""
        page = (Path(__file__).parents[3] / "docs" / "crm-1c.md").read_text(encoding="utf-8")
        return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]

    async def test_its_samples_are_read_as_they_stand(self, base, crm, samples, clock):
        clock.now = datetime(2026, 3, 3, 9, tzinfo=UTC)
        info, services, staff, slots, card, appointment, *_ = samples
        base.rows |= {"/info": info, "/services": services, "/staff": staff, "/slots": slots}
        base.rows |= {"/clients": {"items": [card]}, "/appointments": {"items": [appointment]}}
        [service], day = await crm.get_services(), date(2026, 3, 4)
        [slot] = await crm.get_available_slots([service.id], first=day, last=day)
        [visit] = await crm.list_appointments(Phone("+79161234567"), first=day)

        assert (await crm.get_rules()).cancel_deadline == timedelta(hours=1)
        assert service.terms_with(StaffId("aa07b8c9")).duration == timedelta(minutes=90)
        assert (slot.starts_at, slot.staff.name, slot.duration) == (visit.starts_at, visit.staff.name, visit.duration)
        assert visit.starts_at.isoformat() == "2026-03-04T15:00:00+03:00"
        assert (visit.external_id, visit.phone) == ("aiadm-0192f0c1", "+79161234567")

    async def test_a_booking_is_sent_with_the_fields_that_it_names(self, base, crm, samples):
        *_, sample, _ = samples
        base.status, base.body = 201, APPOINTMENT
        await book(crm)

        assert (await base.asked[-1].json()).keys() == sample.keys()

    async def test_its_error_is_read_as_it_says(self, base, crm, samples):
        base.status, base.body = 409, samples[-1]

        with pytest.raises(SlotTaken, match="Время занято"):
            await book(crm)
