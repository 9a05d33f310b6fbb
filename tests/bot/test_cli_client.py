"""`ai-admin client`: export, erase with its act, the act checked."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from bot.companies import create_from_file
from db.dialogues import Dialogues
from db.models import sessions
from db.records import ChannelType, dialogue_id_of

# A test starts several processes of two to three seconds each.
pytestmark = pytest.mark.timeout(300)


async def test_a_client_is_exported_and_erased_by_the_command_line(core, clock, admin, tmp_path):
    company = await create_from_file(core.companies, name="Салон", slug="salon", file=None)
    channel, _ = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="1", name="bot", options={}, secrets={}
    )
    async with core.database.company(company.id) as tx:
        dialogue = await Dialogues().open_dialogue(
            tx, channel_id=channel.id, dialogue_id=dialogue_id_of(channel.id, "5:5:"), key="5:5:", now=clock()
        )
        await Dialogues().save_dialogue(tx, replace(dialogue, client_name="Зинаида", proved_phone="+79161112233"))

    exported = json.loads(await admin("client", "export", "salon", "8 (916) 111-22-33"))
    assert exported["data"]["sessions"][0]["client_name"] == "Зинаида"
    assert "nothing is kept" in await admin("client", "export", "salon", "+79990000000", exit_code=1)

    asked = await admin("client", "erase", "salon", "+79161112233", stdin="n\n", exit_code=1)
    assert "Aborted" in asked
    told = await admin("client", "erase", "salon", "+79161112233", "--yes", "--by", "Иванова А. А.")
    assert "sessions" in told
    [file] = tmp_path.glob("erasure-*.json")
    assert "+79161112233" in file.with_suffix(".txt").read_text(encoding="utf-8")
    async with core.database.company(company.id) as tx:
        assert (await tx.connection.execute(select(sessions))).all() == []

    assert "is recorded here" in await admin("client", "act", "verify", str(file))
    key = json.loads(file.read_text(encoding="utf-8"))["signature"]["public_key"]
    assert "is good" in await admin("client", "act", "verify", str(file), "--public-key", key)
    file.write_text(file.read_text(encoding="utf-8").replace("+79161112233", "+79161112234"), encoding="utf-8")
    assert "changed" in await admin("client", "act", "verify", str(file), exit_code=1)
