"""Of which branch a client is, by their visits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.dialogues import Dialogues
from db.records import AgentSettings, Branch, BranchId, ChannelType, Company, CompanyId, dialogue_id_of, new_id


@pytest.fixture
async def house(core, clock):
    company = Company(id=CompanyId(new_id()), slug="elita", name="Элита")
    branches = tuple(
        Branch(id=BranchId(new_id()), key=key, name=key, time_zone="UTC") for key in ("center", "east", "west")
    )
    await core.companies.create_company(company, AgentSettings(), branches)
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="1", name="1", options={}, secrets={}
    )
    return House(core, clock, channel, {one.key: one.id for one in branches})


class House:
    def __init__(self, core, clock, channel, branches):
        self.core, self.clock, self.channel, self.branches = core, clock, channel, branches

    async def dialogue(self, key):
        id_ = dialogue_id_of(self.channel.id, key)
        async with self.core.database.company(self.channel.company_id) as tx:
            await Dialogues().open_dialogue(tx, channel_id=self.channel.id, dialogue_id=id_, key=key, now=self.clock())
        return id_

    async def visit(self, dialogue_id, branch, days, **more):
        booked = BookedAppointment(
            id=new_id(),
            company_id=self.channel.company_id,
            branch_id=self.branches[branch],
            dialogue_id=dialogue_id,
            crm_record_id=new_id().hex,
            external_id=new_id().hex,
            starts_at=self.clock() + timedelta(days=days),
            duration=timedelta(hours=1),
            service_names=("Стрижка",),
            staff_name="Анна",
            client_name="Елена",
            visitor_name=None,
            phone="",
            phone_proved=False,
            **more,
        )
        async with self.core.database.company(self.channel.company_id) as tx:
            await Appointments().save(tx, booked)

    async def branch_of(self, *dialogue_ids):
        async with self.core.database.company(self.channel.company_id) as tx:
            found = await Appointments().find_branch(tx, dialogue_ids, now=self.clock())
        return next((key for key, id_ in self.branches.items() if id_ == found), None)


async def test_a_client_is_of_the_branch_of_their_next_visit_else_of_the_last_one(house):
    mine, others = await house.dialogue("5:5:"), await house.dialogue("6:6:")
    await house.visit(others, "west", 1)
    assert await house.branch_of(mine) is None

    await house.visit(mine, "west", -9)
    await house.visit(mine, "center", -2)
    assert await house.branch_of(mine) == "center"

    await house.visit(mine, "center", 9)
    await house.visit(mine, "east", 3)
    await house.visit(mine, "west", 1, cancelled=True)
    assert await house.branch_of(mine) == "east"
    assert await house.branch_of(mine, others) == "west"
