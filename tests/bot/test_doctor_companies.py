"""`ai-admin doctor`, company by company: channels, CRMs, dead letters and queues made wrong on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text, update

from bot.channels.voice import PhoneNumber, add_voice
from bot.channels.whatsapp import WhatsAppNumber, add_whatsapp
from bot.doctor.companies import look_at_queue
from bot.doctor.reminders import look_at_reminders
from bot.doctor.rows import Status
from db.models import accepted_updates, company_channels
from db.records import Accepted, ChannelStatus, new_id

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def bot_of(house):
    return house.vendors.telegram.state.bots[house.bots[house.company_id]]


# ---- channels


async def test_a_bots_webhook_is_held_against_our_own_address(examine, bot_of, house):
    good = (await examine())["elita: telegram @elita_bot"]
    url, bot_of.webhook.url = bot_of.webhook.url, "https://elsewhere.example/hook"
    elsewhere = (await examine())["elita: telegram @elita_bot"]
    bot_of.webhook.url = url.rpartition("/")[0] + "/an-old-token"
    old = (await examine())["elita: telegram @elita_bot"]
    bot_of.webhook.url = ""
    none = (await examine())["elita: telegram @elita_bot"]
    polled = (await examine(public_url=None))["elita: telegram @elita_bot"]
    bot_of.webhook.url = url

    assert (good.status, good.detail) == (Status.OK, "webhook: ours; 0 updates wait at Telegram")
    assert [one.status for one in (elsewhere, old, none)] == [Status.FAILED] * 3
    assert "elsewhere" in elsewhere.detail
    assert "an old address of ours" in old.detail
    assert f"ai-admin channel rotate {(await house.channel()).id}" in none.advice
    assert polled.status is Status.OK
    assert url.rpartition("/")[2] not in f"{good} {elsewhere} {old}"


async def test_what_telegram_says_of_its_last_tries_is_told_while_it_is_news(examine, bot_of, house):
    bot_of.webhook.last_error_message = "Wrong response from the webhook: 502 Bad Gateway"
    bot_of.webhook.last_error_date = int(house.clock().timestamp()) - 60
    fresh = (await examine())["elita: telegram @elita_bot"]
    bot_of.webhook.last_error_date -= 7200
    stale = (await examine())["elita: telegram @elita_bot"]

    assert (fresh.status, "502 Bad Gateway" in fresh.detail) == (Status.WARNING, True)
    assert stale.status is Status.OK


async def test_a_token_that_telegram_takes_no_more_and_a_channel_that_broke(examine, house):
    bots = house.vendors.telegram.state.bots
    bot = bots.pop(house.bots[house.company_id])
    refused = (await examine())["elita: telegram @elita_bot"]
    bots[bot.id] = bot
    async with house.core.database.company(house.company_id) as tx:
        await tx.connection.execute(update(company_channels).values(status=ChannelStatus.BROKEN.value))
    broken = (await examine())["elita: telegram @elita_bot"]
    async with house.core.database.company(house.company_id) as tx:
        await tx.connection.execute(update(company_channels).values(status=ChannelStatus.DISABLED.value))

    assert (refused.status, "Telegram refused" in refused.detail) == (Status.FAILED, True)
    assert "ai-admin channel add elita telegram" in refused.advice
    assert (broken.status, "refused its credentials" in broken.detail) == (Status.FAILED, True)
    assert "elita: telegram @elita_bot" not in await examine()


async def test_a_messenger_that_does_not_answer_takes_its_own_row_only(examine, house):
    rows = await examine(telegram_api_url="http://127.0.0.1:1")

    assert rows["elita: telegram @elita_bot"].status is Status.FAILED
    assert rows["elita: yclients main"].status is not Status.FAILED


async def test_a_whatsapp_number_without_our_webhook_and_with_a_wrong_token(examine, house):
    number = house.vendors.whatsapp.add_number(
        house.vendors.whatsapp.add_app(), id_="111", token="number-token", name="Салон"
    )
    added = WhatsAppNumber(phone_number_id="111", token=SecretStr("number-token"), app_secret=SecretStr("app-secret"))
    await add_whatsapp(house.core, house.company_id, added)
    [what] = [what for what in await examine() if "whatsapp" in what]
    good = (await examine())[what]
    number.callback_url = "https://elsewhere.example/hook"
    elsewhere = (await examine())[what]
    number.callback_url = ""
    none = (await examine())[what]

    assert (good.status, "webhook: ours" in good.detail) == (Status.OK, True)
    assert (elsewhere.status, "elsewhere" in elsewhere.detail) == (Status.FAILED, True)
    assert (none.status, "not set" in none.detail) == (Status.FAILED, True)


async def test_a_telephone_number_whose_settings_are_not_complete(examine, house):
    phone = PhoneNumber(number="+74951234567", auth_token=SecretStr("app-secret"))
    await add_voice(house.core, house.company_id, phone)
    what = "elita: voice +74951234567 (twilio)"

    none = (await examine(public_url=None))[what]
    plain = (await examine())[what]
    good = (await examine(voice_public_url="https://voice.example"))[what]
    async with house.core.database.company(house.company_id) as tx:
        await tx.connection.execute(text("UPDATE branches SET phone = NULL"))
    nobody = (await examine(voice_public_url="https://voice.example"))[what]

    assert (none.status, none.detail) == (Status.FAILED, "no public address: calls cannot be answered")
    assert (plain.status, plain.detail) == (Status.FAILED, "the public address is not https://")
    assert good.status is Status.OK
    assert (nobody.status, "nobody to pass a call on to" in nobody.detail) == (Status.WARNING, True)


# ---- CRMs, dead letters, the queue


async def test_a_crm_that_refuses_and_a_company_without_one(examine, house, make_channel):
    other = await make_channel("other")
    await house.core.companies.set_disabled((await make_channel("closed")).company_id, disabled=True)
    house.vendors.yclients.user_token = "changed by them"

    rows = await examine()

    assert rows["elita: yclients main"].status is Status.FAILED
    assert "ai-admin crm check elita" in rows["elita: yclients main"].advice
    assert (rows["other: CRM"].status, rows["other: CRM"].detail) == (
        Status.WARNING,
        "none is set: nothing can be booked",
    )
    assert other.name in " ".join(rows)
    assert "closed" not in " ".join(rows)


async def test_dead_letters_and_work_that_nobody_takes(examine, house, make_channel):
    channel = await make_channel("other")
    async with house.core.database.company(channel.company_id) as tx:
        for dead in (True, False):
            await tx.connection.execute(
                accepted_updates.insert().values(
                    company_id=channel.company_id,
                    id=new_id(),
                    channel_id=channel.id,
                    dialogue_id=new_id(),
                    dialogue_key="1:1:",
                    update_key=str(dead),
                    payload=b"{}",
                    accepted_at=house.clock(),
                    dead_at=house.clock() if dead else None,
                )
            )

    rows = await examine()

    assert rows["other: dead letters"].detail == "1 updates could not be processed"
    assert "dead list --company other" in rows["other: dead letters"].advice
    assert "elita: dead letters" not in rows


@pytest.mark.parametrize(("waited", "status"), [(5, Status.OK), (60, Status.WARNING), (600, Status.FAILED)])
async def test_messages_that_wait_for_a_worker(core, channel, clock, waited, status):
    accepted = Accepted(update_key="1", dialogue_key="1:1:", payload=b"{}")
    await core.intake.accept(channel, [accepted], quiet=timedelta(0))
    clock.advance(timedelta(seconds=waited))

    rows = {row.what: row for row in await look_at_queue(core)}

    assert (rows["queue of messages"].status, str(waited) in rows["queue of messages"].detail) == (status, True)
    assert rows["queue of replies"].detail == "nothing waits"


# ---- reminders


@pytest.mark.parametrize(
    ("leads", "status", "said"),
    [
        (None, Status.OK, "nobody has said whether the CRM reminds clients itself"),
        ((), Status.OK, "off: the CRM sends them itself"),
        ((timedelta(hours=24), timedelta(hours=2)), Status.OK, "24h, 2h before a visit"),
    ],
)
async def test_whether_the_owner_has_said_who_reminds_clients(examine, house, leads, status, said):
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    agent = replace(snapshot.agent, reminders=leads)
    await house.core.companies.replace_company(snapshot.company, agent, snapshot.branches)

    row = (await examine())["elita: reminders"]

    assert (row.status, said in row.detail) == (status, True)
    assert ("reminders: [24h, 2h]" in row.advice) is (leads is None)


async def test_reminders_that_a_crm_or_a_number_cannot_have_are_told(house):
    await house.whatsapp_number()
    snapshot = await house.core.companies.get_snapshot(house.company_id)
    channels = await house.core.companies.list_channels(house.company_id)
    reminding = replace(snapshot, agent=replace(snapshot.agent, reminders=(timedelta(hours=2),)))

    [without_template] = await look_at_reminders(reminding, channels)
    [without_crm] = await look_at_reminders(replace(reminding, crm=None), channels)

    assert "no template on" in without_template.detail
    assert "channel template" in without_template.advice
    assert without_crm.status is Status.WARNING
