"""The console over HTTP: companies with staff, and browsers that keep cookies and send what browsers send."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.app import build_gateway
from bot.console.links import ConsoleLinks, console_address
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.dialogues import Dialogues
from db.records import (
    AgentSettings,
    Author,
    Branch,
    BranchId,
    ChannelType,
    Company,
    CompanyId,
    HistoryMessage,
    dialogue_id_of,
    new_id,
)
from db.staff import Role, Staff

PHONE = "+79161234567"


@dataclass
class Salon:
    """A company without vendors: branches, a messenger, staff, clients."""

    core: object
    company_id: CompanyId
    branches: tuple[Branch, ...]
    channel: object
    users: int = 0

    async def enrol(self, role, *, name=None, branches=(), crm_staff_id=None):
        """Somebody of the staff who has come by their code."""
        Salon.users_made = getattr(Salon, "users_made", 0) + 1
        staff, now = Staff(), self.core.clock()
        async with self.core.database.company(self.company_id) as tx:
            _, code = await staff.invite(
                tx, name=name or role.value, role=role, now=now, branches=branches, crm_staff_id=crm_staff_id
            )
            return await staff.enrol(tx, code, telegram_user_id=10_000 + Salon.users_made, now=now)

    async def dismiss(self, member):
        async with self.core.database.company(self.company_id) as tx:
            await Staff().dismiss(tx, member.id, now=self.core.clock())

    async def link(self, member):
        links = ConsoleLinks(console_address(self.core.settings), self.core.audit, self.core.clock)
        async with self.core.database.company(self.company_id) as tx:
            return urlsplit(await links.make(tx, member)).path

    async def dialogue(self, name="Елена", *said, phone=None):
        """A client who has written, and what was said."""
        key, now = f"{new_id().int % 10**9}", self.core.clock()
        dialogues, id_ = Dialogues(), dialogue_id_of(self.channel.id, key)
        async with self.core.database.company(self.company_id) as tx:
            made = await dialogues.open_dialogue(tx, channel_id=self.channel.id, dialogue_id=id_, key=key, now=now)
            await dialogues.save_dialogue(tx, replace(made, client_name=name, proved_phone=phone, last_message_at=now))
            turn = new_id()
            for place, text in enumerate(said):
                author = Author.CLIENT if place % 2 == 0 else Author.AGENT
                await dialogues.add_messages(
                    tx, id_, [HistoryMessage(author=author, text=text, at=now, turn_id=turn)]
                )
        return id_

    async def visit(self, *, at: datetime, staff="Анна", branch=0, dialogue_id=None, staff_id=None, cancelled=False):
        """Something that the agent booked."""
        booked = BookedAppointment(
            id=new_id(),
            company_id=self.company_id,
            branch_id=self.branches[branch].id,
            dialogue_id=dialogue_id or await self.dialogue(),
            crm_record_id=new_id().hex,
            external_id=new_id().hex,
            starts_at=at,
            duration=timedelta(hours=1),
            service_names=("Стрижка",),
            staff_name=staff,
            staff_id=staff_id,
            client_name=f"Клиент {staff}",
            visitor_name=None,
            phone=PHONE,
            phone_proved=True,
            cancelled=cancelled,
        )
        async with self.core.database.company(self.company_id) as tx:
            await Appointments().save(tx, booked)
        return booked


@dataclass
class Browser:
    """What a browser does: keeps cookies, follows to the next page, says whose page a form was on."""

    url: str
    session: aiohttp.ClientSession
    headers: dict = field(default_factory=dict)

    async def get(self, path, *, status=200, **headers):
        async with self.session.get(f"{self.url}{path}", headers={**self.headers, **headers}) as response:
            self.last = response
            text = await response.text()
            assert response.status == status, (path, response.status, text[:2000])
            return text

    async def post(self, path, *, status=200, origin=None, csrf=None, follow=True, htmx=False, **fields):
        """Send a form. `csrf` None: the one of the pages that this browser was given."""
        if csrf is None:
            csrf = await self.csrf()
        headers = {"Origin": self.url if origin is None else origin, **({"HX-Request": "true"} if htmx else {})}
        headers = {name: value for name, value in headers.items() if value}
        async with self.session.post(
            f"{self.url}{path}",
            data={"csrf": csrf, **fields},
            headers=headers,
            allow_redirects=follow,
        ) as response:
            self.last = response
            text = await response.text()
            assert response.status == status, (path, response.status, text[:2000])
            return text

    async def csrf(self):
        async with self.session.get(f"{self.url}/console") as response:
            found = re.search(r'name="csrf" value="([0-9a-f]+)"', await response.text())
        return found[1] if found else ""

    async def enter(self, link):
        await self.post(link, csrf="")
        return self


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
