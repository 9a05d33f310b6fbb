"""Renewing and checking a channel of any kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.app import Core
from bot.channels.api import check_api, renew_api
from bot.channels.telegram import check_telegram, renew_telegram
from bot.channels.voice import check_voice, renew_voice
from bot.channels.whatsapp import check_whatsapp, renew_whatsapp
from db.records import Channel, ChannelType

_RENEW: Mapping[ChannelType, Callable[[Core, Channel, str], Awaitable[dict[str, Any]]]] = {
    ChannelType.API: renew_api,
    ChannelType.TELEGRAM: renew_telegram,
    ChannelType.WHATSAPP: renew_whatsapp,
    ChannelType.VOICE: renew_voice,
}
_CHECK: Mapping[ChannelType, Callable[[Core, Channel], Awaitable[dict[str, Any]]]] = {
    ChannelType.API: check_api,
    ChannelType.TELEGRAM: check_telegram,
    ChannelType.WHATSAPP: check_whatsapp,
    ChannelType.VOICE: check_voice,
}


async def rotate(core: Core, channel: Channel) -> dict[str, Any]:
    """Give the channel a new webhook token and tell the messenger, or the person. Raises ChannelRefused."""
    return await _RENEW[channel.type](core, channel, await core.companies.rotate_token(channel))


async def check(core: Core, channel: Channel) -> dict[str, Any]:
    """Return what the messenger says of the channel. Raises ChannelRefused."""
    return await _CHECK[channel.type](core, channel)
