"""Whose webhook an address is that a messenger delivers to: it holds a token, and is shown to nobody."""

from __future__ import annotations

from enum import StrEnum

from bot.app import Core
from db.records import Channel


class Webhook(StrEnum):
    OURS = "ours"
    NOT_SET = "not set"
    ELSEWHERE = "elsewhere"
    """Not below AI_ADMIN_PUBLIC_URL."""
    OLD = "an old address of ours"
    """Below it, with a token that is not this channel's any more."""


async def whose_webhook(core: Core, channel: Channel, url: str | None) -> Webhook:
    """Say whether updates sent to this address reach the channel."""
    if not url:
        return Webhook.NOT_SET
    public = core.settings.public_url
    if public is None or not url.startswith(f"{public}/api/v1/{channel.type.value}/webhook/"):
        return Webhook.ELSEWHERE
    found = await core.directory.find_channel(url.rpartition("/")[2])
    return Webhook.OURS if found is not None and found.id == channel.id else Webhook.OLD
