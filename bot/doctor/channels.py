"""Each company's channels: what the messenger says of the bot or number, and whether its updates come to us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.app import Core
from bot.channels.care import check
from bot.channels.refused import ChannelRefused
from bot.channels.webhook import Webhook
from bot.doctor.rows import Row, failed, ok, warn
from bot.settings import Mode
from db.records import Channel, ChannelStatus, ChannelType, CompanySnapshot

MANY_PENDING = 100
"""Updates that wait at Telegram, which delivers them one after another to a slow or refusing webhook."""
LATELY = timedelta(hours=1)
_GOOD_QUALITY = frozenset({"GREEN", "UNKNOWN", "NA"})


def name_of(snapshot: CompanySnapshot, channel: Channel) -> str:
    return f"{snapshot.company.slug}: {channel.type.value} {channel.name}"


async def look_at_channel(core: Core, snapshot: CompanySnapshot, channel: Channel) -> Sequence[Row]:
    """Return the row of one channel. Raises DBError."""
    what = name_of(snapshot, channel)
    if channel.status is ChannelStatus.BROKEN:
        advice = (
            f"get a new token and add it again: `ai-admin channel add {snapshot.company.slug} {channel.type.value}`"
        )
        return [failed(what, "the messenger refused its credentials, and it has rested since", advice)]
    try:
        found = await check(core, channel)
    except ChannelRefused as error:
        advice = (
            f"if the token is no longer valid: `ai-admin channel add {snapshot.company.slug} {channel.type.value}`;"
            " if the messenger cannot be reached: firewall, AI_ADMIN_…_API_URL"
        )
        return [failed(what, str(error), advice)]
    match channel.type:
        case ChannelType.TELEGRAM:
            return [_telegram(core, what, channel, found)]
        case ChannelType.WHATSAPP:
            return [_whatsapp(core, what, channel, found)]
        case ChannelType.VOICE:
            return [_voice(core, what, snapshot, channel)]
        case _:
            return [ok(what, "nobody is asked: it is called by a program of yours")]


def _telegram(core: Core, what: str, channel: Channel, found: Mapping[str, Any]) -> Row:
    """Judge what getWebhookInfo told (https://core.telegram.org/bots/api#webhookinfo)."""
    pending, error, at = found["pending_updates"], found["last_error"], found["last_error_at"]
    detail = f"webhook: {found['webhook']}; {pending} updates wait at Telegram"
    bad = _of_webhook(core, what, channel, Webhook(found["webhook"]), detail)
    if bad is not None:
        return bad
    if error and _is_late(at, core.clock()):
        advice = "see what the gateway and the proxy before it say to it; Telegram tries again by itself"
        return warn(what, f"{detail}; its last try failed: {error}", advice)
    if pending > MANY_PENDING:
        advice = "see that the gateway answers fast, and that the workers keep up"
        return warn(what, detail, advice)
    return ok(what, detail)


def _whatsapp(core: Core, what: str, channel: Channel, found: Mapping[str, Any]) -> Row:
    """Judge what the Graph API told. That the app is subscribed to `messages`, it tells only to the app itself."""
    detail = f"{found['number']}; webhook: {found['webhook']}; quality {found['quality']}"
    bad = _of_webhook(core, what, channel, Webhook(found["webhook"]), detail)
    if bad is not None:
        return bad
    if str(found["quality"]).rpartition(".")[2] not in _GOOD_QUALITY:
        advice = "write less of what nobody asked for: Meta lowers the limits of a number that people block"
        return warn(what, detail, advice)
    return ok(what, detail)


def _voice(core: Core, what: str, snapshot: CompanySnapshot, channel: Channel) -> Row:
    """Judge the settings alone: the provider is not asked."""
    url = core.settings.voice_url
    if url is None:
        advice = "set AI_ADMIN_VOICE_PUBLIC_URL, then `ai-admin channel rotate ID` and enter what it prints"
        return failed(what, "no public address: calls cannot be answered", advice)
    if not url.startswith("https://"):
        return failed(what, "the public address is not https://", "providers open a call's stream over TLS only")
    wanted = "auth_token" if channel.options.get("provider", "twilio") == "twilio" else "secret"
    if not core.open_channel_secrets(channel).get(wanted):
        slug = snapshot.company.slug
        return failed(what, f"{wanted} is missing", f"`ai-admin channel add {slug} voice --number …` asks for it")
    if not channel.options.get("transfer_to") and not any(branch.phone for branch in snapshot.branches):
        advice = "give the branch a phone in the company's file, or add the number with --transfer-to"
        return warn(what, "nobody to pass a call on to: callers who ask for a person leave a message", advice)
    return ok(what, "its settings are complete; the provider is not asked")


def _of_webhook(core: Core, what: str, channel: Channel, webhook: Webhook, detail: str) -> Row | None:
    """Return the row where updates do not come to us."""
    polled = channel.type is ChannelType.TELEGRAM and core.settings.mode is Mode.DEVELOPMENT
    if webhook is Webhook.OURS or (webhook is Webhook.NOT_SET and polled and core.settings.public_url is None):
        return None
    if core.settings.public_url is None:
        advice = "set AI_ADMIN_PUBLIC_URL, then `ai-admin channel rotate " + str(channel.id) + "`"
        return warn(what, f"{detail}; AI_ADMIN_PUBLIC_URL is not set", advice)
    return failed(what, detail, f"`ai-admin channel rotate {channel.id}` sets it")


def _is_late(at: datetime | None, now: datetime) -> bool:
    return at is None or now - at <= LATELY
