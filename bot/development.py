"""Development: one company from `.env`, its bot by long polling into the same inbox as the webhooks."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from datetime import timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramConflictError, TelegramUnauthorizedError
from pydantic import SecretStr

from bot.app import Core
from bot.settings import PREFIX, tenant_settings
from crm.registry import ADAPTERS, get_manifest
from db.errors import NotFound
from db.records import AgentSettings, Branch, BranchId, Channel, ChannelType, Company, CompanyId, new_id
from handlers.telegram.bots import Bots
from handlers.telegram.dispatch import ALLOWED_UPDATES
from handlers.telegram.intake import TelegramIntake

log = structlog.get_logger()

SLUG = "development"
_POLL_S = 30
_PAUSE_S = 5.0


async def develop(core: Core, bots: Bots, environment: Mapping[str, str]) -> None:
    """Serve the company of the environment, if it names a bot; poll until cancelled."""
    given = tenant_settings(environment)
    token = given.get(f"{PREFIX}TELEGRAM_TOKEN")
    if token is None:
        await poll_all(core, bots)
        return
    company_id = await ensure_company(core, given)
    channel = await ensure_bot(core, bots, company_id, SecretStr(token))
    await poll(core, bots.get(channel), channel)


async def ensure_company(core: Core, given: Mapping[str, str]) -> CompanyId:
    """Return the development company; make it, with the CRM of the environment, where it is not there yet.

    What was set for it by the command line (name, catalogue) stays; the CRM is taken from the environment each time.
    """
    try:
        company_id = await core.companies.get_company_id(SLUG)
    except NotFound:
        company_id = CompanyId(new_id())
        branch = Branch(id=BranchId(new_id()), key="main", name="Main", time_zone="Europe/Moscow")
        company = Company(id=company_id, slug=SLUG, name="Development")
        await core.companies.create_company(company, AgentSettings(), [branch])
    crm_type = given.get(f"{PREFIX}CRM_TYPE")
    manifest = get_manifest(crm_type) if crm_type and crm_type in ADAPTERS else None
    if crm_type and manifest is None:
        log.error("crm_unknown", crm=crm_type, known=sorted(ADAPTERS))
    if manifest is not None:
        values = {name.removeprefix(f"{PREFIX}CRM_").lower(): value for name, value in given.items()}
        fields = {field.name: field for field in manifest.fields if field.name in values}
        await core.companies.set_crm(
            company_id,
            manifest.type,
            options={name: values[name] for name, field in fields.items() if not field.secret},
            secrets={name: SecretStr(values[name]) for name, field in fields.items() if field.secret},
        )
    return company_id


async def ensure_bot(core: Core, bots: Bots, company_id: CompanyId, token: SecretStr) -> Channel:
    """Return the channel of this bot, made or brought up to the token given."""
    bot = bots.open(token)
    for channel in await core.companies.list_channels(company_id):
        if channel.type is ChannelType.TELEGRAM and channel.external_id == str(bot.id):
            return channel
    channel, _ = await core.companies.add_channel(
        company_id,
        ChannelType.TELEGRAM,
        external_id=str(bot.id),
        name=f"bot {bot.id}",
        options={},
        secrets={"token": token, "secret_token": SecretStr(secrets.token_urlsafe(32))},
    )
    return channel


async def poll_all(core: Core, bots: Bots) -> None:
    """Poll every bot of the installation where there is no public address for webhooks."""
    if core.settings.public_url is not None:
        return
    channels = [
        channel
        for company in await core.companies.list_companies()
        for channel in await core.companies.list_channels(company.id)
        if channel.type is ChannelType.TELEGRAM
    ]
    async with asyncio.TaskGroup() as group:
        for channel in channels[:20]:
            group.create_task(poll(core, bots.get(channel), channel))


async def poll(core: Core, bot: Bot, channel: Channel) -> None:
    """Fetch updates and store them as a webhook's are; Telegram hears that they are taken only after the commit."""
    intake = TelegramIntake()
    quiet = timedelta(seconds=core.settings.quiet_seconds)
    offset: int | None = None
    log.info("polling", channel_id=str(channel.id))
    while True:
        try:
            if offset is None:
                # A webhook that is still set would refuse getUpdates; what waits at Telegram is kept.
                await bot.delete_webhook(drop_pending_updates=False)
            updates = await bot.get_updates(
                offset=offset, timeout=_POLL_S, allowed_updates=ALLOWED_UPDATES, request_timeout=_POLL_S + 10
            )
        except TelegramUnauthorizedError:
            log.error("bot_token_refused", channel_id=str(channel.id))
            return
        except (AiogramError, TelegramConflictError) as error:
            log.warning("polling_failed", error=type(error).__name__)
            await asyncio.sleep(_PAUSE_S)
            continue
        for update in updates:
            body = json.dumps(update.model_dump(mode="json", by_alias=True, exclude_none=True)).encode()
            await core.intake.accept(channel, intake.accept(body), quiet=quiet)
        offset = updates[-1].update_id + 1 if updates else offset or 0
