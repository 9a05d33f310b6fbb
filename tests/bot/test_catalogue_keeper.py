"""Catalogues are read anew in the background, for companies that clients write to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.catalogue_keeper import LATELY, MOST_COMPANIES, CatalogueKeeper, RecentReads
from bot.scopes import open_crm
from crm.errors import CRMUnavailable
from db.errors import NotFound
from db.records import CompanyId, new_id

MINUTE = timedelta(minutes=1)


@dataclass
class Branch:
    id: str = "main"
    key: str = "main"


@dataclass
class Companies:
    """Scopes of companies whose CRM counts the refreshes; `down`: it does not answer."""

    refreshed: list[CompanyId] = field(default_factory=list)
    down: set[CompanyId] = field(default_factory=set)
    gone: set[CompanyId] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, company_id: CompanyId):
        if company_id in self.gone:
            raise NotFound("no such company")
        return _Scope(self, company_id)


@dataclass
class _Scope:
    companies: Companies
    company_id: CompanyId
    branches: tuple[Branch, ...] = (Branch(),)

    def crm(self, branch_id: str) -> _Scope:
        return self

    async def refresh(self) -> None:
        self.companies.refreshed.append(self.company_id)
        self.companies.asked.set()
        if self.company_id in self.companies.down:
            raise CRMUnavailable("nothing")


@pytest.fixture
def companies() -> Companies:
    return Companies()


@pytest.fixture
def reads(clock) -> RecentReads:
    return RecentReads(clock)


@pytest.fixture
def keeper(reads, companies) -> CatalogueKeeper:
    return CatalogueKeeper(reads, companies)


ELITA, BORODA = CompanyId(new_id()), CompanyId(new_id())


async def test_a_catalogue_is_read_anew_before_it_is_old_as_long_as_clients_write(reads, keeper, companies, clock):
    reads.noticed(ELITA, timedelta(0))
    for _ in range(30):
        clock.advance(MINUTE)
        await keeper.refresh_due()

    assert len(companies.refreshed) == 3


async def test_a_company_that_nobody_writes_to_is_left_alone(reads, keeper, companies, clock):
    reads.noticed(ELITA, timedelta(0))
    clock.advance(LATELY + MINUTE)
    await keeper.refresh_due()

    assert companies.refreshed == []


async def test_what_was_found_old_is_due_at_once_and_rings(reads, keeper, companies):
    reads.noticed(ELITA, timedelta(0))
    assert not reads.somebody_is_due.is_set()
    reads.noticed(BORODA, timedelta(hours=9))
    assert reads.somebody_is_due.is_set()
    await keeper.refresh_due()

    assert companies.refreshed == [BORODA]


async def test_a_crm_that_is_down_is_asked_again_in_a_minute_and_keeps_nobody_waiting(reads, keeper, companies, clock):
    companies.down.add(ELITA)
    for company_id in (ELITA, BORODA):
        reads.noticed(company_id, timedelta(hours=1))
    await keeper.refresh_due()
    await keeper.refresh_due()
    assert sorted(companies.refreshed) == sorted([ELITA, BORODA])

    clock.advance(MINUTE)
    await keeper.refresh_due()
    assert companies.refreshed[2:] == [ELITA]


async def test_a_company_that_was_deleted_is_forgotten(reads, keeper, companies):
    companies.gone.add(ELITA)
    reads.noticed(ELITA, timedelta(hours=1))
    await keeper.refresh_due()

    assert reads.list_due() == []


async def test_so_many_companies_at_most_are_remembered(reads):
    for _ in range(MOST_COMPANIES + 50):
        reads.noticed(CompanyId(new_id()), timedelta(hours=1))

    assert len(reads.list_due()) == MOST_COMPANIES


async def test_it_runs_until_it_is_stopped(reads, companies):
    keeper = CatalogueKeeper(reads, companies)
    task = asyncio.create_task(keeper.run())
    reads.noticed(ELITA, timedelta(hours=1))
    async with asyncio.timeout(5):
        await companies.asked.wait()
        keeper.stop()
        await task


async def test_in_a_worker_an_old_catalogue_answers_at_once_and_is_read_anew_behind_it(house):
    """The whole chain: a scope's adapter tells the keeper, and the keeper asks the CRM."""
    reads = RecentReads(house.clock)
    calls = house.vendors.yclients.calls
    async with open_crm(house.core, reads.noticed) as scopes:
        scope = await scopes.open(house.company_id)
        crm = scope.crm(scope.branches[0].id)
        await crm.get_services()
        house.clock.advance(timedelta(hours=3))
        before = len(calls)
        await crm.get_services()
        assert len(calls) == before

        await CatalogueKeeper(reads, scopes).refresh_due()
        assert len(calls) > before
        assert reads.list_due() == []
