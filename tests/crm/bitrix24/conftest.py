"""A portal, and an adapter that is connected to it with settings that a test may change."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import SecretStr

from crm.base import NewAppointment, Phone
from crm.registry import CRMFactory
from sandbox.bitrix24.server import Bitrix24Server
from sandbox.seeds import elita_business

PHONE = Phone("+79161234567")


@pytest.fixture
def portal_options():
    """What the portal is like, where a module's tests need another one."""
    return {}


@pytest.fixture
async def vendor(clock, portal_options):
    clock.now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    server = Bitrix24Server(elita_business(), clock, threshold=100_000, **portal_options)
    await server.start()
    yield server
    await server.stop()
    assert list(server.violations) == []


@pytest.fixture
def connect(vendor, http, pace, cache, clock):
    """Connect with the server's own settings, changed as the test says."""

    def connecting(secrets=None, **changed):
        given = vendor.connection()
        held = {**given.secrets, **(secrets or {})}
        return CRMFactory(http, pace, cache, clock).create(
            "bitrix24",
            options={**given.options, **changed},
            secrets={name: SecretStr(value) for name, value in held.items()},
            account_id=None,
            time_zone="Europe/Moscow",
        )

    return connecting


@pytest.fixture
def crm(connect):
    return connect()


@pytest.fixture
def find_slot():
    """Find a free time of tomorrow (25 November)."""

    async def finding(crm, hour, *, title="Стрижка женская", master="Анна Смирнова", day=date(2026, 11, 25)):
        service = next(one for one in await crm.get_services() if one.title == title)
        slots = await crm.get_fresh_slots([service.id], first=day, last=day)
        return next(one for one in slots if one.starts_at.hour == hour and one.staff.name == master)

    return finding


@pytest.fixture
def wish():
    """Make what is to be booked of a slot."""

    def wishing(slot, external_id="aiadm-1", comment="от помощника", phone=PHONE, name="Елена"):
        return NewAppointment(external_id=external_id, slot=slot, client_name=name, phone=phone, comment=comment)

    return wishing
