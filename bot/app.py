"""The composition root: every object of a process is built here, from plain settings, and closed in reverse order.

`open_core` is what both roles need. The gateway's half imports no messenger or model SDK; the worker's half
(bot/worker_app.py) does, and is imported only where a worker runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.connections import THIS_MACHINE
from bot.console.app import build_console
from bot.console.links import HOME as CONSOLE
from bot.gateway import Gateway, build_application
from bot.keys import open_keys
from bot.settings import Mode, Settings
from crm.base import Hook
from crm.ports import Breaker, Pace
from crm.registry import proves_hook
from db.answers import Answers
from db.audit import SYSTEM, Actor, AuditTrail
from db.companies import Companies
from db.crm_breaker import CrmBreaker
from db.crm_events import CrmEvents
from db.crm_pace import CrmPace
from db.crypto import KeyRing
from db.directory import Directory
from db.doorbell import Doorbell
from db.embedded import start_embedded
from db.engine import Database
from db.errors import DBError
from db.inbox import Inbox
from db.intake import Intake, IntakeBudgets
from db.limits import Budget, RateLimits
from db.records import Channel, ChannelType, CompanyId, CrmSettings
from db.redis_client import open_redis
from db.upgrade import require_schema, runtime_url, upgrade
from db.work import Work
from handlers import openapi
from handlers.base import ChannelIntake
from handlers.crm_events import CrmHooks
from handlers.ops import Ops
from handlers.process import Process
from handlers.registry import INTAKES
from handlers.send_pace import SendPace
from handlers.webhooks import Webhooks
from middlewares.http import bearer_is, client_address, require_admin, trusted
from orchestration.ports import Clock

log = structlog.get_logger()

_DIRECTORY_TTL = timedelta(seconds=30)
_DIRECTORY_HEARD_TTL = timedelta(minutes=10)
_DIRECTORY_SIZE = 10_000
_INTAKE_BUDGETS = IntakeBudgets(
    # A hundred times a busy salon's hour, and no flood.
    company=Budget(rate=50, per=timedelta(seconds=1), burst=1000),
    # A messenger's own addresses carry all companies; this stops one that is nobody's messenger.
    address=Budget(rate=1000, per=timedelta(seconds=1), burst=5000),
)
_REDIS_PREFIX = "ai-admin:"


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every process needs: the stores, the keys, and the bells."""

    settings: Settings
    clock: Clock
    database: Database
    redis: Redis
    redis_prefix: str
    keys: KeyRing
    audit: AuditTrail
    companies: Companies
    directory: Directory
    doorbell: Doorbell
    work: Work
    inbox: Inbox
    intake: Intake
    limits: RateLimits
    answers: Answers
    crm_pace: Pace
    """Of the calls of CRMs."""
    crm_breaker: Breaker
    send_pace: SendPace
    """Of the messages to messengers."""
    notices: tuple[str, ...]
    owner_url: str
    """The address that migrates; the processes themselves run under the login that owns nothing."""

    def open_channel_secrets(self, channel: Channel) -> Mapping[str, SecretStr]:
        """Decrypt a channel's secrets."""
        return self.companies.channel_secrets(channel)

    def open_crm_secrets(self, company_id: CompanyId, crm: CrmSettings) -> Mapping[str, SecretStr]:
        """Decrypt the CRM's secrets."""
        return self.companies.crm_secrets(company_id, crm)

    async def proves_hook(self, company_id: CompanyId, hook: Hook) -> bool:
        """Say whether a CRM's webhook carries what the company's CRM has to carry."""
        crm = (await self.directory.get_snapshot(company_id)).crm
        return crm is None or proves_hook(crm.type, self.open_crm_secrets(company_id, crm), hook)

    async def database_answers(self) -> bool:
        try:
            await self.database.ping()
        except DBError:
            return False
        return True

    async def redis_answers(self) -> bool:
        try:
            pong: Any = self.redis.ping()
            return bool(await pong)
        except RedisError:
            return False


@asynccontextmanager
async def open_core(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    redis_prefix: str = _REDIS_PREFIX,
    pool_size: int = 10,
    actor: Actor = SYSTEM,
) -> AsyncIterator[Core]:
    """Start what is embedded, connect, and close it all at the end. `actor`: who answers for what this process changes.

    In development the schema is brought up to date; in production SchemaBehind is raised where it is not. Raises
    SecretError where the keys cannot be had.
    """
    keys = await open_keys(settings)
    audit = AuditTrail(clock, actor)
    async with start_servers(settings) as (database_url, redis_url, notices), open_redis(redis_url) as redis:
        if settings.mode is Mode.DEVELOPMENT:
            await upgrade(database_url, audit=audit)
        else:
            # Brought up by `ai-admin db upgrade`, before the roll-out.
            await require_schema(database_url)
        database = Database(
            runtime_url(database_url),
            pooler=settings.database_pooler.value,
            pool_size=pool_size,
            replica_url=runtime_url(settings.database_replica_url) if settings.database_replica_url else None,
            distributed=settings.database_citus,
        )
        core = _core(settings, clock, database, redis, redis_prefix, notices, database_url, keys, audit)
        try:
            yield core
        finally:
            await core.intake.close()
            await database.close()


@asynccontextmanager
async def start_servers(settings: Settings) -> AsyncIterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the addresses of PostgreSQL and Redis; start the embedded ones where none is set."""
    if settings.database_url and settings.redis_url:
        yield settings.database_url, settings.redis_url, ()
        return
    async with await start_embedded(
        settings.data_dir, postgres=not settings.database_url, redis=not settings.redis_url
    ) as embedded:
        servers = embedded.servers
        yield (
            (settings.database_url or servers.database_url),
            (settings.redis_url or servers.redis_url),
            servers.notices,
        )


def _core(
    settings: Settings,
    clock: Clock,
    database: Database,
    redis: Redis,
    prefix: str,
    notices: tuple[str, ...],
    owner_url: str,
    keys: KeyRing,
    audit: AuditTrail,
) -> Core:
    doorbell = Doorbell(redis, prefix)
    limits = RateLimits(redis, prefix)
    return Core(
        settings=settings,
        clock=clock,
        database=database,
        redis=redis,
        redis_prefix=prefix,
        keys=keys,
        audit=audit,
        companies=Companies(database, keys, clock, redis, prefix, audit),
        directory=Directory(
            database, ttl=_DIRECTORY_TTL, heard_ttl=_DIRECTORY_HEARD_TTL, max_size=_DIRECTORY_SIZE, clock=clock
        ),
        doorbell=doorbell,
        work=Work(database, clock),
        inbox=Inbox(clock),
        intake=Intake(database, clock, doorbell, limits, _INTAKE_BUDGETS),
        limits=limits,
        answers=Answers(database, redis, prefix),
        crm_pace=CrmPace(redis, prefix),
        crm_breaker=CrmBreaker(redis, prefix, clock),
        send_pace=SendPace(limits),
        notices=notices,
        owner_url=owner_url,
    )


def build_gateway(
    core: Core,
    intakes: Mapping[ChannelType, ChannelIntake] = INTAKES,
    *,
    more: Sequence[web.RouteDef] = (),
) -> Gateway:
    """Make the gateway: webhooks, `/process`, the console, operators' routes, a description of all, and `more`."""
    settings = core.settings
    address_of = client_address(settings.trusted_proxies)
    webhooks = Webhooks(
        core.directory,
        core.intake,
        intakes,
        core.open_channel_secrets,
        address_of,
        clock=core.clock,
        quiet=timedelta(seconds=settings.quiet_seconds),
    )
    guard = require_admin(
        settings.admin_token, settings.metrics_token, loopback_allowed=settings.mode is Mode.DEVELOPMENT
    )
    leaving = asyncio.Event()
    ops = Ops(database=core.database_answers, redis=core.redis_answers, guard=guard, leaving=leaving.is_set)
    hooks = CrmHooks(core.directory, CrmEvents(core.database), core.limits, address_of, core.clock, core.proves_hook)
    process = Process(
        core.directory,
        core.intake,
        core.answers,
        address_of,
        core.clock,
        is_admin=lambda request: settings.admin_token is not None and bearer_is(request, settings.admin_token),
        find_company=core.companies.get_company_id,
    )
    application = build_application(
        [*webhooks.routes(), *hooks.routes(), *process.routes(), *ops.routes(), *openapi.routes(), *more],
        leaving,
        parts={CONSOLE: build_console(core, address_of)},
    )
    return Gateway(
        application,
        host=settings.host,
        port=settings.port,
        is_proxy=trusted((*settings.trusted_proxies, *THIS_MACHINE)),
        leaving=leaving,
        finish=settings.finish,
    )
