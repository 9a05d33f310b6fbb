"""Unknown tokens cost the caller: few questions to the database, bounded memory, nothing for known ones."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.crypto import token_digest
from db.directory import Directory
from db.errors import TooManyTries
from db.limits import Budget
from db.models import webhook_tokens
from db.records import AgentSettings, Branch, BranchId, ChannelType, Company, CompanyId, new_id
from db.strangers import Strangers

THREE = Budget(rate=1, per=timedelta(minutes=1), burst=3)


class Counting:
    """A database that counts the questions put to it."""

    def __init__(self, database):
        self._database, self.asked = database, 0

    def platform(self):
        self.asked += 1
        return self._database.platform()

    def company(self, company_id):
        return self._database.company(company_id)


@pytest.fixture
async def known(core):
    """A channel's token."""
    company = Company(id=CompanyId(new_id()), slug="elita", name="Элита")
    place = Branch(id=BranchId(new_id()), key="main", name="Элита", time_zone="UTC")
    await core.companies.create_company(company, AgentSettings(), [place])
    channel, token = await core.companies.add_channel(
        company.id, ChannelType.TELEGRAM, external_id="1", name="@bot", options={}, secrets={}
    )
    return channel, token


@pytest.fixture
def database(core):
    return Counting(core.database)


@pytest.fixture
def directory(database, clock):
    strangers = Strangers(clock, tries=THREE)
    return Directory(database, ttl=timedelta(seconds=30), max_size=100, clock=clock, strangers=strangers)


async def test_who_guesses_tokens_is_told_to_wait_before_the_database_is_asked(directory, database, clock):
    for count in range(3):
        assert await directory.find_channel(f"guess-{count}", asked_by="203.0.113.9") is None
    with pytest.raises(TooManyTries) as told:
        await directory.find_channel("guess-3", asked_by="203.0.113.9")
    with pytest.raises(TooManyTries):
        await directory.find_crm_branch("guess-4", asked_by="203.0.113.9")

    assert database.asked == 3
    assert told.value.wait == timedelta(minutes=1)
    assert await directory.find_channel("guess-3", asked_by="198.51.100.1") is None, "others are not made to wait"
    clock.advance(timedelta(minutes=1))
    assert await directory.find_channel("guess-5", asked_by="203.0.113.9") is None


async def test_the_same_wrong_token_is_asked_for_once(directory, database, clock):
    for _ in range(50):
        assert await directory.find_channel("wrong", asked_by="203.0.113.9") is None
    assert database.asked == 1

    clock.advance(timedelta(seconds=31))
    await directory.find_channel("wrong", asked_by="203.0.113.9")
    assert database.asked == 2, "by time it is asked for again"


async def test_who_asks_for_what_is_there_may_ask_without_end(directory, known):
    channel, token = known
    for _ in range(20):
        assert await directory.find_channel(token, asked_by="203.0.113.9") == channel
        directory.forget(channel.company_id)


async def test_a_known_token_is_answered_from_an_address_that_has_no_tries_left(directory, known):
    channel, token = known
    await directory.find_channel(token, asked_by="203.0.113.9")
    for count in range(3):
        await directory.find_channel(f"guess-{count}", asked_by="203.0.113.9")

    assert await directory.find_channel(token, asked_by="203.0.113.9") == channel


async def test_a_token_that_was_unknown_is_known_as_soon_as_its_channel_is_added(directory, known, core):
    channel, _ = known
    wrong = "not-yet"
    assert await directory.find_channel(wrong) is None
    async with core.database.platform() as tx:
        await tx.connection.execute(
            webhook_tokens.insert().values(
                digest=token_digest(wrong), company_id=channel.company_id, channel_id=channel.id
            )
        )
    assert await directory.find_channel(wrong) is None

    directory.forget(channel.company_id)
    assert await directory.find_channel(wrong) == channel


async def test_unknown_tokens_displace_no_known_ones_and_are_bounded(database, clock, known):
    channel, token = known
    plenty = Strangers(clock, tries=Budget(rate=1, per=timedelta(seconds=1), burst=1000))
    small = Directory(database, ttl=timedelta(seconds=30), max_size=5, clock=clock, strangers=plenty)
    await small.find_channel(token)
    for count in range(50):
        await small.find_channel(f"guess-{count}", asked_by="203.0.113.9")
    asked = database.asked

    assert await small.find_channel(token, asked_by="203.0.113.9") == channel
    assert database.asked == asked
    assert len(small._unknown._values) == 5


def test_addresses_are_remembered_in_a_bounded_number(clock):
    strangers = Strangers(clock, tries=THREE, most=10)
    for count in range(1000):
        strangers.try_once(f"203.0.113.{count}")
    assert len(strangers) == 10


def test_an_ipv6_network_is_one_caller(clock):
    strangers = Strangers(clock, tries=THREE)
    waits = [strangers.try_once(f"2001:db8:1:2::{count:x}") for count in range(4)]

    assert waits == [None, None, None, timedelta(minutes=1)]
    assert strangers.try_once("2001:db8:1:3::1") is None
