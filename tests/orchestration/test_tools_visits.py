"""The agent's tools where several services are done in one visit, also by several masters."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.base import Capability
from db.booking_records import StaffTime
from db.records import new_id
from db.slot_claims import SlotClaims
from orchestration.conversation import ShownAppointment

OLGA, ANNA = "103", "101"
MANICURE, HAIRCUT = {"service_id": "503"}, {"service_id": "501", "staff_id": ANNA}


async def visits(desk, *services, **more):
    return await desk.call("get_available_slots", services=list(services), date_from="2026-11-25", **more)


async def is_busy(desk, staff_id, hour, minutes):
    """Let somebody be booking this master's time tomorrow."""
    time = StaffTime(
        branch_id=desk.scope.branches[0].id,
        staff_id=staff_id,
        starts_at=datetime(2026, 11, 25, hour, 0, tzinfo=ZoneInfo("Europe/Moscow")),
        duration=timedelta(minutes=minutes),
    )
    async with desk.house.core.database.company(desk.scope.company.id) as tx:
        expires_at = desk.turn.now + timedelta(minutes=1)
        await SlotClaims().take(tx, {new_id(): time}, now=desk.turn.now, expires_at=expires_at)


def parts_of(visit):
    return [(part["time"], part["service"], part["staff"]) for part in visit["parts"]]


async def test_a_visit_is_told_with_who_does_what_when_and_what_all_of_it_costs(salon):
    found = await visits(salon, HAIRCUT, MANICURE)

    first = found["slots"][0]
    assert parts_of(first) == [("09:00", "Стрижка женская", "Анна Смирнова"), ("10:00", "Маникюр", "Ольга Петрова")]
    assert (first["time"], first["price"], first["duration_min"]) == ("09:00", "от 4300 до 4700 руб.", 150)
    assert len(found["slots"]) <= 24


async def test_services_are_done_in_any_order_unless_the_client_named_one(salon):
    await is_busy(salon, OLGA, 9, 60)

    any_order = await visits(salon, MANICURE, HAIRCUT)
    named = await visits(salon, MANICURE, HAIRCUT, in_order=True)

    assert parts_of(any_order["slots"][0])[0] == ("09:00", "Стрижка женская", "Анна Смирнова")
    assert parts_of(named["slots"][0])[0] == ("10:00", "Маникюр", "Ольга Петрова")


@pytest.mark.parametrize(("gap", "first"), [(None, "09:30"), (timedelta(minutes=30), "09:00")])
async def test_nobody_waits_between_two_masters_longer_than_the_company_allows(house, salon, desk_of, gap, first):
    await is_busy(salon, OLGA, 9, 90)
    agent = replace(salon.scope.agent, longest_gap=gap)
    await house.core.companies.set_agent(house.company_id, agent)
    house.core.directory.forget(house.company_id)

    async with desk_of(house.company_id) as desk:
        found = await visits(desk, HAIRCUT, MANICURE, in_order=True)

    assert found["slots"][0]["time"] == first


async def test_a_master_who_does_not_do_all_of_it_does_their_part(salon):
    """The client named one master only, and the other service is somebody else's."""
    found = await visits(salon, HAIRCUT, MANICURE, time_from="15:00", time_to="15:00")

    [visit] = found["slots"]
    assert visit["staff"] in ("Анна Смирнова, Ольга Петрова", "Ольга Петрова, Анна Смирнова")


async def test_where_appointments_cannot_be_cancelled_no_visit_of_several_is_offered(salon):
    def without_cancelling(branch, open_crm=salon.scope.open_crm):
        crm = open_crm(branch)
        less = crm.manifest.capabilities - {Capability.CANCEL}
        crm._inner.manifest = replace(crm.manifest, capabilities=less)
        return crm

    salon.turn.scope = salon.scope = replace(salon.scope, open_crm=without_cancelling)

    assert (await visits(salon, HAIRCUT, MANICURE))["error"]["code"] == "unsupported"
    assert (await visits(salon, HAIRCUT))["slots"]


async def test_an_appointment_is_not_moved_to_a_visit_of_several(salon):
    [visit, *_] = (await visits(salon, HAIRCUT, MANICURE))["slots"]
    shown = ShownAppointment(
        id="a_1",
        branch_id=salon.scope.branches[0].id,
        record_id="1",
        starts_at=salon.turn.now + timedelta(days=3),
        duration=timedelta(hours=2),
        service_ids=("501", "503"),
        service_names=("Стрижка", "Маникюр"),
        staff_name="Анна Смирнова",
    )
    salon.turn.conversation = salon.turn.conversation.with_appointments((shown,))

    code = await salon.code("reschedule_appointment", appointment_id="a_1", slot_id=visit["slot_id"])

    assert code == "several_records"
