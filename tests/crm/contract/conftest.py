"""Every CRM's adapter with its local server: a new one joins all these tests by one line of CRMS.

A test that needs a capability is marked with it, and is not made for a CRM that lacks it; what each lacks stands here,
is proven to be refused by name, and is what the adapter itself says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from pydantic import SecretStr

from crm.base import BaseCRMAdapter, Capability, NewAppointment, Phone, Service, ServiceId, Slot, StaffId
from crm.dikidi import BY_MODE
from crm.http import CRMHttp, TimeLimits
from crm.registry import ADAPTERS, CRMFactory
from examples.crms.notebook import NotebookAdapter
from examples.crms.notebook_server import NotebookServer
from sandbox.bitrix24.server import Bitrix24Server
from sandbox.business import Business
from sandbox.dikidi.server import DikidiServer
from sandbox.one_c.odata.staff_side import OneCODataSalon
from sandbox.one_c.service.server import OneCServiceSalon
from sandbox.seeds import elita_business
from sandbox.staff_side import CRMSandbox, Visit
from sandbox.yclients.staff_side import YclientsSalon

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""A Tuesday, noon in Moscow."""
Clock = Callable[[], datetime]
ALL = frozenset(Capability)


@dataclass(frozen=True)
class Case:
    """How a CRM's server is made, and what its adapter cannot do."""

    make: Callable[[Business, Clock], CRMSandbox]
    lacks: frozenset[Capability] = frozenset()


def yclients(business: Business, clock: Clock, flavour: str = "yclients") -> CRMSandbox:
    return YclientsSalon(business, clock=clock, flavour=flavour, per_second=100_000, per_minute=100_000)


def one_c_odata(business: Business, clock: Clock) -> CRMSandbox:
    return OneCODataSalon(business, clock=clock)


def altegio(business: Business, clock: Clock) -> CRMSandbox:
    return yclients(business, clock, "altegio")


_YCLIENTS_LACKS = frozenset({Capability.PRODUCTS, Capability.IDEMPOTENT_CREATE, Capability.BOOKING_PAGE})
_BITRIX24_LACKS = frozenset(
    {
        Capability.PRODUCTS,
        Capability.IDEMPOTENT_CREATE,
        Capability.BOOKING_PAGE,
        Capability.CHANGES,
        Capability.CONFIRM,
    }
)
CRMS = {
    "yclients": Case(yclients, _YCLIENTS_LACKS),
    "altegio": Case(altegio, _YCLIENTS_LACKS),
    "bitrix24": Case(partial(Bitrix24Server, threshold=100_000), _BITRIX24_LACKS),
    "bitrix24-calendar": Case(
        partial(Bitrix24Server, threshold=100_000, booking_module=False),
        _BITRIX24_LACKS | {Capability.DAY},
    ),
    "dikidi": Case(DikidiServer, ALL - BY_MODE["widget_book"]),
    "dikidi-read": Case(partial(DikidiServer, mode="widget_read"), ALL - BY_MODE["widget_read"]),
    "dikidi-link": Case(partial(DikidiServer, mode="link"), ALL - BY_MODE["link"]),
    "1c-odata": Case(
        one_c_odata,
        frozenset({Capability.PRODUCTS, Capability.BOOKING_PAGE, Capability.HOOKS, Capability.CONFIRM}),
    ),
    "1c-service": Case(OneCServiceSalon, frozenset({Capability.BOOKING_PAGE, Capability.CONFIRM})),
    "notebook": Case(NotebookServer, ALL - NotebookAdapter.manifest.capabilities),
}


READ_BY = {
    "catalogue": Capability.CATALOGUE,
    "times": Capability.SLOTS,
    "clients": Capability.CLIENTS,
    "list": Capability.LIST,
    "day": Capability.DAY,
}
"""Readings that a vendor may surprise us in, and what a CRM needs to have them."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case_name" not in metafunc.fixturenames:
        return
    needs = {capability for mark in metafunc.definition.iter_markers("needs") for capability in mark.args}
    able = [name for name, case in CRMS.items() if not needs & case.lacks]
    if "operation" in metafunc.fixturenames:
        calls = [(name, one) for name in able for one, need in READ_BY.items() if need not in CRMS[name].lacks]
        metafunc.parametrize(("case_name", "operation"), calls, ids=[f"{name}-{one}" for name, one in calls])
    elif "secret" in metafunc.fixturenames:
        keys = [(name, one) for name in able for one in _secrets_of(name)]
        metafunc.parametrize(("case_name", "secret"), keys, ids=[f"{name}-{one}" for name, one in keys])
    elif "lacked" in metafunc.fixturenames:
        pairs = [(name, one) for name, case in CRMS.items() for one in sorted(case.lacks)]
        metafunc.parametrize(("case_name", "lacked"), pairs, ids=[f"{name}-{one}" for name, one in pairs])
    else:
        metafunc.parametrize("case_name", able)


def _secrets_of(name: str) -> list[str]:
    """Name the secrets of a CRM that it refuses when they are wrong; DIKIDI's public widget asks for none."""
    return list(CRMS[name].make(elita_business(), lambda: NOW).connection().wrong_secrets)


@dataclass(frozen=True)
class Desk:
    """A CRM as we reach it (`crm`) and as its staff see it (`vendor`)."""

    vendor: CRMSandbox
    crm: BaseCRMAdapter
    today: date
    renew: Callable[[], BaseCRMAdapter]

    def as_new(self) -> Desk:
        """Return the same with nothing kept from before."""
        return replace(self, crm=self.renew())

    @property
    def tomorrow(self) -> date:
        return self.today + timedelta(days=1)

    async def service(self, title: str = "Стрижка женская") -> Service:
        return next(one for one in await self.crm.get_services() if one.title == title)

    async def master(self, name: str = "Анна Смирнова") -> StaffId:
        return next(one.id for one in await self.crm.get_staff() if one.name == name)

    async def slots(
        self, title: str = "Стрижка женская", *, day: date | None = None, master: str | None = None
    ) -> tuple[Slot, ...]:
        staff_id = await self.master(master) if master else None
        ids: list[ServiceId] = [(await self.service(title)).id]
        wanted = day or self.tomorrow
        return await self.crm.get_fresh_slots(ids, first=wanted, last=wanted, staff_id=staff_id)

    async def slot(
        self,
        wall: str = "15:00",
        *,
        title: str = "Стрижка женская",
        master: str = "Анна Смирнова",
        day: date | None = None,
    ) -> Slot:
        found = [one for one in await self.slots(title, day=day, master=master) if f"{one.starts_at:%H:%M}" == wall]
        assert found, f"{wall} is not free"
        return found[0]

    def standing(self) -> list[Visit]:
        return [visit for visit in self.vendor.list_visits() if not visit.cancelled]


PHONE = Phone("+79161234567")


def new_appointment(slot: Slot, external_id: str = "aiadm-1", **more: str) -> NewAppointment:
    fields: dict[str, str] = {"client_name": "Елена", "phone": PHONE, "comment": "от помощника"} | more
    return NewAppointment(external_id=external_id, slot=slot, **fields)  # type: ignore[arg-type]


@pytest.fixture
def time_limits() -> TimeLimits:
    second = timedelta(seconds=1)
    return TimeLimits(connect=second, read=second * 5, read_with_retries=second * 20, write=second * 5)


@pytest.fixture
def business() -> Business:
    """The demo's salon without what only some CRMs know (prepayment)."""
    elita = elita_business()
    return replace(elita, services=tuple(one for one in elita.services if not one.prepaid))


@pytest.fixture
async def vendor(case_name: str, business: Business, clock) -> AsyncIterator[CRMSandbox]:
    clock.now = NOW
    server = CRMS[case_name].make(business, clock)
    await server.start()
    yield server
    await server.stop()
    assert list(server.violations) == []


@pytest.fixture
def open_adapter(
    vendor: CRMSandbox, http: CRMHttp, pace, cache, clock, business: Business
) -> Callable[..., BaseCRMAdapter]:
    """Connect as `crm set` does; `secrets` in place of the right ones."""

    def opening(**secrets: str) -> BaseCRMAdapter:
        given = vendor.connection()
        return CRMFactory(http, pace, cache, clock, adapters=ADAPTERS | {"notebook": NotebookAdapter}).create(
            given.type,
            options=given.options,
            secrets={name: SecretStr(value) for name, value in (given.secrets | secrets).items()},  # type: ignore[operator]
            account_id=given.account_id,
            time_zone=business.time_zone,
        )

    return opening


@pytest.fixture
def desk(vendor: CRMSandbox, open_adapter, clock, cache, business: Business) -> Desk:
    def renew() -> BaseCRMAdapter:
        cache.kept.clear()
        return open_adapter()

    return Desk(vendor, open_adapter(), clock.now.astimezone(business.zone).date(), renew)


@pytest.fixture
def new():
    return new_appointment


@pytest.fixture
def contract_cases() -> dict[str, Case]:
    return CRMS
