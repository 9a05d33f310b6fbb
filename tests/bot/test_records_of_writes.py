"""The steps of a CRM write: each a commit of its own, taken only by whoever holds the dialogue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.records_of_writes import CommittedIntents
from db.appointments import Appointments
from db.errors import LeaseLost
from db.intents import Intents
from db.models import intents
from db.records import (
    Accepted,
    AgentSettings,
    Branch,
    BranchId,
    ChannelType,
    Company,
    CompanyId,
    IntentKind,
    IntentStatus,
    WorkKind,
    new_id,
)

LEASE = timedelta(seconds=12)
BRANCH = BranchId(new_id())


@pytest.fixture
def writes(core):
    return CommittedIntents(core.database, core.work, Intents(), Appointments(), core.clock)


@pytest.fixture
async def held(core):
    """A dialogue that a worker holds."""
    company = Company(id=CompanyId(new_id()), slug="elita", name="elita")
    branch = Branch(id=BRANCH, key="main", name="elita", time_zone="UTC")
    await core.companies.create_company(company, AgentSettings(), [branch])
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="1", name="elita", options={}, secrets={}
    )
    update = Accepted(update_key="1", dialogue_key="5:5:", payload=b"{}")
    await core.intake.accept(channel, [update], quiet=timedelta(0))
    return await claim(core)


async def claim(core):
    [held] = await core.work.claim("worker", limit=1, ttl=LEASE, kinds=(WorkKind.TURN,))
    return held


async def record(writes, held, id_):
    action = {"kind": "create"}
    await writes.record(
        held, intent_id=id_, branch_id=BRANCH, kind=IntentKind.CREATE, external_id=f"e-{id_}", action=action
    )


async def mark_called(writes, held, id_):
    await writes.mark_called(held, id_)


async def mark_done(writes, held, id_):
    await writes.mark_done(held, id_, crm_record_id="900", appointment=None, cancelled=False)


async def mark_refused(writes, held, id_):
    await writes.mark_refused(held, id_, "slot_taken")


async def mark_unknown(writes, held, id_):
    await writes.mark_unknown(held, id_, "no answer")


async def statuses(core, company_id):
    async with core.database.company(company_id) as tx:
        return list(await tx.connection.scalars(select(intents.c.status).where(intents.c.company_id == company_id)))


STEPS = [
    ((), record, IntentStatus.CONFIRMED),
    ((record,), mark_called, IntentStatus.CALLED),
    ((record, mark_called), mark_called, IntentStatus.CALLED),
    ((record, mark_called), mark_done, IntentStatus.DONE),
    ((record,), mark_refused, IntentStatus.REFUSED),
    ((record, mark_called), mark_unknown, IntentStatus.UNKNOWN),
]


@pytest.mark.parametrize("taken_over", [False, True], ids=["lease_run_out", "taken_over"])
@pytest.mark.parametrize(("before", "step", "after"), STEPS, ids=lambda value: getattr(value, "__name__", None))
async def test_a_worker_whose_lease_was_lost_takes_no_step_and_the_one_that_holds_it_does(
    core, clock, writes, held, before, step, after, taken_over
):
    id_ = new_id()
    for earlier in before:
        await earlier(writes, held, id_)
    stood = await statuses(core, held.company_id)
    clock.advance(LEASE)
    if taken_over:
        clock.advance(timedelta(seconds=1))
        living = await claim(core)

    with pytest.raises(LeaseLost):
        await step(writes, held, id_)
    assert await statuses(core, held.company_id) == stood

    if not taken_over:
        clock.advance(timedelta(seconds=1))
        living = await claim(core)
    await step(writes, living, id_)
    assert await statuses(core, held.company_id) == [after]


async def test_a_claim_that_was_given_back_takes_no_step(core, writes, held):
    await core.work.release(held, due_at=core.clock(), failed=False)

    with pytest.raises(LeaseLost):
        await record(writes, held, new_id())


async def test_nobody_takes_a_dialogue_over_while_a_step_is_being_committed(core, clock, held):
    async with core.database.company(held.company_id) as tx:
        await core.work.hold(tx, held)
        clock.advance(LEASE + timedelta(seconds=1))
        assert await core.work.claim("other", limit=1, ttl=LEASE, kinds=(WorkKind.TURN,)) == []

    assert (await claim(core)).fence == held.fence + 1


async def test_a_lease_of_one_company_proves_nothing_in_another(core, held):
    async with core.database.company(CompanyId(new_id())) as tx:
        with pytest.raises(LeaseLost):
            await core.work.hold(tx, held)
