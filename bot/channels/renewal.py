"""New credentials for a channel whose old ones the messenger refuses: tried there, then put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from bot.app import Core
from bot.channels.care import rotate
from bot.channels.refused import ChannelRefused
from bot.channels.telegram import bot_id_of
from bot.channels.whatsapp import number_of
from db.records import Channel, ChannelType

CREDENTIALS: Mapping[ChannelType, Mapping[str, str]] = {
    ChannelType.TELEGRAM: {"token": "Bot token (from @BotFather)"},
    ChannelType.WHATSAPP: {
        "token": "Access token (a system user's, in Meta's business settings)",
        "app_secret": "App secret (Meta's console, App settings, Basic)",
    },
    ChannelType.VOICE: {"auth_token": "Auth token (Twilio's console)"},
}
"""What a vendor gives for a channel and may take away, and how it is asked for."""


def credentials_of(channel: Channel) -> Mapping[str, str]:
    """Return the names and titles of what the channel's vendor gave. Raises ChannelRefused where it gives nothing."""
    asked = CREDENTIALS.get(channel.type, {})
    if not asked or channel.options.get("provider") == "voximplant":
        raise ChannelRefused("nobody else gave this channel its secrets: `channel rotate` makes a new address")
    return asked


async def renew(core: Core, channel: Channel, given: Mapping[str, SecretStr]) -> dict[str, Any]:
    """Try the new credentials, store them encrypted, and put the channel back to work.

    Telegram is told a new webhook address too: whether the old one outlives its token is nowhere said. Twilio is not
    asked: its token only signs what comes from there. Raises ChannelRefused where they are refused, or are of another
    bot or number, and then changes nothing.
    """
    if channel.type is ChannelType.TELEGRAM:
        bot_id = await bot_id_of(core, given["token"])
        if bot_id != channel.external_id:
            raise ChannelRefused(f"this is the token of another bot than {channel.name}: `channel add` takes that one")
    if channel.type is ChannelType.WHATSAPP:
        await number_of(core, channel.external_id, given["token"])
    renewed = await core.companies.renew_channel(channel, given)
    told = await rotate(core, renewed) if channel.type is ChannelType.TELEGRAM else {"id": str(channel.id)}
    return {**told, "channel": renewed.name, "status": renewed.status.value}
