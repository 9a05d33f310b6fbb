"""A company's Telegram bot: checked with getMe, stored encrypted, its webhook set, its commands told."""

from __future__ import annotations

import secrets
from typing import Any

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.utils.token import TokenValidationError
from pydantic import SecretStr

from bot.app import Core
from bot.channels.refused import ChannelRefused
from bot.channels.telegram_profile import introduce
from bot.channels.webhook import whose_webhook
from db.records import Channel, ChannelType, CompanyId
from handlers.telegram.bots import Bots
from handlers.telegram.dispatch import ALLOWED_UPDATES


async def add_telegram(core: Core, company_id: CompanyId, token: SecretStr) -> dict[str, Any]:
    """Check the token with getMe, store it encrypted, and set the webhook where a public address is known.

    Raises ChannelRefused.
    """
    bots = Bots(core.open_channel_secrets, api_url=core.settings.telegram_api_url)
    try:
        bot = _open(bots, token)
        me = await _ask(bot.get_me())
        fields = {"token": token, "secret_token": SecretStr(secrets.token_urlsafe(32))}
        channel, webhook_token = await core.companies.add_channel(
            company_id,
            ChannelType.TELEGRAM,
            external_id=str(me.id),
            name=f"@{me.username}",
            options={},
            secrets=fields,
            declare=True,
        )
        webhook = await _set_webhook(core, bot, channel, webhook_token)
        await introduce(bot, await core.companies.get_snapshot(company_id))
    finally:
        await bots.close()
    return {"id": str(channel.id), "bot": channel.name, "webhook": webhook}


async def bot_id_of(core: Core, token: SecretStr) -> str:
    """Ask Telegram whose token this is. Raises ChannelRefused."""
    bots = Bots(core.open_channel_secrets, api_url=core.settings.telegram_api_url)
    try:
        return str((await _ask(_open(bots, token).get_me())).id)
    finally:
        await bots.close()


async def renew_telegram(core: Core, channel: Channel, webhook_token: str) -> dict[str, Any]:
    """Tell Telegram the new address, and again what the bot is. Raises ChannelRefused."""
    bots = Bots(core.open_channel_secrets, api_url=core.settings.telegram_api_url)
    try:
        bot = bots.get(channel)
        webhook = await _set_webhook(core, bot, channel, webhook_token)
        await introduce(bot, await core.companies.get_snapshot(channel.company_id))
    finally:
        await bots.close()
    return {"id": str(channel.id), "webhook": webhook}


async def check_telegram(core: Core, channel: Channel) -> dict[str, Any]:
    """Return what Telegram says of the bot and of its webhook. Raises ChannelRefused."""
    bots = Bots(core.open_channel_secrets, api_url=core.settings.telegram_api_url)
    try:
        bot = bots.get(channel)
        me = await _ask(bot.get_me())
        info = await _ask(bot.get_webhook_info())
    finally:
        await bots.close()
    return {
        "id": str(channel.id),
        "bot": f"@{me.username}",
        "status": channel.status.value,
        "webhook_set": bool(info.url),
        "webhook": (await whose_webhook(core, channel, info.url)).value,
        "pending_updates": info.pending_update_count,
        "last_error": info.last_error_message,
        "last_error_at": info.last_error_date,
    }


async def _set_webhook(core: Core, bot: Bot, channel: Channel, webhook_token: str) -> str:
    public_url = core.settings.public_url
    if public_url is None:
        return "not set: AI_ADMIN_PUBLIC_URL is unset; `ai-admin serve` polls in development"
    secret = core.open_channel_secrets(channel)["secret_token"].get_secret_value()
    # Updates that wait at Telegram are clients' messages: they are never dropped.
    await _ask(
        bot.set_webhook(
            f"{public_url}/api/v1/telegram/webhook/{webhook_token}",
            secret_token=secret,
            allowed_updates=ALLOWED_UPDATES,
            max_connections=100,
        )
    )
    return f"set below {public_url}"


def _open(bots: Bots, token: SecretStr) -> Bot:
    try:
        return bots.open(token)
    except TokenValidationError as error:
        raise ChannelRefused("this is not a bot token: @BotFather gives one like 123456789:AA…") from error


async def _ask(call: Any) -> Any:
    try:
        return await call
    except AiogramError as error:
        # The error's own text may hold the URL, and the URL the token.
        raise ChannelRefused(f"Telegram refused: {getattr(error, 'message', type(error).__name__)}") from None
