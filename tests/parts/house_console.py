"""The console's people: a company's staff, and browsers that keep cookies and send what browsers send."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from bot.app import Core
from bot.console.links import ConsoleLinks, console_address
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.dialogues import Dialogues
from db.records import Author, Branch, Channel, CompanyId, DialogueId, HistoryMessage, dialogue_id_of, new_id
from db.staff import Role, Staff, StaffMember
from house_installation import Installation

PHONE = "+79161234567"
_USERS = count(10_001)


@dataclass
class Salon:
    """A company without vendors: branches, a messenger, staff, clients."""

    core: Core
    company_id: CompanyId
    branches: tuple[Branch, ...]
    channel: Channel

    @classmethod
    async def of(cls, house: Installation) -> Self:
        """The same of a whole house, whose salon has its vendors."""
        snapshot = await house.core.companies.get_snapshot(house.company_id)
        return cls(house.core, house.company_id, snapshot.branches, await house.channel())

    async def enrol(
        self,
        role: Role,
        *,
        name: str | None = None,
        branches: tuple[str, ...] = (),
        crm_staff_id: str | None = None,
        telegram_user_id: int | None = None,
    ) -> StaffMember:
        """Somebody of the staff who has come by their code."""
        staff, now = Staff(), self.core.clock()
        async with self.core.database.company(self.company_id) as tx:
            _, code = await staff.invite(
                tx, name=name or role.value, role=role, now=now, branches=branches, crm_staff_id=crm_staff_id
            )
            member = await staff.enrol(tx, code, telegram_user_id=telegram_user_id or next(_USERS), now=now)
        assert member is not None
        return member

    async def dismiss(self, member: StaffMember) -> None:
        async with self.core.database.company(self.company_id) as tx:
            await Staff().dismiss(tx, member.id, now=self.core.clock())

    async def link(self, member: StaffMember) -> str:
        """The path of a fresh link."""
        links = ConsoleLinks(console_address(self.core.settings), self.core.audit, self.core.clock)
        async with self.core.database.company(self.company_id) as tx:
            return urlsplit(await links.make(tx, member)).path

    async def dialogue(self, name: str = "Елена", *said: str, phone: str | None = None) -> DialogueId:
        """A client who has written, and what was said."""
        key, now = f"{new_id().int % 10**9}", self.core.clock()
        dialogues, id_ = Dialogues(), dialogue_id_of(self.channel.id, key)
        async with self.core.database.company(self.company_id) as tx:
            made = await dialogues.open_dialogue(tx, channel_id=self.channel.id, dialogue_id=id_, key=key, now=now)
            await dialogues.save_dialogue(tx, replace(made, client_name=name, proved_phone=phone, last_message_at=now))
            turn = new_id()
            for place, text in enumerate(said):
                author = Author.CLIENT if place % 2 == 0 else Author.AGENT
                await dialogues.add_messages(tx, id_, [HistoryMessage(author=author, text=text, at=now, turn_id=turn)])
        return id_

    async def visit(
        self,
        *,
        at: datetime,
        staff: str = "Анна",
        branch: int = 0,
        dialogue_id: DialogueId | None = None,
        staff_id: str | None = None,
        cancelled: bool = False,
    ) -> BookedAppointment:
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
    headers: dict[str, str] = field(default_factory=dict)
    last: aiohttp.ClientResponse | None = None
    member: StaffMember | None = None

    async def get(self, path: str, *, status: int = 200, **headers: str) -> str:
        async with self.session.get(f"{self.url}{path}", headers={**self.headers, **headers}) as response:
            self.last = response
            text = await response.text()
            assert response.status == status, (path, response.status, text[:2000])
            return text

    async def post(
        self,
        path: str,
        *,
        status: int = 200,
        origin: str | None = None,
        csrf: str | None = None,
        follow: bool = True,
        htmx: bool = False,
        **fields: str,
    ) -> str:
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

    async def csrf(self) -> str:
        async with self.session.get(f"{self.url}/console") as response:
            found = re.search(r'name="csrf" value="([0-9a-f]+)"', await response.text())
        return found[1] if found else ""

    async def enter(self, link: str) -> Browser:
        await self.post(link, csrf="")
        return self
