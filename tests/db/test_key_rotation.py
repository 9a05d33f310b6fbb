"""A change of keys: every ciphertext there is, beside writers, broken off and taken up again, nothing silently lost."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

import db.models  # noqa: F401 (every table is in the metadata once it is loaded)
from bot.companies import create_from_file
from db.audit import PLATFORM
from db.columns import metadata
from db.companies import Companies
from db.crypto import CHANNEL_SECRETS, CIPHERTEXTS, CRM_SECRETS, KeyRing, new_master_key
from db.directory import Directory
from db.engine import Database
from db.errors import DecryptionFailed, SecretError, UnknownKey
from db.key_rotation import KeyRotation
from db.records import ChannelType, CompanyId, new_id
from db.signing import SigningKeys
from db.upgrade import runtime_url

OLD, NEW = new_master_key(), new_master_key()
OLD_ID, NEW_ID = OLD.split(":")[0], NEW.split(":")[0]
BEFORE, BOTH, AFTER = KeyRing.parse(OLD), KeyRing.parse(f"{NEW},{OLD}"), KeyRing.parse(NEW)


@pytest.fixture
async def owner(database_url):
    engine = create_async_engine(database_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture
async def companies(core, clock):
    """Three companies whose CRM and two channels have secrets under the old key; their ids."""
    return await fill(Companies(core.database, BEFORE, clock))


async def fill(stores):
    made = []
    for slug in ("a", "b", "c"):
        company = await create_from_file(stores, name=slug, slug=slug, file=None)
        await stores.set_crm(company.id, "yclients", options={}, secrets={"user_token": SecretStr(f"crm of {slug}")})
        for number in ("1", "2"):
            secrets = {"token": SecretStr(f"channel {number} of {slug}")}
            await stores.add_channel(
                company.id, ChannelType.TELEGRAM, external_id=number, name=number, options={}, secrets=secrets
            )
        made.append(company.id)
    return made


async def nobody(_):
    """The other processes: there are none."""


def rotation(core, keys=BOTH, tell=nobody, **more):
    return KeyRotation(core.database, keys, core.audit, tell, **more)


async def opened(core, clock, company_id, keys):
    """Everything secret of a company, as a process with these keys reads it."""
    stores = Companies(core.database, keys, clock)
    crm = (await stores.get_snapshot(company_id)).crm
    secrets = [stores.crm_secrets(company_id, crm)]
    secrets += [stores.channel_secrets(channel) for channel in await stores.list_channels(company_id)]
    return [value.get_secret_value() for one in secrets for value in one.values()]


def expected(slug):
    return [f"crm of {slug}", f"channel 1 of {slug}", f"channel 2 of {slug}"]


async def test_the_list_of_ciphertexts_is_the_schemas_and_the_models(core, owner, companies):
    async with core.database.company(companies[0]) as tx:
        await SigningKeys(BEFORE).sign(tx, b"an act")
    async with owner.connect() as connection:
        marked = await connection.execute(
            text(
                "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                " WHERE col_description(c.oid, a.attnum) = 'ciphertext' AND NOT a.attisdropped"
            )
        )
        assert {name for (name,) in marked} == set(CIPHERTEXTS)
        holding = set()
        for table in metadata.sorted_tables:
            for column in table.columns:
                found = f'SELECT EXISTS (SELECT FROM {table.name} WHERE "{column.name}"::text LIKE :look)'
                if await connection.scalar(text(found), {"look": f"%v1.{OLD_ID}.%"}):
                    holding.add(f"{table.name}.{column.name}")

    assert holding == set(CIPHERTEXTS)
    in_models = {f"{t.name}.{c.name}" for t in metadata.sorted_tables for c in t.columns if c.comment == "ciphertext"}
    assert in_models == set(CIPHERTEXTS)


def test_nothing_is_sealed_for_a_column_that_a_change_of_keys_would_not_find():
    with pytest.raises(SecretError, match="not in the list"):
        BEFORE.seal(SecretStr("x"), company_id=CompanyId(new_id()), column="branches.name")


async def test_every_secret_comes_under_the_first_key_and_the_old_one_may_go(core, clock, companies):
    before = await rotation(core).status()
    done = await rotation(core, rows_a_step=1).rotate()
    after = await rotation(core).status()

    assert before.rows == {(OLD_ID, CRM_SECRETS): 3, (OLD_ID, CHANNEL_SECRETS): 6}
    assert (before.current, before.removable, before.missing) == (NEW_ID, (), ())
    assert (done.changed, done.faults) == (9, [])
    assert after.rows == {(NEW_ID, CRM_SECRETS): 3, (NEW_ID, CHANNEL_SECRETS): 6}
    assert (after.removable, after.missing) == ((OLD_ID,), ())
    for company_id, slug in zip(companies, "abc", strict=True):
        assert await opened(core, clock, company_id, AFTER) == expected(slug)
        with pytest.raises(UnknownKey):
            await opened(core, clock, company_id, BEFORE)


async def test_status_names_a_key_that_rows_need_and_the_ring_has_lost(core, companies):
    status = await rotation(core, AFTER).status()

    assert (status.missing, status.removable) == ((OLD_ID,), ())


class BrokenOff(Exception):
    pass


@pytest.mark.parametrize("step", range(1, 10))
async def test_it_may_be_broken_off_after_any_step_and_begun_again(core, clock, companies, step):
    steps = 0

    async def break_off(_):
        nonlocal steps
        steps += 1
        if steps == step:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        await rotation(core, rows_a_step=1).rotate(break_off)
    for company_id, slug in zip(companies, "abc", strict=True):
        assert await opened(core, clock, company_id, BOTH) == expected(slug)
    first = sum(rows for (key_id, _), rows in (await rotation(core).status()).rows.items() if key_id == NEW_ID)
    done = await rotation(core).rotate()

    assert first + done.changed == 9
    assert (await rotation(core).status()).removable == (OLD_ID,)
    for company_id, slug in zip(companies, "abc", strict=True):
        assert await opened(core, clock, company_id, AFTER) == expected(slug)


async def test_a_step_that_is_killed_before_its_commit_changes_nothing(core, clock, companies):
    """The entry in the audit is the last thing before the commit."""

    class Killed(type(core.audit)):
        async def record(self, tx, *arguments, **more):
            if tx.company_id != PLATFORM:
                raise BrokenOff

    with pytest.raises(BrokenOff):
        await KeyRotation(core.database, BOTH, Killed(clock), nobody).rotate()

    assert (await rotation(core).status()).rows == {(OLD_ID, CRM_SECRETS): 3, (OLD_ID, CHANNEL_SECRETS): 6}


async def test_a_writer_that_comes_between_reading_and_writing_has_the_last_word(core, clock, companies, database_url):
    async def write():
        database = Database(runtime_url(database_url))
        try:
            await Companies(database, BEFORE, clock).set_crm(
                companies[1], "yclients", options={}, secrets={"user_token": SecretStr("newer")}
            )
        finally:
            await database.close()

    class Overtaken(KeyRing):
        """Somebody who still has the old ring writes just after the row was read."""

        met = 0

        def reseal(self, ciphertext, *, company_id, column):
            sealed = super().reseal(ciphertext, company_id=company_id, column=column)
            if (company_id, column, self.met) == (companies[1], CRM_SECRETS, 0):
                self.met += 1
                with ThreadPoolExecutor() as elsewhere:
                    elsewhere.submit(asyncio.run, write()).result()
            return sealed

    done = await rotation(core, Overtaken.parse(f"{NEW},{OLD}")).rotate()

    assert (done.changed, done.overtaken) == (9, 1)
    assert await opened(core, clock, companies[1], AFTER) == ["newer", *expected("b")[1:]]
    assert (await rotation(core).status()).removable == (OLD_ID,)


async def test_two_runs_at_once_do_the_work_of_one(core, clock, companies):
    one, two = await asyncio.gather(rotation(core, rows_a_step=1).rotate(), rotation(core, rows_a_step=1).rotate())

    assert one.changed + two.changed == 9
    for company_id, slug in zip(companies, "abc", strict=True):
        assert await opened(core, clock, company_id, AFTER) == expected(slug)


async def test_a_moved_and_an_altered_ciphertext_fail_loudly_and_stay_for_a_person(core, clock, companies, owner):
    moved, altered, whole = companies
    async with owner.begin() as connection:
        await connection.execute(
            text(
                "UPDATE company_crm_settings SET secrets ="
                " (SELECT secrets FROM company_crm_settings WHERE company_id = :b) WHERE company_id = :a"
            ),
            {"a": moved, "b": whole},
        )
        await connection.execute(
            text("UPDATE company_channels SET secrets = left(secrets, -8) || 'AAAAAAAA' WHERE company_id = :a"),
            {"a": altered},
        )
        stood = (await connection.execute(text("SELECT secrets FROM company_channels ORDER BY id"))).scalars().all()

    done = await rotation(core, rows_a_step=1).rotate()

    assert done.changed == 6
    assert len(done.faults) == 3
    assert sum(f"company {moved}, row -: {CRM_SECRETS}: altered, or not" in fault for fault in done.faults) == 1
    assert sum(f"company {altered}, row " in fault for fault in done.faults) == 2
    with pytest.raises(DecryptionFailed):
        await opened(core, clock, moved, BOTH)
    assert (await rotation(core).status()).removable == ()
    async with owner.connect() as connection:
        kept = (await connection.execute(text("SELECT secrets FROM company_channels ORDER BY id"))).scalars().all()
    assert set(stood) & set(kept) == {one for one in stood if one.endswith("AAAAAAAA")}


async def test_processes_that_keep_a_company_are_told_to_read_it_again(core, clock, companies):
    directory = Directory(core.database, ttl=timedelta(days=1), max_size=10, clock=clock)
    for company_id in companies:
        await directory.get_snapshot(company_id)
        await directory.list_channels(company_id)

    async def tell(company_id):
        directory.forget(company_id)

    await rotation(core, tell=tell).rotate()

    stores = Companies(core.database, AFTER, clock)
    for company_id in companies:
        crm = (await directory.get_snapshot(company_id)).crm
        assert stores.crm_secrets(company_id, crm)
        assert all(stores.channel_secrets(one) for one in await directory.list_channels(company_id))


async def test_what_was_changed_is_written_down_company_by_company(core, companies):
    await rotation(core).rotate()
    await rotation(core).rotate()

    async with core.database.company(companies[0]) as tx:
        told = [one for one in await core.audit.list_entries(tx) if one.action == "keys.rotate"]
    assert [(one.subject, one.after) for one in told] == [
        (CHANNEL_SECRETS, {"key": NEW_ID, "rows": 2}),
        (CRM_SECRETS, {"key": NEW_ID, "rows": 1}),
    ]
    async with core.database.company(PLATFORM) as tx:
        runs = [one for one in await core.audit.list_entries(tx) if one.action == "keys.rotate"]
    assert [(one.subject, one.after) for one in runs] == [("every company", {"key": NEW_ID})] * 2
