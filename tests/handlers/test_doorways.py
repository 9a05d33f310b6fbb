"""What is kept of a channel's door holds as long as the channel and its company are what they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from handlers import doorways
from handlers.doorways import Doorways
from handlers.registry import INTAKES
from handlers.telegram.intake import SECRET_HEADER


@pytest.fixture
async def company(core, channel):
    return await core.directory.get_snapshot(channel.company_id)


class Secrets:
    """Counts how often a secret was opened."""

    def __init__(self):
        self.value, self.opened = "first", 0

    def __call__(self, channel):
        self.opened += 1
        return {"secret_token": SecretStr(self.value)}


async def test_a_secret_is_opened_once_and_again_when_the_channel_was_changed(channel, company):
    secrets = Secrets()
    kept = Doorways(INTAKES, secrets, timedelta(seconds=2))
    for _ in range(3):
        assert kept.of(channel, company).lock({SECRET_HEADER: "first"}, b"{}")
    assert secrets.opened == 1

    secrets.value = "second"
    changed = replace(channel)
    assert not kept.of(changed, company).lock({SECRET_HEADER: "first"}, b"{}")
    assert kept.of(changed, company).lock({SECRET_HEADER: "second"}, b"{}")


async def test_a_companys_own_quiet_time_holds_as_soon_as_it_is_changed(channel, company):
    kept = Doorways(INTAKES, Secrets(), timedelta(seconds=2))
    assert kept.of(channel, company).quiet == timedelta(seconds=2)

    changed = replace(company, agent=replace(company.agent, quiet=timedelta(0)))
    assert kept.of(channel, changed).quiet == timedelta(0)


async def test_no_more_doorways_are_kept_than_there_is_room_for(channel, company, monkeypatch):
    monkeypatch.setattr(doorways, "MOST", 3)
    secrets = Secrets()
    kept = Doorways(INTAKES, secrets, timedelta(0))
    for number in range(4):
        kept.of(replace(channel, id=number), company)
    opened = secrets.opened

    kept.of(replace(channel, id=0), company)
    assert secrets.opened == opened + 1, "the one that was knocked at longest ago had to go"
