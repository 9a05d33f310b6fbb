"""`ai-admin staff`: enrolled by a link that is shown once, listed, removed with everything."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from bot.companies import create_from_file
from db.staff import Staff
from house_installation import ELITA_BOT
from sandbox.telegram.state import User

# A test starts several processes of two to three seconds each.
pytestmark = pytest.mark.timeout(300)

OLGA, MARIA = User(id=11, first_name="Ольга"), User(id=12, first_name="Мария")


async def test_somebody_is_enrolled_listed_and_removed_by_the_command_line(core, clock, admin, vendors, database_url):
    company = await create_from_file(core.companies, name="Салон", slug="salon", file=None)
    asked = await admin("staff", "enrol", "salon", "--name", "Мария", "--role", "administrator")
    assert "/start staff-" in asked
    await admin("channel", "add", "salon", "telegram", stdin=f"{ELITA_BOT}\n")
    group = vendors.telegram.group("Смена", owner=OLGA)
    bot_id = int(ELITA_BOT.partition(":")[0])
    await group.add_bot(bot_id, administrator=True, can_restrict_members=True)
    await group.join(MARIA)
    snapshot = await core.companies.get_snapshot(company.id)
    branches = [replace(one, staff_chat=str(group.id)) for one in snapshot.branches]
    await core.companies.replace_company(snapshot.company, snapshot.agent, branches)

    made = json.loads(await admin("staff", "enrol", "salon", "--name", "Ольга", "--role", "owner", "--json"))
    assert made["links"] == [f"https://t.me/elita_bot?start=staff-{made['code']}"]
    async with core.database.company(company.id) as tx:
        await Staff().enrol(tx, made["code"], telegram_user_id=OLGA.id, now=clock())
        code = re.search(r"staff-(\S+)", asked)[1]
        await Staff().enrol(tx, code, telegram_user_id=MARIA.id, now=clock())
    listed = json.loads(await admin("staff", "list", "salon", "--json"))
    assert [(one["name"], one["role"], one["telegram_id"]) for one in listed] == [
        ("Мария", "administrator", MARIA.id),
        ("Ольга", "owner", OLGA.id),
    ]
    assert made["code"] not in json.dumps(listed)

    told = await admin("staff", "remove", "salon", str(MARIA.id))
    assert "Мария (administrator) is of the staff no more" in told
    assert f"put out of the group {group.id}" in told
    assert group.chat.standing(MARIA.id).status == "kicked"
    assert [one["name"] for one in json.loads(await admin("staff", "list", "salon", "--json"))] == ["Ольга"]
    assert "nobody of the staff is" in await admin("staff", "remove", "salon", "Мария", exit_code=1)
    assert "'west'" in await admin(
        "staff", "enrol", "salon", "--name", "x", "--role", "administrator", "--branch", "west", exit_code=1
    )
    await admin("staff", "enrol", "salon", "--name", "x", "--role", "king", exit_code=2)
