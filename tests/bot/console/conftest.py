"""The console over HTTP."""

from __future__ import annotations

import aiohttp
import pytest

from bot.app import build_gateway
from db.records import AgentSettings, Branch, BranchId, ChannelType, Company, CompanyId, new_id
from db.staff import Role
from house_console import Browser, Salon


@pytest.fixture
async def make_salon(core):
    async def make(slug, *, branches=1, language="ru"):
        company = Company(id=CompanyId(new_id()), slug=slug, name=f"Салон {slug}")
        places = tuple(
            Branch(id=BranchId(new_id()), key=f"b{place}", name=f"Филиал {place}", time_zone="Europe/Moscow")
            for place in range(branches)
        )
        await core.companies.create_company(company, AgentSettings(language=language), places)
        channel, _ = await core.companies.add_channel(
            company.id, ChannelType.TELEGRAM, external_id=slug, name=slug, options={}, secrets={}
        )
        return Salon(core, company.id, places, channel)

    return make


@pytest.fixture
async def salon(make_salon):
    return await make_salon("elita")


@pytest.fixture
async def served(core):
    """The gateway's address."""
    gateway = build_gateway(core)
    yield await gateway.start()
    await gateway.stop()


@pytest.fixture
async def open_browser(served):
    """A new browser, with cookies of its own."""
    opened = []

    def open_one():
        # Addresses without a name are refused by default.
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        opened.append(session)
        return Browser(served, session)

    yield open_one
    for session in opened:
        await session.close()


@pytest.fixture
async def sign_in(open_browser):
    """Sign somebody of the staff in, in a browser of their own."""

    async def enter(salon, role=Role.OWNER, **how):
        member = await salon.enrol(role, **how)
        browser = await open_browser().enter(await salon.link(member))
        browser.member = member
        return browser

    return enter


@pytest.fixture
def audit(core):
    """What was written down of a company, by the action's name."""

    async def read(company_id, action):
        async with core.database.company(company_id) as tx:
            return [one for one in await core.audit.list_entries(tx) if one.action == action]

    return read
