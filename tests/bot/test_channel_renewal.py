"""A channel whose credentials were taken away is put back to work with new ones, and only with its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.channels.refused import ChannelRefused
from bot.channels.renewal import credentials_of, renew
from bot.channels.whatsapp import WhatsAppNumber, add_whatsapp
from db.records import ChannelStatus, ChannelType

NEW_TOKEN = "700000001:SANDBOX-given-anew-after-revoke-000001"
OTHER_BOT = "700000002:SANDBOX-only-works-in-the-tests-000002"


def secret(token):
    return {"token": SecretStr(token)}


async def one_channel(core, company_id, type_):
    [channel] = [one for one in await core.companies.list_channels(company_id) if one.type is type_]
    return channel


async def test_a_bot_whose_token_was_revoked_answers_again_with_its_new_one(house):
    client = house.client()
    await client.says("Здравствуйте")
    bot = house.vendors.telegram.state.bots[house.bots[house.company_id]]
    bot.token, old_token = NEW_TOKEN, bot.token
    house.vendors.telegram.add_bot(OTHER_BOT)
    await house.vendors.telegram.people.send_text(client.bot_id, client.user, "Есть кто?")
    await house.settles()
    broken = await house.channel()
    assert broken.status is ChannelStatus.BROKEN

    with pytest.raises(ChannelRefused, match="Telegram refused"):
        await renew(house.core, broken, secret(old_token))
    with pytest.raises(ChannelRefused, match="another bot"):
        await renew(house.core, broken, secret(OTHER_BOT))
    assert await house.channel() == broken

    told = await renew(house.core, broken, secret(NEW_TOKEN))
    assert told["status"] == "active"
    house.core.directory.forget(house.company_id)  # as a process does that hears of it
    assert (await house.channel()).status is ChannelStatus.ACTIVE
    assert await client.says("Вы открыты сегодня?")


async def test_a_whatsapp_number_keeps_its_own_secrets_and_takes_the_new_ones(house, core, vendors):
    vendors.whatsapp.add_number(vendors.whatsapp.add_app(), id_="111", token="new-token", name="Салон")
    number = WhatsAppNumber(
        phone_number_id="111", token=SecretStr("new-token"), app_secret=SecretStr("old"), template=None
    )
    await add_whatsapp(house.core, house.company_id, number)
    channel = await one_channel(house.core, house.company_id, ChannelType.WHATSAPP)
    kept = house.core.open_channel_secrets(channel)["verify_token"]

    assert set(credentials_of(channel)) == {"token", "app_secret"}
    with pytest.raises(ChannelRefused, match="Meta refused"):
        await renew(house.core, channel, {**secret("wrong"), "app_secret": SecretStr("new")})
    await renew(house.core, channel, {**secret("new-token"), "app_secret": SecretStr("new")})

    secrets = house.core.open_channel_secrets(await one_channel(house.core, house.company_id, ChannelType.WHATSAPP))
    assert secrets["app_secret"].get_secret_value() == "new"
    assert secrets["verify_token"] == kept


async def test_a_channel_that_nobody_gave_secrets_for_has_none_to_renew(channel):
    with pytest.raises(ChannelRefused, match="channel rotate"):
        credentials_of(replace(channel, type=ChannelType.API))
    with pytest.raises(ChannelRefused, match="channel rotate"):
        credentials_of(replace(channel, type=ChannelType.VOICE, options={"provider": "voximplant"}))
