"""Updates that could not be processed: listed over all companies, put back or given up by their id alone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.companies import create_from_file
from db.records import Accepted, ChannelType, WorkKind, dialogue_id_of


@pytest.fixture
async def dead(core):
    """Two companies with a dead update each; return its id and dialogue by the company's slug."""
    found = {}
    for slug in ("boroda", "elita"):
        company = await create_from_file(core.companies, name=slug, slug=slug, file=None)
        channel, _ = await core.companies.add_channel(
            company.id, ChannelType.TELEGRAM, external_id=slug, name=f"@{slug}_bot", options={}, secrets={}
        )
        update = Accepted(update_key=f"update-{slug}", dialogue_key="5:5:", payload=b"{}")
        await core.intake.accept(channel, [update], quiet=timedelta(0))
        dialogue_id = dialogue_id_of(channel.id, "5:5:")
        [claim] = await core.work.claim("test", limit=1, ttl=timedelta(seconds=12), kind=WorkKind.TURN)
        async with core.database.company(company.id) as tx:
            [stored] = await core.inbox.list_waiting(tx, dialogue_id, limit=1)
            await core.inbox.record_failure(tx, stored.id, "ValueError: no")
            await core.inbox.bury(tx, stored.id, None)
            await core.work.done(tx, claim)
        found[slug] = (company.id, dialogue_id, stored.id)
    return found


async def test_the_dead_of_all_companies_are_listed_with_what_one_needs_to_judge_them(core, clock, admin, dead):
    rows = json.loads(await admin("dead", "list", "--json"))
    only = json.loads(await admin("dead", "list", "--company", "elita", "--json"))

    assert [row["company"] for row in rows] == ["boroda", "elita"]
    assert only == rows[1:]
    _, dialogue_id, update_id = dead["elita"]
    assert only[0] == {
        "id": str(update_id),
        "company": "elita",
        "channel": "telegram @elita_bot",
        "dialogue": str(dialogue_id),
        "update": "update-elita",
        "tries": 1,
        "error": "ValueError: no",
        "accepted_at": str(clock()),
        "died_at": str(clock()),
    }
    assert str(update_id) in await admin("dead", "list")


async def test_an_update_is_put_back_or_dropped_in_its_own_company_by_its_id(core, admin, dead):
    async def waiting(slug):
        company_id, dialogue_id, _ = dead[slug]
        async with core.database.company(company_id) as tx:
            return [one.id for one in await core.inbox.list_waiting(tx, dialogue_id, limit=10)]

    _, dialogue_id, retried = dead["elita"]
    assert "is tried again" in await admin("dead", "retry", str(retried))
    assert "is dropped" in await admin("dead", "drop", str(dead["boroda"][2]))

    assert (await waiting("elita"), await waiting("boroda")) == ([retried], [])
    core.clock.advance(timedelta(days=2000))
    due = await core.work.claim("test", limit=10, ttl=timedelta(seconds=12), kind=WorkKind.TURN)
    assert [claim.dialogue_id for claim in due] == [dialogue_id]
    assert json.loads(await admin("dead", "list", "--json")) == []
    assert "there is no dead update" in await admin("dead", "retry", str(retried), exit_code=1)
