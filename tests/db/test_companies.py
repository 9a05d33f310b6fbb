"""Companies, their settings and channels; the directory that turns a webhook token into a company."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

import db.directory
from db.catalogue import (
    Booking,
    CatalogueProduct,
    CatalogueService,
    Hours,
    Interval,
    PriceRange,
    Question,
    ServiceOverride,
)
from db.directory import Directory
from db.errors import Conflict, DecryptionFailed, NotFound
from db.records import AgentSettings, Branch, BranchId, ChannelStatus, ChannelType, Company, CompanyId, new_id

OPEN = (Interval(opens=time(9), closes=time(13)), Interval(opens=time(14), closes=time(0)))


def company(slug="elita", **more):
    return Company(
        id=CompanyId(new_id()), slug=slug, name="Элита", email="a@b.example", plan_limits={"turns": 5}, **more
    )


def branch(key="main", **more):
    return Branch(id=BranchId(new_id()), key=key, name=key, time_zone="Europe/Moscow", **more)


AGENT = AgentSettings(
    description="d",
    services=(
        CatalogueService(
            name="Стрижка",
            price=PriceRange(low=180000, high=220050),
            duration=timedelta(minutes=45),
            booking=Booking.LINK,
            link="https://example.org",
            ask_before=("Аллергия?",),
            overrides=(ServiceOverride(master="Анна", price=PriceRange(low=1)),),
        ),
    ),
    products=(CatalogueProduct(name="Шампунь", price=PriceRange(low=120000)),),
    faq=(Question(question="?", answer="!"),),
    policies={"предоплата": "нет", "а": "б", "опоздание": "15 минут"},
)


async def test_a_company_is_kept_whole_and_in_order(core):
    elita = company()
    hours = Hours(weekly={0: OPEN, 6: ()}, exceptions={date(2026, 12, 31): OPEN[:1]})
    places = [branch("b", hours=hours, address="x"), branch("a", crm_account_id="7")]

    await core.companies.create_company(elita, AGENT, places)
    snapshot = await core.companies.get_snapshot(elita.id)

    assert snapshot.company == elita
    assert snapshot.agent == AGENT
    assert list(snapshot.agent.policies) == ["предоплата", "а", "опоздание"]
    assert list(snapshot.branches) == places
    assert snapshot.crm is None


async def test_a_replaced_company_keeps_the_ids_of_its_branches(core):
    elita = company()
    kept, gone = branch("kept"), branch("gone")
    await core.companies.create_company(elita, AGENT, [kept, gone])

    await core.companies.replace_company(elita, AgentSettings(), [branch("kept", address="new"), branch("added")])
    branches = (await core.companies.get_snapshot(elita.id)).branches

    assert [one.key for one in branches] == ["kept", "added"]
    assert branches[0].id == kept.id
    assert branches[0].address == "new"


async def test_a_taken_slug_is_a_clear_error(core):
    await core.companies.create_company(company(), AGENT, [branch()])

    with pytest.raises(Conflict, match="elita"):
        await core.companies.create_company(company(), AGENT, [branch()])


async def test_companies_are_found_by_slug_and_id(core):
    elita = company()
    await core.companies.create_company(elita, AGENT, [branch()])

    assert await core.companies.get_company_id("elita") == elita.id
    assert await core.companies.get_company_id(str(elita.id)) == elita.id
    with pytest.raises(NotFound):
        await core.companies.get_company_id("nobody")


async def test_secrets_lie_as_ciphertext_that_opens_in_no_other_row(core):
    one, two = company("one"), company("two")
    for each in (one, two):
        await core.companies.create_company(each, AGENT, [branch()])
        await core.companies.set_crm(
            each.id, "yclients", options={"a": "b"}, secrets={"user_token": SecretStr("canary")}
        )
    async with core.database.company(one.id) as tx:
        stored = await tx.connection.scalar(text("SELECT secrets FROM company_crm_settings"))

    crm = (await core.companies.get_snapshot(one.id)).crm
    assert "canary" not in stored
    assert core.companies.crm_secrets(one.id, crm)["user_token"].get_secret_value() == "canary"
    with pytest.raises(DecryptionFailed):
        core.companies.crm_secrets(two.id, crm)


async def add_channel(core, slug="elita", token="t"):
    owner = company(slug)
    await core.companies.create_company(owner, AGENT, [branch()])
    return await core.companies.add_channel(
        owner.id, ChannelType.TELEGRAM, external_id="1", name="@bot", options={}, secrets={"token": SecretStr(token)}
    )


async def test_a_webhook_token_leads_to_its_channel_and_nothing_else_does(core):
    channel, token = await add_channel(core)

    assert await core.directory.find_channel(token) == channel
    assert await core.directory.find_channel(token + "x") is None
    assert core.companies.channel_secrets(channel)["token"].get_secret_value() == "t"


async def test_the_same_bot_is_not_added_twice(core):
    channel, _ = await add_channel(core)

    with pytest.raises(Conflict):
        await core.companies.add_channel(
            channel.company_id, ChannelType.TELEGRAM, external_id="1", name="@bot", options={}, secrets={}
        )


async def test_a_rotated_token_a_disabled_channel_and_a_disabled_company_lead_nowhere(core):
    channel, token = await add_channel(core)
    newer = await core.companies.rotate_token(channel)
    core.directory.forget(channel.company_id)
    assert await core.directory.find_channel(token) is None
    assert await core.directory.find_channel(newer) is not None

    await core.companies.set_channel_status(channel.company_id, channel.id, ChannelStatus.DISABLED)
    core.directory.forget(channel.company_id)
    assert await core.directory.find_channel(newer) is None

    await core.companies.set_channel_status(channel.company_id, channel.id, ChannelStatus.ACTIVE)
    await core.companies.set_disabled(channel.company_id, disabled=True)
    core.directory.forget(channel.company_id)
    assert await core.directory.find_channel(newer) is None


async def test_the_directory_forgets_by_time_and_keeps_a_bounded_number(core, clock):
    small = Directory(core.database, ttl=timedelta(seconds=30), max_size=1, clock=clock)
    channel, token = await add_channel(core, "one")
    await add_channel(core, "two")
    await small.find_channel(token)
    await core.companies.set_disabled(channel.company_id, disabled=True)

    assert await small.find_channel(token) is not None
    clock.advance(timedelta(seconds=31))
    assert await small.find_channel(token) is None


async def test_a_change_in_one_process_is_heard_in_another(core):
    channel, token = await add_channel(core)
    await core.directory.find_channel(token)
    forgotten = asyncio.Event()

    class Listening(Directory):
        def forget(self, company_id):
            super().forget(company_id)
            forgotten.set()

    other = Listening(core.database, ttl=timedelta(days=1), max_size=10, clock=core.clock)
    listening = asyncio.create_task(other.listen(core.redis, core.redis_prefix))
    async with asyncio.timeout(10):
        while not (await core.redis.pubsub_numsub(f"{core.redis_prefix}companies"))[0][1]:
            pass
        await core.companies.set_disabled(channel.company_id, disabled=True)
        await forgotten.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)

    assert await other.find_channel(token) is None


class Listening(Directory):
    """Tells when it hears of changes: once it has forgotten what was read before."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.hears = asyncio.Event()

    def forget_all(self):
        super().forget_all()
        self.hears.set()


async def test_what_was_read_counts_longer_while_changes_are_heard_and_no_longer_once_they_are_not(core, clock):
    channel, token = await add_channel(core)
    kept = {"ttl": timedelta(seconds=30), "heard_ttl": timedelta(minutes=10), "max_size": 10}
    other = Listening(core.database, clock=clock, **kept)
    listening = asyncio.create_task(other.listen(core.redis, core.redis_prefix))
    async with asyncio.timeout(10):
        await other.hears.wait()
    assert await other.find_channel(token) is not None
    # Nobody tells of it: as if the word had got lost.
    async with core.database.company(channel.company_id) as tx:
        await tx.connection.execute(text("UPDATE companies SET disabled_at = now()"))

    clock.advance(timedelta(minutes=9))
    assert await other.find_channel(token) is not None
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert await other.find_channel(token) is None


async def test_what_changed_while_nothing_was_heard_is_forgotten_once_it_is_heard_again(core, clock):
    channel, token = await add_channel(core)
    other = Listening(core.database, clock=clock, ttl=timedelta(days=1), max_size=10)
    assert await other.find_channel(token) is not None
    await core.companies.set_disabled(channel.company_id, disabled=True)
    assert await other.find_channel(token) is not None

    listening = asyncio.create_task(other.listen(core.redis, core.redis_prefix))
    async with asyncio.timeout(10):
        await other.hears.wait()
    assert await other.find_channel(token) is None
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_what_was_read_before_a_change_is_not_kept_past_the_news_of_it(core, monkeypatch):
    """A reading that is under way when the company changes would be kept as if it were new, and nobody tells twice."""
    made = company()
    await core.companies.create_company(made, AGENT, [branch()])
    read, changed = asyncio.Event(), asyncio.Event()
    honest = db.directory.read_channels

    async def slow(tx):
        found = await honest(tx)
        read.set()
        await changed.wait()
        return found

    core.directory.forget(made.id)
    monkeypatch.setattr(db.directory, "read_channels", slow)
    reading = asyncio.create_task(core.directory.get_snapshot(made.id))
    await read.wait()
    await core.companies.set_disabled(made.id, disabled=True)
    core.directory.forget(made.id)
    changed.set()

    assert not (await reading).company.disabled
    assert (await core.directory.get_snapshot(made.id)).company.disabled
