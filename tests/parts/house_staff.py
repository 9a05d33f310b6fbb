"""A salon of two branches with its people, over a real database and without a vendor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select

from bot.console.links import ConsoleLinks, console_address
from bot.staff_ask import StaffAnswer, StaffAsk
from bot.staff_commands import StaffCommands
from bot.staff_members import invite
from db.appointments import Appointments
from db.booking_records import BookedAppointment, Intent, IntentStatus
from db.dialogues import Dialogues
from db.handovers import Handovers
from db.intents import Intents
from db.outbox import Outbox
from db.outbox_models import replies
from db.records import (
    AgentSettings,
    Branch,
    BranchId,
    Channel,
    ChannelType,
    Company,
    CompanyId,
    dialogue_id_of,
    new_id,
)
from db.staff import Role, Staff
from handlers.staff_notices import chat_with
from orchestration.scope import CompanyScope
from orchestration.staff_words import StaffWord

GROUP, OTHER_GROUP = "-100500", "-100600"
PHONE = "+79161234567"


@dataclass
class Salon:
    """A company with two branches, and its people."""

    core: object
    clock: object
    channel: Channel
    branches: tuple[Branch, ...]
    people: dict[str, int]

    @property
    def company_id(self):
        return self.channel.company_id

    async def scope(self):
        return CompanyScope(snapshot=await self.core.companies.get_snapshot(self.company_id), open_crm=None)

    async def enrol(self, name, role, **more):
        """Let somebody come in; their Telegram id is by the order of coming."""
        made = await invite(self.core, self.company_id, name=name, role=role, **more)
        self.people[name] = 1000 + len(self.people)
        async with self.core.database.company(self.company_id) as tx:
            await Staff().enrol(tx, made.code, telegram_user_id=self.people[name], now=self.clock())
        return made.member

    async def says(self, name, command=None, argument="", *, action=None, private=False) -> StaffAnswer | None:
        """Ask something in the group, or in private."""
        user = self.people[name]
        word = StaffWord(
            message_id=str(new_id()),
            sent_at=self.clock(),
            author=user,
            private=private,
            command=command,
            argument=argument,
            action=action,
            press_id="p" if action else None,
        )
        audit = self.core.audit
        links = ConsoleLinks(console_address(self.core.settings), audit, self.clock)
        commands = StaffCommands(Outbox(self.clock), Staff(), Handovers(), Dialogues(), audit, links)
        scope = await self.scope()
        async with self.core.database.company(self.company_id) as tx:
            member = await Staff().find(tx, user)
            where = chat_with(self.channel, str(user) if private else GROUP)
            return await commands.run(
                StaffAsk(tx=tx, bot=self.channel, scope=scope, where=where, member=member, word=word, now=self.clock())
            )

    async def client(self, key="5:5:", **more):
        """A client with a dialogue."""
        async with self.core.database.company(self.company_id) as tx:
            dialogue = await Dialogues().open_dialogue(
                tx,
                channel_id=self.channel.id,
                dialogue_id=dialogue_id_of(self.channel.id, key),
                key=key,
                now=self.clock(),
            )
            named = replace(dialogue, **{"client_name": "Елена", "proved_phone": PHONE, **more})
            await Dialogues().save_dialogue(tx, named)
        return named

    async def wrote(self, kind, dialogue, *, at=None, branch=0, record="1", **more):
        """Let the agent have written something into the CRM."""
        branch_id = self.branches[branch].id
        intent = Intent(
            id=new_id(),
            company_id=self.company_id,
            dialogue_id=dialogue.id,
            branch_id=branch_id,
            kind=kind,
            external_id=str(new_id()),
            action={},
            status=IntentStatus.CONFIRMED,
            created_at=self.clock(),
        )
        booked = BookedAppointment(
            id=new_id(),
            company_id=self.company_id,
            branch_id=branch_id,
            dialogue_id=dialogue.id,
            crm_record_id=record,
            external_id=intent.external_id,
            **{
                "starts_at": self.clock() + timedelta(days=1),
                "duration": timedelta(hours=1),
                "service_names": ("Стрижка",),
                "staff_name": "Анна",
                "staff_id": "99",
                "client_name": dialogue.client_name,
                "visitor_name": None,
                "phone": dialogue.proved_phone or "",
                "phone_proved": True,
                **more,
            },
        )
        async with self.core.database.company(self.company_id) as tx:
            await Appointments().save(tx, booked)
            await Intents().create(tx, intent)
            await Intents().mark_called(tx, intent.id, at=at or self.clock())
            await Intents().mark_done(tx, intent.id, crm_record_id=record, at=at or self.clock())

    async def sent(self):
        """What waits to be sent: by the chat's key, in order."""
        async with self.core.database.company(self.company_id) as tx:
            rows = await tx.connection.execute(
                select(replies.c.dialogue_key, replies.c.payload, replies.c.author).order_by(replies.c.id)
            )
            return [(row.dialogue_key.partition(":")[0], row.payload, row.author) for row in rows]

    async def audited(self, action):
        async with self.core.database.company(self.company_id) as tx:
            return [one for one in await self.core.audit.list_entries(tx) if one.action == action]


async def open_salon(core, clock):
    """Make the salon, with an owner, an administrator and a master who have come in."""
    company = Company(id=CompanyId(new_id()), slug="salon", name="Салон")
    branches = (
        Branch(id=BranchId(new_id()), key="center", name="Центр", time_zone="Europe/Moscow", staff_chat=GROUP),
        Branch(id=BranchId(new_id()), key="east", name="Восток", time_zone="Asia/Vladivostok", staff_chat=OTHER_GROUP),
    )
    await core.companies.create_company(company, AgentSettings(), branches)
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="1", name="@salon_bot", options={}, secrets={}
    )
    made = Salon(core, clock, channel, branches, {})
    await made.enrol("Ольга", Role.OWNER)
    await made.enrol("Мария", Role.ADMINISTRATOR)
    await made.enrol("Анна", Role.MASTER, crm_staff_id="99")
    return made


def button(answer, place=0):
    return answer.buttons[0][place].action
