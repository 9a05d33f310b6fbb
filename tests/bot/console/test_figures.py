"""The figures as the owner sees them in the browser."""

from __future__ import annotations

import pytest

from db.drafts import Draft, Drafts, DraftStatus
from db.records import new_id


@pytest.fixture
def written(salon):
    """What the agent wrote for staff to send, by what became of it."""

    async def write(*outcomes):
        dialogue_id, now = await salon.dialogue(), salon.core.clock()
        async with salon.core.database.company(salon.company_id) as tx:
            for outcome in outcomes:
                draft = Draft(id=new_id(), dialogue_id=dialogue_id, turn_id=new_id(), replies=[], said={})
                await Drafts().put(tx, draft, now=now)
                await Drafts().settle(tx, draft.id, outcome, now=now, staff_id=None)

    return write


async def test_how_many_drafts_went_out_unchanged_is_shown(sign_in, salon, written):
    await written(DraftStatus.SENT, DraftStatus.SENT, DraftStatus.SENT, DraftStatus.EDITED, DraftStatus.STALE)

    told = await (await sign_in(salon)).get("/console/figures")

    assert "<dt>Черновиков</dt><dd>5</dd>" in told
    assert "<dt>Отправлено без правок</dt><dd>3 (75%)</dd>" in told
    assert "<dt>Сказано своими словами</dt><dd>1</dd>" in told
    assert "Что стало с черновиками за день" in told


async def test_where_the_agent_writes_no_drafts_nothing_is_said_of_them(sign_in, salon):
    told = await (await sign_in(salon)).get("/console/figures")

    assert "Черновик" not in told
    assert "черновик" not in told
