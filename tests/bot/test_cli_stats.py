"""`ai-admin stats`: a table for a person, JSON for a script, by day or by company."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from db.dialogues import Dialogues
from db.drafts import Draft, Drafts, DraftStatus
from db.records import Usage, dialogue_id_of, new_id
from db.spending import Spending

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def two_companies(core, make_channel):
    """Elita had two turns just now by the clock of the command's own process, Boroda none."""
    channel = await make_channel("elita")
    await make_channel("boroda")
    now = datetime.now(UTC)
    async with core.database.company(channel.company_id) as tx:
        for key in ("1:1:", "2:2:"):
            await Dialogues().add_turn(
                tx,
                turn_id=new_id(),
                dialogue_id=dialogue_id_of(channel.id, key),
                channel_id=channel.id,
                at=now,
                usage=Usage(),
                outcome="answered",
                messages=2,
            )
        dialogue_id = dialogue_id_of(channel.id, "1:1:")
        await Dialogues().add_handover(tx, dialogue_id, reason="complaint", summary="words", now=now)
        usage = Usage(calls=2, prompt_tokens=12_300, output_tokens=40, cached_tokens=9000)
        await Spending().add(tx, now=now, usage=usage, cost=1_234_000)


async def test_every_company_has_a_row_and_one_company_has_its_days(admin, two_companies):
    companies = json.loads(await admin("stats", "--json"))
    days = json.loads(await admin("stats", "elita", "--since", "2d", "--json"))
    table = await admin("stats")

    assert [(one["company"], one["messages"], one["handed_share"]) for one in companies] == [
        ("boroda", 0, None),
        ("elita", 4, 0.5),
    ]
    assert companies[1]["handed_reasons"] == {"complaint": 1}
    assert (companies[1]["cost_usd"], companies[1]["prompt_tokens"]) == (1.234, 12_300)
    assert len(days) == 2
    assert sum(one["messages"] for one in days) == 4
    assert {"day", "answer_p50_s", "tools", "crm_outcomes", "call_outcomes"} <= set(days[0])
    for told in ("boroda", "together", "1 (50%)", "12.3k/9.0k/40", "$1.23", "to people: complaint 1"):
        assert told in table


async def test_all_companies_by_day_and_one_company_in_one_row(admin, two_companies):
    by_day = json.loads(await admin("stats", "--by", "day", "--since", "1w", "--json"))
    as_one = json.loads(await admin("stats", "elita", "--by", "company", "--json"))

    assert len(by_day) == 7
    assert sum(one["dialogues"] for one in by_day) == 2
    assert [(one["company"], one["dialogues"]) for one in as_one] == [("elita", 2)]


async def test_what_became_of_the_agents_drafts_is_told(admin, core, make_channel):
    channel = await make_channel("elita")
    now, drafts, dialogue_id = datetime.now(UTC), Drafts(), dialogue_id_of(channel.id, "1:1:")
    async with core.database.company(channel.company_id) as tx:
        await Dialogues().open_dialogue(tx, channel_id=channel.id, dialogue_id=dialogue_id, key="1:1:", now=now)
        for status in (DraftStatus.SENT, DraftStatus.SENT, DraftStatus.SENT, DraftStatus.EDITED):
            draft = Draft(id=new_id(), dialogue_id=dialogue_id, turn_id=new_id(), replies=[], said={})
            await drafts.put(tx, draft, now=now)
            await drafts.settle(tx, draft.id, status, now=now, staff_id=None)

    [told] = json.loads(await admin("stats", "--json"))
    table = await admin("stats")

    assert (told["drafts"], told["drafts_unchanged"]) == (4, 0.75)
    assert told["drafts_outcomes"] == {"sent": 3, "edited": 1}
    assert "4, 75% sent unchanged" in table
    assert "drafts: sent 3, edited 1" in table


async def test_the_days_are_drawn_beside_the_table_and_json_stays_json(admin, two_companies, tmp_path):
    told = await admin("stats", "elita", "--plot", "elita.png", "--json")

    assert len(json.loads(told)) == 7
    assert (tmp_path / "elita.png").read_bytes().startswith(b"\x89PNG")
    said = await admin("stats", "elita", "--plot", "nowhere/elita.png", exit_code=1)
    assert "nowhere/elita.png could not be written: No such file or directory" in said


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (("stats", "nobody"), 1, "there is no company 'nobody'"),
        (("stats", "--since", "yesterday"), 2, "neither 7d, 4w nor a date"),
        (("stats", "--since", "0d"), 2, "from 1 to 366 days"),
        (("stats", "--since", "2001-01-01"), 1, "at most 366 days ago"),
        (("stats", "--by", "moon"), 2, "moon"),
        (("stats", "--plot", "none.png"), 1, "there is no company: nothing to draw"),
    ],
)
async def test_what_cannot_be_counted_is_said(admin, core, arguments, exit_code, says):
    assert says in await admin(*arguments, exit_code=exit_code)
