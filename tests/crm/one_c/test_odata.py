"""1C by OData: three configurations' names, wrong mappings, races, posting, and bases with keys of their own."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
from pydantic import SecretStr
from ruamel.yaml import YAML

from crm.base import Capability, CheckStatus, NewAppointment, Phone
from crm.errors import (
    CRMAuthFailed,
    CRMError,
    CRMInvalid,
    CRMNotConfigured,
    CRMOutcomeUnknown,
    CRMUnsupported,
    SlotTaken,
)
from crm.one_c.odata.mapping_file import load_mapping, ready_mappings
from crm.registry import CRMFactory
from sandbox.one_c.odata.plain import Plain
from sandbox.one_c.odata.salon_names import SalonNames
from sandbox.one_c.odata.staff_side import OneCODataSalon
from sandbox.one_c.odata.unf import Unf
from sandbox.seeds import elita_business

TOMORROW = date(2026, 11, 25)
PHONE = Phone("+79161234567")
ANNA = "Анна Смирнова"


@pytest.fixture
async def open_salon(clock):
    """Start a base in a configuration's names."""
    clock.now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    started = []

    async def opening(configuration=Plain, **more):
        salon = OneCODataSalon(elita_business(), clock=clock, configuration=configuration, **more)
        await salon.start()
        started.append(salon)
        return salon

    yield opening
    for salon in started:
        await salon.stop()
        assert list(salon.violations) == []


@pytest.fixture
def connect(http, pace, cache, clock):
    def connecting(salon, **changed):
        given = salon.connection()
        return CRMFactory(http, pace, cache, clock).create(
            given.type,
            options={**given.options, **changed},
            secrets={name: SecretStr(value) for name, value in given.secrets.items()},
            account_id=None,
            time_zone="Europe/Moscow",
        )

    return connecting


def changed_mapping(name, **changes):
    """Return a ready mapping with changes, as the setting's own text."""
    text = json.loads(load_mapping(name).model_dump_json(by_alias=True, exclude_none=True))
    return json.dumps({**text, **changes}, ensure_ascii=False)


async def slot_at(crm, hour, *, title="Стрижка женская", master=ANNA, day=TOMORROW):
    service = next(one for one in await crm.get_services() if one.title == title)
    slots = await crm.get_fresh_slots([service.id], first=day, last=day)
    return next(one for one in slots if one.starts_at.hour == hour and one.staff.name == master)


def new(slot, external_id="aiadm-1"):
    return NewAppointment(external_id=external_id, slot=slot, client_name="Елена", phone=PHONE, comment="от помощника")


def standing(salon):
    return [visit for visit in salon.list_visits() if not visit.cancelled]


@pytest.mark.parametrize("configuration", [Plain, Unf, SalonNames])
async def test_a_visit_is_booked_moved_and_cancelled_in_every_ready_mapping(open_salon, connect, configuration):
    salon = await open_salon(configuration)
    crm = connect(salon)
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))

    [visit] = standing(salon)
    assert (visit.id, visit.master, visit.services, visit.client) == (booked.id, ANNA, ("Стрижка женская",), "Елена")
    assert visit.starts == datetime.combine(TOMORROW, time(15))
    assert [one.id for one in await crm.list_appointments(PHONE, first=TOMORROW)] == [booked.id]
    moved = await crm.reschedule_appointment(booked.id, await slot_at(crm, 17))
    assert [visit.starts.hour for visit in standing(salon)] == [17]
    await crm.cancel_appointment(moved.id)
    assert standing(salon) == []
    assert (await slot_at(crm, 17)).staff.name == ANNA


@pytest.mark.parametrize("configuration", [Unf, SalonNames])
async def test_a_posted_document_is_posted_anew_after_a_move(open_salon, connect, configuration):
    salon = await open_salon(configuration)
    crm = connect(salon)
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))
    await crm.reschedule_appointment(booked.id, await slot_at(crm, 17))

    row = salon.base.rows[configuration.visits][(booked.id,)]
    assert row["Posted"]
    assert salon.base.stale == set()


async def test_a_document_that_cannot_be_posted_is_taken_back_and_nothing_stands(open_salon, connect):
    salon = await open_salon(Unf)
    crm = connect(salon)
    slot = await slot_at(crm, 15)
    salon.base.posting_fails = "Не заполнена касса"

    with pytest.raises(CRMInvalid):
        await crm.create_appointment(new(slot))
    assert standing(salon) == []


async def test_a_repeat_meets_the_document_that_it_made(open_salon, connect):
    salon = await open_salon()
    crm = connect(salon)
    slot = await slot_at(crm, 15)
    salon.fail("create", cut_after=True)
    with pytest.raises(CRMOutcomeUnknown):
        await crm.create_appointment(new(slot))

    again = await crm.create_appointment(new(slot))
    assert [visit.id for visit in standing(salon)] == [again.id]


async def test_a_base_with_keys_of_its_own_is_looked_through_for_our_id(open_salon, connect):
    salon = await open_salon()
    salon.base.ignores_client_keys = True
    crm = connect(salon, mapping=changed_mapping("example", own_keys="unknown"))
    slot = await slot_at(crm, 15)
    booked = await crm.create_appointment(new(slot))

    assert Capability.IDEMPOTENT_CREATE not in crm.capabilities
    assert (await crm.find_appointment("aiadm-1", day=TOMORROW)).id == booked.id
    assert any("keys of its own" in line.detail for line in await crm.check())
    assert (await crm.create_appointment(new(slot))).id == booked.id
    assert len(standing(salon)) == 1


async def test_where_our_id_has_no_place_it_is_not_promised_to_be_found(open_salon, connect):
    crm = connect(await open_salon(Unf))

    assert Capability.FIND_BY_EXTERNAL_ID not in crm.capabilities
    with pytest.raises(CRMUnsupported):
        await crm.find_appointment("aiadm-1", day=TOMORROW)


async def test_who_loses_the_race_after_the_write_backs_out(open_salon, connect):
    """Staff write the same time between our check and our document: 1C knows no lock over OData."""
    salon = await open_salon()
    crm = connect(salon)
    slot = await slot_at(crm, 15)
    go_on = asyncio.Event()
    held = salon.fail("create", hold_before=go_on)
    booking = asyncio.create_task(crm.create_appointment(new(slot)))
    await held.arrived.wait()
    salon.book_by_hand(
        master=ANNA,
        service="Стрижка женская",
        starts=datetime.combine(TOMORROW, time(15)),
        client="Инна",
        phone="+79160000001",
    )
    go_on.set()

    with pytest.raises(SlotTaken):
        await booking
    assert [visit.client for visit in standing(salon)] == ["Инна"]


async def test_a_document_that_staff_change_meanwhile_is_read_again_and_moved(open_salon, connect):
    salon = await open_salon()
    crm = connect(salon)
    booked = await crm.create_appointment(new(await slot_at(crm, 15)))
    wanted = await slot_at(crm, 17)
    go_on = asyncio.Event()
    held = salon.fail("move", hold_before=go_on)
    moving = asyncio.create_task(crm.reschedule_appointment(booked.id, wanted))
    await held.arrived.wait()
    salon.base.change(Plain.visits, booked.id, Комментарий="позвонить")
    go_on.set()

    assert (await moving).starts_at.hour == 17
    assert [visit.comment for visit in standing(salon)] == ["позвонить"]


async def test_an_object_that_is_not_switched_on_is_named_by_the_check(open_salon, connect):
    salon = await open_salon()
    salon.base.switched_on.discard("Document_ЗаписьКлиента")
    lines = await connect(salon).check()

    [objects] = [line for line in lines if line.subject == "objects"]
    assert objects.status is CheckStatus.FAILED
    assert "Document_ЗаписьКлиента" in objects.detail


async def test_rights_that_are_missing_are_told_as_such(open_salon, connect):
    salon = await open_salon()
    salon.base.forbidden.add("Catalog_Клиенты")

    with pytest.raises(CRMAuthFailed):
        await connect(salon).get_client_by_phone(PHONE)


async def test_the_mapping_is_compared_with_the_base_field_by_field(open_salon, connect):
    salon = await open_salon()
    mapping = json.loads(changed_mapping("example"))
    mapping["services"]["duration"] = {"field": "Продолжительность"}
    lines = await connect(salon, mapping=json.dumps(mapping, ensure_ascii=False)).describe_mapping()

    missing = [(line.what, line.field) for line in lines if not line.found]
    assert missing == [("services.duration.field", "Catalog_Услуги.Продолжительность")]
    found = {line.what for line in lines if line.found}
    assert {"appointments", "appointments.services.service", "clients.phone.shown", "schedule.start.time"} <= found


@pytest.mark.parametrize("name", ready_mappings())
def test_every_ready_mapping_says_how_sure_its_names_are(name):
    mapping = load_mapping(name)

    assert mapping.certainty in ("example", "guessed", "partly")
    assert mapping.note


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda text: text["services"].update(colour="red"), "services.colour"),
        (lambda text: text["appointments"].pop("client"), "appointments.client"),
        (lambda text: text["appointments"].update(end="Окончание"), "one of end and duration"),
        (lambda text: text["clients"].update(object="Справочник.Клиенты"), "clients.object"),
        (lambda text: text["schedule"].update(weekly={"mon": "10:00-20:00"}), "one of register and weekly"),
        (lambda text: text.update(version=2), "version"),
        (lambda text: text["services"].update(title="Description eq 'x'"), "services.title"),
    ],
)
def test_a_wrong_mapping_names_its_places(change, place):
    text = json.loads(changed_mapping("example"))
    change(text)

    with pytest.raises(CRMNotConfigured, match=place):
        load_mapping(json.dumps(text, ensure_ascii=False))


def test_a_mapping_of_ones_own_is_a_file_or_a_line_of_text(tmp_path):
    path = tmp_path / "ours.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(json.loads(changed_mapping("example", title="Наша база")), file)

    assert load_mapping(str(path)).title == "Наша база"
    for nowhere in ("ours", str(tmp_path / "none.yaml"), "{broken", ""):
        with pytest.raises(CRMNotConfigured, match="1c"):
            load_mapping(nowhere)


async def test_a_rule_of_the_mapping_keeps_times_that_are_too_soon_away(open_salon, connect, clock):
    salon = await open_salon()
    crm = connect(salon, mapping=changed_mapping("example", rules={"step_minutes": 60, "lead_minutes": 180}))
    service = next(one for one in await crm.get_services() if one.title == "Стрижка женская")
    slots = await crm.get_fresh_slots([service.id], first=date(2026, 11, 24), last=date(2026, 11, 24))

    assert min(slot.starts_at for slot in slots) >= clock.now + timedelta(hours=3)
    assert {slot.starts_at.minute for slot in slots} == {0}


async def test_no_error_holds_the_password_or_the_clients_data(open_salon, connect):
    salon = await open_salon()
    crm = connect(salon)
    slot = await slot_at(crm, 15)
    salon.fail("create", status=500)

    with pytest.raises(CRMError) as failed:
        await crm.create_appointment(new(slot))
    for hidden in ("sandbox-password", "79161234567", "Елена"):
        assert hidden not in str(failed.value)
