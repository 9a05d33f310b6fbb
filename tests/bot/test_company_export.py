"""`company export` writes what `company import` reads, to the byte, through the database and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.channels.api import add_api
from bot.companies import create_from_file, file_of, replace_from_file
from bot.company_file import parse_company_file
from bot.company_writing import write_company_file
from db.records import ChannelType

HERE = Path(__file__).parent
FILES = {
    "elita": HERE.parents[1] / "examples" / "elita.yaml",
    "everything": HERE / "fixtures" / "company_file__everything.yaml",
}


async def exported(core, company_id):
    return write_company_file(file_of(await core.companies.get_snapshot(company_id)))


async def imported(core, text):
    return (await replace_from_file(core.companies, parse_company_file(text))).id


@pytest.mark.parametrize("name", FILES)
async def test_what_was_imported_is_exported_to_the_byte(core, name):
    text = FILES[name].read_text(encoding="utf-8")

    company_id = await imported(core, text)

    assert await exported(core, company_id) == text
    assert await exported(core, await imported(core, text)) == text


@pytest.mark.parametrize(
    "words",
    [
        "null",
        "007",
        "2026-12-31",
        "yes: no",
        "- a",
        "# not a comment",
        'it\'s "so"',
        "one\ntwo\n\n  three  \nfour",
        "x" * 3000 + " " + "y" * 900,
        "next\x85line, \u2028separator, \ttab, \x07bell",
    ],
)
async def test_a_companys_words_come_back_whatever_they_look_like(core, words):
    text = "name: A\nslug: a\n"
    company_id = await imported(core, text)
    agent = _with_words(parse_company_file(text).agent, words)
    await core.companies.set_agent(company_id, agent)

    first = await exported(core, company_id)
    again = await core.companies.get_snapshot(await imported(core, first))

    assert again.agent == agent
    assert await exported(core, company_id) == first


def _with_words(agent, words):
    return replace(agent, description=words, policies={words[:200].strip(): words})


@pytest.mark.parametrize("seconds", ["0", "2", "0.1", "1.5", "29.999", "30"])
async def test_quiet_seconds_come_back_as_they_were_written(core, seconds):
    company_id = await imported(core, f"name: A\nslug: a\nquiet_seconds: {seconds}\n")

    assert f"\nquiet_seconds: {seconds}\n" in await exported(core, company_id)


async def test_the_terminals_own_channel_is_no_part_of_the_file_and_an_added_one_is(core):
    """`ai-admin chat` makes itself a channel; what `channel add` adds, the company is meant to have."""
    company = await create_from_file(core.companies, name="A", slug=None, file=None)
    await core.companies.add_channel(
        company.id, ChannelType.API, external_id="terminal", name="terminal", options={}, secrets={}
    )
    assert "channels" not in await exported(core, company.id)

    for _ in range(2):
        await add_api(core, company.id)

    assert (await exported(core, company.id)).endswith("\nchannels:\n  - api\n")


async def test_an_import_leaves_secrets_and_the_plans_limits_alone(core):
    text = FILES["everything"].read_text(encoding="utf-8")
    company_id = await imported(core, text)
    secrets = {"partner_token": SecretStr("p"), "user_token": SecretStr("u")}
    await core.companies.set_crm(company_id, "yclients", options={"flavour": "altegio"}, secrets=secrets)
    async with core.database.company(company_id) as tx:
        await tx.connection.exec_driver_sql("UPDATE companies SET plan_limits = '{\"turns\": 5}'")

    await imported(core, text)
    snapshot = await core.companies.get_snapshot(company_id)

    assert core.companies.crm_secrets(company_id, snapshot.crm) == secrets
    assert snapshot.company.plan_limits == {"turns": 5}
    assert await exported(core, company_id) == text
