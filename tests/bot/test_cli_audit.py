"""The command line's changes are all written down: each command either changes nothing or names what it writes."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import io
import json
import logging
import os
import socket
import sys
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
import structlog
import typer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.admins import admin_of
from bot.cli import app, main
from bot.companies import create_from_file
from bot.terminal import terminal_channel
from db.audit import Action
from db.crypto import new_master_key
from db.dialogues import Dialogues
from db.records import Accepted, ChannelType, WorkKind, dialogue_id_of
from db.staff import Staff
from db.upgrade import downgrade
from sandbox.citus import STATEMENTS
from sandbox.vault import VaultSandbox

ELITA = Path(__file__).parents[2] / "examples" / "elita.yaml"

READS = {
    *("doctor", "db check", "eval", "dialogues", "dialogue show", "calls", "stats", "dead list"),
    *("company list", "company show", "company export", "agent show", "channel list", "channel check"),
    *("crm check", "crm mapping", "staff list", "keys new", "keys wrap", "keys status", "audit list", "audit verify"),
    "client act verify",
}
"""Commands that change nothing that is kept."""

RUNS = {"demo", "serve", "gateway", "worker"}
"""Processes: what they set up by themselves is written down as `system`."""

TALKS = {"chat": Action.CHANNEL_ADD, "call": Action.CHANNEL_ADD}
"""Talking as a client; the terminal's channel is made at the first time (below, through the function they share)."""

CHANGES = {
    "db upgrade": Action.SCHEMA_UPGRADE,
    "db distribute": Action.SCHEMA_DISTRIBUTE,
    "company create": Action.COMPANY_CREATE,
    "company import": Action.COMPANY_REPLACE,
    "company disable": Action.COMPANY_DISABLE,
    "company enable": Action.COMPANY_ENABLE,
    "company logs": Action.COMPANY_LOGS,
    "agent set": Action.AGENT_SET,
    "crm set": Action.CRM_SET,
    "crm hook": Action.CRM_HOOK,
    "channel add": Action.CHANNEL_ADD,
    "channel rotate": Action.CHANNEL_ROTATE,
    "channel renew": Action.CHANNEL_RENEW,
    "channel template": Action.CHANNEL_TEMPLATE,
    "channel disable": Action.CHANNEL_DISABLE,
    "dead retry": Action.DEAD_RETRY,
    "dead drop": Action.DEAD_DROP,
    "client export": Action.CLIENT_EXPORT,
    "client erase": Action.CLIENT_ERASE,
    "staff enrol": Action.STAFF_INVITE,
    "staff link": Action.CONSOLE_LINK,
    "staff remove": Action.STAFF_REMOVE,
    "keys rotate": Action.KEYS_ROTATE,
}
"""Commands that change something, and what each writes down."""


@pytest.fixture
async def admin(settings, tmp_path, monkeypatch):
    """Type a command in this process, two dozen others would take minutes; in a thread, as it runs its own loop."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    kept_handlers, kept_level, kept = logging.root.handlers, logging.root.level, structlog.get_config()
    own = {
        "AI_ADMIN_DATABASE_URL": settings.database_url,
        "AI_ADMIN_REDIS_URL": settings.redis_url,
        "AI_ADMIN_DATA_DIR": str(tmp_path / "data"),
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }

    def type_in(words, stdin, environment):
        sys.argv = ["ai-admin", *words]
        said = io.StringIO()
        with (
            mock.patch.dict(os.environ, environment),
            mock.patch.object(sys, "stdin", io.StringIO(stdin)),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            try:
                main()
            except SystemExit as left:
                return left.code or 0, said.getvalue()
            return 0, said.getvalue()

    async def run(*words, stdin="", exit_code=0, **more):
        code, said = await asyncio.to_thread(type_in, words, stdin, {**own, **more})
        assert code == exit_code, said
        return said

    yield run
    logging.root.handlers, logging.root.level = kept_handlers, kept_level
    structlog.configure(**kept)


def commands():
    """Every command there is, as it is typed."""
    found = set()

    def walk(command, name):
        inner = getattr(command, "commands", None)
        if inner is None:
            found.add(name)
        for word, one in (inner or {}).items():
            walk(one, f"{name} {word}".strip())

    walk(typer.main.get_command(app), "")
    return found


def test_every_command_is_known_as_one_that_changes_something_or_does_not():
    lists = [READS, RUNS, set(TALKS), set(CHANGES)]

    assert commands() == set().union(*lists), (
        "a new command: does it change something? Then write it down (db/audit.py)"
    )
    assert sum(len(one) for one in lists) == len(commands())


async def two_dead_updates(core, company_id):
    channel, _ = await core.companies.add_channel(
        company_id, ChannelType.TELEGRAM, external_id="9", name="@dead_bot", options={}, secrets={}
    )
    found = []
    for number in ("1", "2"):
        key = f"{number}:{number}:"
        await core.intake.accept(
            channel, [Accepted(update_key=number, dialogue_key=key, payload=b"{}")], quiet=timedelta(0)
        )
        [claim] = await core.work.claim("test", limit=1, ttl=timedelta(seconds=12), kind=WorkKind.TURN)
        async with core.database.company(company_id) as tx:
            [stored] = await core.inbox.list_waiting(tx, dialogue_id_of(channel.id, key), limit=1)
            await core.inbox.bury(tx, stored.id, "no")
            await core.work.done(tx, claim)
        found.append(str(stored.id))
    return found


async def one_dialogue(core, company_id):
    [channel] = [one for one in await core.companies.list_channels(company_id) if one.name == "@dead_bot"]
    dialogue_id = dialogue_id_of(channel.id, "7:7:")
    async with core.database.company(company_id) as tx:
        await Dialogues().open_dialogue(
            tx, channel_id=channel.id, dialogue_id=dialogue_id, key="7:7:", now=core.clock()
        )
    return dialogue_id


async def test_every_command_that_changes_something_writes_down_who_did_what(core, admin, database_url, tmp_path):
    new_key, old_key = new_master_key(), new_master_key()
    by_anna = {"AI_ADMIN_ACTOR": "anna", "AI_ADMIN_MASTER_KEYS": old_key}

    async def run(*words, **more):
        return await admin(*words, **{**by_anna, **more})

    await downgrade(database_url, "0008")
    await run("db", "upgrade")
    await run("company", "create", "Элита", "--slug", "elita")
    await run("company", "import", str(ELITA))
    await run("company", "disable", "elita")
    await run("company", "enable", "elita")
    await run("company", "logs", "elita", "debug", "--minutes", "5")
    await run("agent", "set", "elita", "--from", str(ELITA))
    secrets = "canary-partner\ncanary-user\n"
    await run("crm", "set", "elita", "yclients", "-o", "company_id=4564", "--no-check", stdin=secrets)
    await run("crm", "hook", "elita", AI_ADMIN_PUBLIC_URL="https://admin.example.com")
    added = json.loads(await run("channel", "add", "elita", "api", "--json"))
    await run("channel", "rotate", added["id"])
    async with core.database.company(await core.companies.get_company_id("elita")) as tx:
        # A number cannot be added here: nobody answers for Meta.
        await tx.connection.execute(text("UPDATE company_channels SET type = 'whatsapp'"))
    await run("channel", "template", added["id"], "reminder", "visit_reminder")
    async with core.database.company(await core.companies.get_company_id("elita")) as tx:
        await tx.connection.execute(text("UPDATE company_channels SET type = 'api'"))
    await run("channel", "disable", added["id"])
    number = await run("channel", "add", "elita", "voice", "--number", "+74951234567", "--json", stdin="canary-old\n")
    await run("channel", "renew", json.loads(number)["id"], stdin="canary-new\n")
    company_id = await core.companies.get_company_id("elita")
    retried, dropped = await two_dead_updates(core, company_id)
    await run("dead", "retry", retried)
    await run("dead", "drop", dropped)
    client = await one_dialogue(core, company_id)
    await run("client", "export", "elita", str(client))
    await run("client", "erase", "elita", str(client), "--yes")
    await run("staff", "enrol", "elita", "--name", "Мария", "--role", "administrator")
    await run("staff", "remove", "elita", "мария")
    invited = json.loads(await run("staff", "enrol", "elita", "--name", "Ольга", "--role", "owner", "--json"))
    async with core.database.company(company_id) as tx:
        await Staff().enrol(tx, invited["code"], telegram_user_id=7, now=core.clock())
    await run("staff", "link", "elita", "Ольга")
    # The channel of the dead updates was sealed by the key of this very process, which theirs do not know.
    async with core.database.company(company_id) as tx:
        await tx.connection.execute(text("DELETE FROM company_channels WHERE name = '@dead_bot'"))
    await run("keys", "rotate", AI_ADMIN_MASTER_KEYS=f"{new_key},{old_key}")

    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in STATEMENTS:
            await connection.exec_driver_sql(statement)
    await engine.dispose()
    assert "create_distributed_table" in await run("db", "distribute")

    told = json.loads(await run("audit", "list", "--json"))
    mine = [one for one in told if one["actor"].startswith("admin anna (")]
    assert {one["action"] for one in mine} == {action.value for action in CHANGES.values()}
    assert {one["actor"] for one in mine} == {f"admin anna ({getpass.getuser()}@{socket.gethostname()})"}
    assert {one["chain"] for one in mine if one["action"] == "schema.upgrade"} == {"platform"}
    [crm] = [one for one in mine if one["action"] == "crm.set" and one["after"].get("secret.user_token")]
    assert crm["after"] == {
        "option.company_id": "4564",
        "secret.user_token": "changed",
        "secret.partner_token": "changed",
        **{name: value for name, value in crm["after"].items() if name.startswith("option.")},
    }
    assert "canary" not in json.dumps(told)
    assert "every chain is whole" in await run("audit", "verify")


async def test_the_terminals_own_channel_is_written_down_too(core):
    made = await create_from_file(core.companies, name="Салон", slug="salon", file=None)
    for _ in range(2):
        await terminal_channel(core, made.id, ChannelType.API)

    async with core.database.company(made.id) as tx:
        assert [one.action for one in await core.audit.list_entries(tx)] == ["company.create", "channel.add"]


def test_a_name_that_is_given_does_not_hide_who_it_was(settings):
    here = admin_of(settings).name

    assert here == f"{getpass.getuser()}@{socket.gethostname()}"
    assert admin_of(settings.model_copy(update={"actor": "anna"})).name == f"anna ({here})"


async def test_entries_are_listed_by_company_and_date_and_broken_links_are_named(
    core, clock, admin, database_url, tmp_path
):
    one = await create_from_file(core.companies, name="one", slug="one", file=None)
    await create_from_file(core.companies, name="two", slug="two", file=None)
    clock.advance(timedelta(days=2))
    await core.companies.set_disabled(one.id, disabled=True)

    listed = json.loads(await admin("audit", "list", "one", "--json"))
    later = json.loads(await admin("audit", "list", "--since", "2026-11-26", "--json"))
    noted = await admin("audit", "verify", "--json")
    (tmp_path / "noted.json").write_text(noted)
    assert [(row["action"], row["number"]) for row in listed] == [("company.create", 1), ("company.disable", 2)]
    assert [(row["chain"], row["action"], row["before"], row["after"]) for row in later] == [
        ("one", "company.disable", {"disabled": False}, {"disabled": True})
    ]
    assert {row["chain"]: row["entries"] for row in json.loads(noted)}.items() >= {"one": 2, "two": 1}.items()
    assert "every chain is whole" in await admin("audit", "verify", "--anchors", "noted.json")

    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.begin() as owner:
        await owner.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        await owner.execute(text("DELETE FROM audit_entries WHERE action = 'company.disable'"))
        await owner.execute(text("UPDATE audit_entries SET actor = 'nobody' WHERE subject = 'two'"))
    await engine.dispose()

    said = await admin("audit", "verify", exit_code=1)
    assert "two: entry 1 was altered" in said
    assert "one:" not in said
    assert "one: the chain ends before entry 2" in await admin(
        "audit", "verify", "--anchors", "noted.json", exit_code=1
    )
    assert "is not a date" in await admin("audit", "list", "--since", "yesterday", exit_code=2)
    assert "is not what" in await admin("audit", "verify", "--anchors", str(ELITA), exit_code=1)


async def test_keys_are_changed_by_the_command_line_step_by_step(admin):
    old, new = new_master_key(), new_master_key()
    old_id, new_id = old.split(":")[0], new.split(":")[0]
    await admin("company", "create", "Салон", "--slug", "salon", AI_ADMIN_MASTER_KEYS=old)
    await admin("channel", "add", "salon", "api", AI_ADMIN_MASTER_KEYS=old)

    ring = f"{new},{old}"
    before = json.loads(await admin("keys", "status", "--json", AI_ADMIN_MASTER_KEYS=ring))
    said = await admin("keys", "rotate", AI_ADMIN_MASTER_KEYS=ring)
    after = json.loads(await admin("keys", "status", "--json", AI_ADMIN_MASTER_KEYS=ring))
    lost = await admin("keys", "status", exit_code=1, AI_ADMIN_MASTER_KEYS=old)

    row = {"column": "company_channels.secrets", "rows": 1, "in_ring": True}
    assert before == {
        "first": new_id,
        "ring": [new_id, old_id],
        "rows": [{"key": old_id, **row}],
        "removable": [],
        "missing": [],
    }
    assert after == {
        "first": new_id,
        "ring": [new_id, old_id],
        "rows": [{"key": new_id, **row}],
        "removable": [old_id],
        "missing": [],
    }
    assert f"{old_id} is needed by no row: it may be removed" in said
    assert f"{new_id}: 1 rows are under it, and it is not there" in lost
    assert "did not open" in await admin("keys", "rotate", exit_code=1, AI_ADMIN_MASTER_KEYS=new_master_key())


async def test_a_ring_is_moved_into_a_vault_by_the_command_line(admin):
    vault = VaultSandbox()
    vault.add_key("ai-admin")
    await vault.start()
    plain = new_master_key()
    settings = {"AI_ADMIN_VAULT_URL": vault.url, "AI_ADMIN_VAULT_TOKEN": vault.token}
    try:
        await admin("company", "create", "Салон", "--slug", "salon", AI_ADMIN_MASTER_KEYS=plain)
        await admin("channel", "add", "salon", "api", AI_ADMIN_MASTER_KEYS=plain)
        wrapped = (await admin("keys", "wrap", AI_ADMIN_MASTER_KEYS=plain, **settings)).strip()
        vault.rotate_key("ai-admin")
        newer = (await admin("keys", "wrap", AI_ADMIN_MASTER_KEYS=wrapped, **settings)).strip()
        made = (await admin("keys", "new", "--wrapped", **settings)).strip()
        ring = f"{made},{newer}"
        rotated = json.loads(await admin("keys", "rotate", "--json", AI_ADMIN_MASTER_KEYS=ring, **settings))
        refused = await admin(
            "company",
            "list",
            exit_code=1,
            AI_ADMIN_MASTER_KEYS=ring,
            **{**settings, "AI_ADMIN_VAULT_TOKEN": "hvs.canary"},
        )
    finally:
        await vault.stop()

    assert wrapped.startswith(f"{plain.split(':')[0]}:vault:v1:")
    assert newer.startswith(f"{plain.split(':')[0]}:vault:v2:")
    assert (rotated["first"], rotated["changed"], rotated["faults"]) == (made.split(":")[0], 1, [])
    assert "403" in refused
    assert "canary" not in refused
