"""A business's WhatsApp number: checked with the Graph API, stored encrypted, and what to enter in Meta's console."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr
from pywa_async.errors import WhatsAppError
from pywa_async.types.templates import TemplateLanguage

from bot.app import Core
from bot.channels.refused import ChannelRefused
from bot.channels.webhook import whose_webhook
from db.outreach_records import MessageKind
from db.records import Channel, ChannelType, CompanyId
from handlers.whatsapp.numbers import Numbers
from handlers.whatsapp.options import TEMPLATE, TEMPLATES
from orchestration.reminders import TEMPLATE as REMINDER

_FIELDS = "messages, smb_message_echoes"
"""The second tells what is typed on the business's own phone, where the WhatsApp Business app is used as well."""
ANSWER = "answer"
PURPOSES = (REMINDER, *(kind.value for kind in MessageKind))
"""What has a template of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppNumber:
    """What a company gives of its number. `app_secret` is its Meta app's: every webhook is signed with it."""

    phone_number_id: str
    token: SecretStr
    app_secret: SecretStr
    template: Mapping[str, Any] | None = None
    """An approved template for what comes too late: {"name", "language", "takes_text"}."""


async def add_whatsapp(core: Core, company_id: CompanyId, number: WhatsAppNumber) -> dict[str, Any]:
    """Check number and token with the Graph API, store them, and set the number's webhook where an address is known.

    Raises ChannelRefused.
    """
    if not number.phone_number_id.isdecimal():
        raise ChannelRefused("the phone number id is digits only: Meta's console shows it beside the number")
    if not number.app_secret.get_secret_value():
        raise ChannelRefused("the app secret is missing: Meta's console, App settings, Basic")
    numbers = _numbers(core)
    try:
        name = await _name(numbers, number.phone_number_id, number.token)
        channel, webhook_token = await core.companies.add_channel(
            company_id,
            ChannelType.WHATSAPP,
            external_id=number.phone_number_id,
            name=name,
            options={TEMPLATE: dict(number.template)} if number.template else {},
            secrets={
                "token": number.token,
                "app_secret": number.app_secret,
                "verify_token": SecretStr(secrets.token_urlsafe(24)),
            },
            declare=True,
        )
    finally:
        await numbers.close()
    return {"id": str(channel.id), "number": channel.name, **await _webhook(core, channel, webhook_token)}


async def set_template(core: Core, channel: Channel, purpose: str, template: Mapping[str, Any]) -> dict[str, Any]:
    """Keep which approved template says this; "answer": whatever has none of its own. Raises ChannelRefused."""
    if channel.type is not ChannelType.WHATSAPP:
        raise ChannelRefused("only WhatsApp has templates")
    if template["language"] not in {one.value for one in TemplateLanguage}:
        raise ChannelRefused(f"Meta has no templates in {template['language']!r}: write ru, en_US, kk")
    if purpose == ANSWER:
        changed: dict[str, Any] = {TEMPLATE: dict(template)}
    elif purpose in PURPOSES:
        changed = {TEMPLATES: {**(channel.options.get(TEMPLATES) or {}), purpose: dict(template)}}
    else:
        raise ChannelRefused(f"{purpose!r}: a template is for {ANSWER} or {', '.join(PURPOSES)}")
    await core.companies.set_channel_template(channel, changed)
    return {"id": str(channel.id), "for": purpose, **template}


async def number_of(core: Core, phone_number_id: str, token: SecretStr) -> str:
    """Ask Meta with this token how the number is called. Raises ChannelRefused."""
    numbers = _numbers(core)
    try:
        return await _name(numbers, phone_number_id, token)
    finally:
        await numbers.close()


async def renew_whatsapp(core: Core, channel: Channel, webhook_token: str) -> dict[str, Any]:
    """Tell Meta, or the person, the new address. Raises ChannelRefused."""
    return {"id": str(channel.id), **await _webhook(core, channel, webhook_token)}


async def check_whatsapp(core: Core, channel: Channel) -> dict[str, Any]:
    """Return what Meta says of the number. Raises ChannelRefused."""
    numbers = _numbers(core)
    try:
        shown = await _ask(numbers.get(channel).get_business_phone_number())
    finally:
        await numbers.close()
    return {
        "id": str(channel.id),
        "number": f"{shown.display_phone_number} {shown.verified_name}".strip(),
        "status": channel.status.value,
        "quality": str(shown.quality_rating),
        "template": (channel.options.get(TEMPLATE) or {}).get("name"),
        "templates": {purpose: one.get("name") for purpose, one in (channel.options.get(TEMPLATES) or {}).items()},
        "webhook": (await whose_webhook(core, channel, _delivers_to(shown.webhook_configuration or {}))).value,
    }


def _delivers_to(configuration: Mapping[str, str]) -> str | None:
    """Return the address that counts: the number's own, else the account's, else the app's.

    https://developers.facebook.com/docs/whatsapp/embedded-signup/webhooks/override
    """
    levels = ("phone_number", "whatsapp_business_account", "application")
    return next((configuration[level] for level in levels if configuration.get(level)), None)


async def _webhook(core: Core, channel: Channel, webhook_token: str) -> dict[str, Any]:
    """Set the number's own callback address; return what a person has to enter where that cannot be done."""
    public_url = core.settings.public_url
    verify_token = core.open_channel_secrets(channel)["verify_token"]
    address = f"{public_url or 'https://<your public address>'}/api/v1/whatsapp/webhook/{webhook_token}"
    by_hand = {
        "callback_url": address,
        "verify_token": verify_token.get_secret_value(),
        "subscribe_to": _FIELDS,
    }
    if public_url is None:
        return {"webhook": "not set: AI_ADMIN_PUBLIC_URL is unset; enter this in Meta's console", **by_hand}
    numbers = _numbers(core)
    try:
        await numbers.get(channel).override_phone_callback_url(
            callback_url=address, verify_token=verify_token.get_secret_value()
        )
    except (WhatsAppError, httpx.HTTPError) as error:
        # Meta asks the address back at once: before the gateway runs, it can only be entered later.
        return {"webhook": f"not set ({_reason(error)}); enter this in Meta's console", **by_hand}
    finally:
        await numbers.close()
    return {"webhook": f"set below {public_url}", "subscribe_to": _FIELDS}


async def _name(numbers: Numbers, phone_number_id: str, token: SecretStr) -> str:
    shown = await _ask(numbers.open(phone_number_id, token).get_business_phone_number())
    return f"{shown.display_phone_number} {shown.verified_name}".strip()


def _numbers(core: Core) -> Numbers:
    return Numbers(core.open_channel_secrets, api_url=core.settings.whatsapp_api_url)


async def _ask(call: Any) -> Any:
    try:
        return await call
    except (WhatsAppError, httpx.HTTPError, KeyError, ValueError) as error:
        raise ChannelRefused(f"Meta refused: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Say what went wrong without what the request carried."""
    return f"{error.code} {error.message}" if isinstance(error, WhatsAppError) else type(error).__name__
