"""What admins and staff did: written with the change itself, only ever added to, every break of a chain found."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.companies import create_from_file
from db.audit import PLATFORM, SYSTEM, Action, Actor, AuditTrail, entry_hash
from db.companies import Companies
from db.errors import Conflict
from db.records import AgentSettings, BranchId, ChannelStatus, ChannelType, CompanyId, new_id
from db.upgrade import downgrade, head, upgrade


@pytest.fixture
async def owner(database_url):
    """Somebody with every right to the database."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture
async def salon(core):
    return await create_from_file(core.companies, name="Салон", slug="salon", file=None)


async def entries(core, company_id):
    async with core.database.company(company_id) as tx:
        return await core.audit.list_entries(tx)


async def verdict(core, company_id, anchors=None):
    async with core.database.company(company_id) as tx:
        return await core.audit.verify(tx, anchors=anchors)


async def record(core, company_id, *words):
    for word in words:
        async with core.database.company(company_id) as tx:
            await core.audit.record(tx, Action.CRM_HOOK, subject=word)


async def tamper(owner, statement):
    """Do what only somebody with the owner's rights can: switch the trigger off, and change what stands there."""
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))
        await connection.execute(text(statement))
        await connection.execute(text("ALTER TABLE audit_entries ENABLE TRIGGER USER"))


async def test_every_change_of_a_company_is_told_by_whom_when_and_what(core, clock, salon):
    admin = AuditTrail(clock, Actor("admin", "anna@office"))
    companies = Companies(core.database, core.keys, clock, audit=admin)
    branch = (await companies.get_snapshot(salon.id)).branches[0]

    await companies.set_agent(salon.id, AgentSettings(instructions="Коротко."))
    await companies.set_crm(salon.id, "yclients", options={"company_id": "7"}, secrets={"user_token": SecretStr("t")})
    await companies.make_crm_hook(salon.id, BranchId(branch.id))
    channel, _ = await companies.add_channel(
        salon.id, ChannelType.TELEGRAM, external_id="1", name="@bot", options={}, secrets={"token": SecretStr("t")}
    )
    await companies.rotate_token(channel)
    await companies.set_channel_status(salon.id, channel.id, ChannelStatus.DISABLED)
    await companies.set_disabled(salon.id, disabled=True)
    await companies.set_disabled(salon.id, disabled=False)
    await companies.replace_company(salon, AgentSettings(language="en"), [branch])

    created, *rest = await entries(core, salon.id)
    assert (created.actor, created.action, created.after["name"]) == (str(SYSTEM), "company.create", "Салон")
    assert {(one.actor, one.at) for one in rest} == {("admin anna@office", clock())}
    assert [(one.action, one.before, one.after) for one in rest] == [
        ("agent.set", {"agent.instructions": None}, {"agent.instructions": "Коротко."}),
        (
            "crm.set",
            {"type": None, "option.company_id": None, "secret.user_token": None},
            {"type": "yclients", "option.company_id": "7", "secret.user_token": "changed"},
        ),
        ("crm.hook", None, None),
        ("channel.add", None, {"type": "telegram", "name": "@bot", "external_id": "1", "secret.token": "set"}),
        ("channel.rotate", None, None),
        ("channel.disable", {"status": "active"}, {"status": "disabled"}),
        ("company.disable", {"disabled": False}, {"disabled": True}),
        ("company.enable", {"disabled": True}, {"disabled": False}),
        (
            "company.replace",
            {"agent.instructions": "Коротко.", "agent.language": "ru"},
            {"agent.instructions": None, "agent.language": "en"},
        ),
    ]
    assert rest[4].subject == f"channel {channel.id}"
    assert (await verdict(core, salon.id)).fault is None


async def test_secrets_are_named_and_nothing_of_them_is_kept(core, salon, owner):
    for secret in ("canary-one", "canary-two", "canary-two"):
        await core.companies.set_crm(
            salon.id, "yclients", options={}, secrets={"user_token": SecretStr(secret), "partner_token": SecretStr("p")}
        )
    _, token = await core.companies.add_channel(
        salon.id, ChannelType.API, external_id="x", name="api", options={}, secrets={"key": SecretStr("canary-three")}
    )

    told = [one.after for one in await entries(core, salon.id) if one.action == "crm.set"]
    async with owner.connect() as connection:
        rows = (await connection.execute(text("SELECT a::text FROM audit_entries a"))).scalars().all()
    assert told == [
        {"type": "yclients", "secret.user_token": "changed", "secret.partner_token": "changed"},
        {"secret.user_token": "changed"},
        {},
    ]
    assert not [row for row in rows if "canary" in row or token in row]


async def test_a_change_without_its_entry_is_no_change_and_no_change_has_no_entry(core, clock, salon):
    class Full(AuditTrail):
        async def record(self, *_, **__):
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        await Companies(core.database, core.keys, clock, audit=Full(clock)).set_disabled(salon.id, disabled=True)
    with pytest.raises(Conflict):
        await create_from_file(core.companies, name="Салон", slug="salon", file=None)

    assert [one.disabled for one in await core.companies.list_companies()] == [False]
    assert [one.action for one in await entries(core, salon.id)] == ["company.create"]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entries SET actor = 'nobody'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"],
)
async def test_nobody_changes_what_stands_there_neither_we_nor_the_owner(core, salon, owner, statement):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with core.database.company(salon.id) as tx:
            await tx.connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="only ever added to"):
        async with owner.begin() as connection:
            await connection.execute(text(statement))

    assert len(await entries(core, salon.id)) == 1


@pytest.mark.parametrize(
    ("statement", "broken_at", "says"),
    [
        ("UPDATE audit_entries SET actor = 'admin somebody@else' WHERE number = 3", 3, "altered"),
        ("UPDATE audit_entries SET at = at - interval '1 microsecond' WHERE number = 2", 2, "altered"),
        ("""UPDATE audit_entries SET after = '{"a": 1}' WHERE number = 5""", 5, "altered"),
        ("UPDATE audit_entries SET hash = sha256('x') WHERE number = 2", 2, "altered"),
        ("UPDATE audit_entries SET previous = sha256('x') WHERE number = 4", 4, "does not follow"),
        ("DELETE FROM audit_entries WHERE number = 3", 3, "missing"),
        ("DELETE FROM audit_entries WHERE number = 1", 1, "missing"),
        (
            "UPDATE audit_entries SET number = CASE number WHEN 3 THEN 40 WHEN 4 THEN 3 ELSE number END"
            " WHERE number IN (3, 4)",
            3,
            "does not follow",
        ),
        (
            "INSERT INTO audit_entries SELECT company_id, 7, at, actor, action, subject, before, after, hash, hash"
            " FROM audit_entries WHERE number = 6",
            7,
            "altered",
        ),
    ],
)
async def test_the_first_broken_link_is_named(core, salon, owner, statement, broken_at, says):
    await record(core, salon.id, "two", "three", "four", "five", "six")

    await tamper(owner, statement)
    found = await verdict(core, salon.id)

    assert (found.broken_at, found.entries) == (broken_at, broken_at - 1)
    assert says in found.fault


async def test_a_chain_that_was_cut_off_or_written_anew_is_found_by_a_head_that_was_noted_down(core, salon, owner):
    await record(core, salon.id, "two", "three")
    noted = await verdict(core, salon.id)
    anchors = {noted.entries: noted.head}
    await record(core, salon.id, "four")
    assert (await verdict(core, salon.id, anchors)).fault is None

    await tamper(owner, "DELETE FROM audit_entries WHERE number > 2")
    assert (await verdict(core, salon.id)).fault is None
    cut = await verdict(core, salon.id, anchors)
    await record(core, salon.id, "another three")
    anew = await verdict(core, salon.id, anchors)

    assert (cut.broken_at, anew.broken_at) == (3, 3)
    assert "cut off" in cut.fault
    assert "written anew" in anew.fault


async def test_writers_of_one_chain_take_turns_and_chains_do_not_wait_for_each_other(core, make_channel):
    one, two = await make_channel("one"), await make_channel("two")

    async with core.database.company(two.company_id) as held:
        await core.audit.record(held, Action.CRM_HOOK, subject="held")
        async with asyncio.timeout(20):
            await asyncio.gather(*(record(core, one.company_id, f"{number}") for number in range(40)))

    found = await verdict(core, one.company_id)
    assert (found.fault, found.entries) == (None, 42)
    assert {entry.subject for entry in await entries(core, one.company_id)} >= {f"{number}" for number in range(40)}


async def test_a_companys_chain_is_its_own_and_the_platforms_is_nobodys(core, salon):
    other = await create_from_file(core.companies, name="Другой", slug="other", file=None)
    async with core.database.company(PLATFORM) as tx:
        await core.audit.record(tx, Action.KEYS_ROTATE, subject="every company")

    for company_id, name in ((salon.id, "salon"), (other.id, "other")):
        assert [one.subject for one in await entries(core, company_id)] == [name]
    assert (await entries(core, PLATFORM))[-1].subject == "every company"
    with pytest.raises(DBAPIError, match="row-level security"):
        async with core.database.company(salon.id) as tx:
            await tx.connection.execute(
                text(
                    "INSERT INTO audit_entries (company_id, number, at, actor, action, subject, previous, hash)"
                    " VALUES (:other, 9, now(), 'a', 'b', 'c', '', '')"
                ),
                {"other": other.id},
            )


async def test_whatever_is_told_reads_back_as_it_was_hashed_and_what_is_long_is_told_by_its_digest(core, salon):
    odd = {"nul": "a\x00b", "half": "\ud83d", "float": 1.10, "price": Decimal("1.50"), "big": 2**70, "list": [None, {}]}
    async with core.database.company(salon.id) as tx:
        await core.audit.record(tx, Action.AGENT_SET, subject="\x00" * 3, before=odd, after={"text": "я" * 5000})

    told = (await entries(core, salon.id))[-1]
    assert (await verdict(core, salon.id)).fault is None
    assert told.before == {"nul": "a�b", "half": "�", "float": "1.1", "price": "1.50", "big": 2**70, "list": [None, {}]}
    assert told.after["text"].keys() == {"sha256", "length"}


async def test_staff_are_told_by_their_messengers_id_and_a_clients_data_by_counts_alone(core, salon):
    client = new_id()
    async with core.database.company(salon.id) as tx:
        staff = Actor.staff("telegram", 555000)
        await core.audit.record(tx, Action.DIALOGUE_TAKE_OVER, subject="dialogue 1", actor=staff)
        await core.audit.record_client(tx, Action.CLIENT_ERASE, client=client, counts={"messages": 7})

    taken, erased = (await entries(core, salon.id))[-2:]
    assert (taken.actor, taken.action) == ("staff telegram:555000", "dialogue.take_over")
    assert (erased.subject, erased.after) == (f"client {client}", {"messages": 7})


def test_the_hash_of_an_entry_is_this_one():
    """A change of how entries are written out would break every chain there is."""
    values = {
        "company_id": CompanyId(UUID(int=1)),
        "number": 1,
        "at": datetime(2026, 11, 24, 9, 0, tzinfo=UTC),
        "actor": "admin анна@office",
        "action": "crm.set",
        "subject": "salon",
        "before": None,
        "after": {"b": 1, "a": ["я", True]},
    }
    canonical = (
        '{"action":"crm.set","actor":"admin анна@office","after":{"a":["я",true],"b":1},'
        '"at":"2026-11-24T09:00:00.000000+00:00","before":null,'
        '"company_id":"00000000-0000-0000-0000-000000000001","number":1,"subject":"salon"}'
    )
    assert entry_hash(bytes(32), values) == hashlib.sha256(bytes(32) + canonical.encode()).digest()


async def test_a_change_of_the_schema_is_told_in_the_platforms_chain(core, clock, database_url):
    await downgrade(database_url, "0008")
    audit = AuditTrail(clock, Actor("admin", "anna@office"))

    await upgrade(database_url, audit=audit)
    await upgrade(database_url, audit=audit)

    [told] = await entries(core, PLATFORM)
    assert (told.actor, told.before, told.after) == ("admin anna@office", {"at": "0008"}, {"at": head()})
