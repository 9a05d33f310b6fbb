"""A company of several branches: one account's tokens, a number for each branch, and each adapter asks its own."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import SecretStr

from crm.base import Hook, NewAppointment, Phone
from crm.errors import CRMNotConfigured
from crm.registry import CRMFactory
from sandbox.seeds import BORODA_ID, ELITA_ID, boroda_salon, elita_salon
from sandbox.yclients.server import YclientsSandbox

TOMORROW = date(2026, 11, 25)


@pytest.fixture
async def vendor(clock):
    clock.now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    sandbox = YclientsSandbox(clock=clock, per_second=10_000, per_minute=100_000)
    sandbox.add_salon(elita_salon())
    sandbox.add_salon(boroda_salon())
    await sandbox.start()
    yield sandbox
    await sandbox.stop()
    assert sandbox.violations == []


@pytest.fixture
def branch(vendor, http, pace, cache, clock):
    def opening(account_id):
        secrets = {"partner_token": vendor.partner_token, "user_token": vendor.user_token}
        return CRMFactory(http, pace, cache, clock).create(
            "yclients",
            options={"api_url": vendor.url},
            secrets={name: SecretStr(value) for name, value in secrets.items()},
            account_id=account_id,
            time_zone="Europe/Moscow",
        )

    return opening


async def test_each_branch_has_its_own_services_masters_and_zone(branch):
    here, there = branch(str(ELITA_ID)), branch(str(BORODA_ID))

    assert "Стрижка женская" in {one.title for one in await here.get_services()}
    assert {one.title for one in await there.get_services()} == {"Стрижка мужская", "Моделирование бороды"}
    assert {one.name for one in await there.get_staff()} == {"Иван Кузнецов"}
    assert str((await here.get_rules()).time_zone) == "Europe/Moscow"
    assert str((await there.get_rules()).time_zone) == "Asia/Yekaterinburg"


async def test_a_visit_stands_in_the_branch_that_it_was_booked_at(branch, vendor):
    there = branch(str(BORODA_ID))
    service = next(one for one in await there.get_services() if one.title == "Стрижка мужская")
    slot = (await there.get_available_slots([service.id], first=TOMORROW, last=TOMORROW))[0]
    phone = Phone("+79161234567")
    new = NewAppointment(external_id="aiadm-1", slot=slot, client_name="Пётр", phone=phone)
    booked = await there.create_appointment(new)

    assert len(vendor.book.salons[BORODA_ID].records) == 1
    assert vendor.book.salons[ELITA_ID].records == {}
    assert booked.starts_at.isoformat() == "2026-11-25T10:00:00+05:00"
    assert await branch(str(ELITA_ID)).list_appointments(phone, first=TOMORROW) == ()


def test_a_webhook_of_one_branch_names_nothing_in_another(branch):
    told = Hook(content_type="application/json", body=b'{"company_id": 7801, "resource": "record", "resource_id": 5}')

    assert branch(str(BORODA_ID)).read_hook(told) == ("5",)
    assert branch(str(ELITA_ID)).read_hook(told) == ()


def test_a_branch_without_a_number_is_a_wrong_setting(branch):
    with pytest.raises(CRMNotConfigured, match="company_id"):
        branch(None)
