"""A company's telephone number: what is entered at the provider, and what the channel does with calls."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from bot.app import Core
from bot.channels.refused import ChannelRefused
from db.records import Channel, ChannelType, CompanyId
from orchestration.identity import find_phones

PROVIDERS = ("twilio", "voximplant")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNumber:
    """What a company gives of its number. `auth_token`: Twilio's, which signs its requests; Voximplant has none."""

    number: str
    provider: str = "twilio"
    auth_token: SecretStr | None = None
    transfer_to: str = ""
    accept_caller_id: bool = False
    recorded: bool = False
    voice: str = ""
    tts_provider: str = ""
    stt_provider: str = ""
    streams: bool = True
    lines: int = 10
    longest_minutes: float = 15


async def add_voice(core: Core, company_id: CompanyId, phone: PhoneNumber) -> dict[str, Any]:
    """Store the number; return what has to be entered at the provider. Raises ChannelRefused."""
    found = find_phones(phone.number)
    if len(found) != 1:
        raise ChannelRefused(f"{phone.number!r} is not a phone number; write it as +74951234567")
    if phone.transfer_to and not find_phones(phone.transfer_to):
        raise ChannelRefused(f"{phone.transfer_to!r} is not a phone number that calls can be passed on to")
    if phone.provider not in PROVIDERS:
        raise ChannelRefused(f"{phone.provider!r} is not a provider of this version: {', '.join(PROVIDERS)}")
    if phone.provider == "twilio" and not (phone.auth_token and phone.auth_token.get_secret_value()):
        raise ChannelRefused("the auth token is missing: Twilio's console, Account, API keys & tokens")
    secret = SecretStr(secrets.token_urlsafe(32))
    kept = {"auth_token": phone.auth_token} if phone.auth_token and phone.provider == "twilio" else {"secret": secret}
    channel, token = await core.companies.add_channel(
        company_id,
        ChannelType.VOICE,
        external_id=found[0],
        name=f"{found[0]} ({phone.provider})",
        options=_options(phone),
        secrets=kept,
        declare=True,
    )
    return {"id": str(channel.id), "number": found[0], **_by_hand(core, channel, token)}


async def renew_voice(core: Core, channel: Channel, webhook_token: str) -> dict[str, Any]:
    """Tell the person the new addresses."""
    return {"id": str(channel.id), **_by_hand(core, channel, webhook_token)}


async def check_voice(core: Core, channel: Channel) -> dict[str, Any]:
    """Return what is known of the number: the provider is not asked."""
    return {
        "id": str(channel.id),
        "number": channel.external_id,
        "provider": channel.options.get("provider", "twilio"),
        "status": channel.status.value,
        "public_url": core.settings.voice_url or "not set: calls cannot be answered",
        "transfer_to": channel.options.get("transfer_to") or "the first branch's phone",
        "caller_id": "accepted as proof" if channel.options.get("accept_caller_id") else "proved by a code",
    }


def _options(phone: PhoneNumber) -> dict[str, Any]:
    options: dict[str, Any] = {
        "provider": phone.provider,
        "lines": phone.lines,
        "longest_minutes": phone.longest_minutes,
        "accept_caller_id": phone.accept_caller_id,
        "recorded": phone.recorded,
        "streams": phone.streams,
    }
    named = {
        "transfer_to": phone.transfer_to,
        "voice": phone.voice,
        "tts_provider": phone.tts_provider,
        "stt_provider": phone.stt_provider,
    }
    return options | {name: value for name, value in named.items() if value}


def _by_hand(core: Core, channel: Channel, token: str) -> dict[str, str]:
    """Return what a person enters at the provider."""
    public = core.settings.voice_url or "https://<your public address>"
    if channel.options.get("provider") == "voximplant":
        return {
            "stream_url": f"{public.replace('http', 'ws', 1)}/api/v1/voice/stream/{token}",
            "secret": core.open_channel_secrets(channel)["secret"].get_secret_value(),
            "scenario": "deploy/voximplant/ai_admin.js",
        }

    def webhook(what: str) -> str:
        return f"{public}/api/v1/voice/{what}/{token}"

    return {
        "webhook": webhook("webhook"),
        "method": "POST",
        "enter_at": "Twilio's console, Phone Numbers, the number, Voice configuration, A call comes in",
        **({} if channel.options.get("streams", True) else {"call_status_changes": webhook("action")}),
    }
