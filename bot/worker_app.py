"""The worker's half of the composition root: the SDKs are imported here and nowhere above the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pydantic import SecretStr

from bot.app import Core
from bot.call_desk import Desk
from bot.catalogue_keeper import CatalogueKeeper, RecentReads
from bot.handover_desk import people_stores
from bot.keyless import KeylessModel
from bot.lane import LEASE, DeadLetters, Job, Lane
from bot.lent import find_lent
from bot.orchestrator_app import build_orchestrator
from bot.scopes import Scopes, open_crm
from bot.settings import Mode, ModelProvider, Settings
from bot.turn_commit import TurnStores
from bot.turn_job import TurnJob
from bot.worker import Worker, new_owner
from bot.worker_jobs import build_jobs
from db.calls import Calls
from db.clients import Clients
from db.dialogue_state import DialogueStates
from db.dialogues import Dialogues
from db.doorbell import POLL, Doorbell
from db.memory import Memory
from db.notices import Notices
from db.outbox import Outbox
from db.records import ChannelType, DialogueId, WorkKind
from db.spending import Spending
from handlers.api.dispatch import ApiDispatch
from handlers.base import ChannelDispatch
from handlers.log_levels import LogLevels
from handlers.telegram.bots import Bots
from handlers.telegram.dispatch import TelegramDispatch, build_dispatcher
from handlers.voice.dispatch import VoiceDispatch
from handlers.whatsapp.dispatch import HANDLERS, WhatsAppDispatch
from handlers.whatsapp.numbers import Numbers
from middlewares.fsm import TurnStorage
from middlewares.tenant import TenantMiddleware, bind_tenant
from middlewares.throttle import ClientThrottle
from orchestration.gemini import GeminiService
from orchestration.model_service import ModelService
from orchestration.orchestrator import Orchestrator
from orchestration.ports import Model

log = structlog.get_logger()

Orchestrate = Callable[[Core, Model], Orchestrator]
_SWEEP_POLL = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerApp:
    """A worker and the parts that the command line uses too. `jobs`: what is done with each kind of work."""

    worker: Worker
    jobs: Mapping[WorkKind, Job]
    scopes: Scopes
    bots: Bots
    channels: Mapping[ChannelType, ChannelDispatch]
    calls: Desk


@asynccontextmanager
async def open_worker(
    core: Core,
    *,
    model: Model | None = None,
    lease: timedelta = LEASE,
    only: DialogueId | None = None,
    more: Mapping[ChannelType, ChannelDispatch] | None = None,
    orchestrate: Orchestrate | None = None,
) -> AsyncIterator[WorkerApp]:
    """Build a worker. `model` replaces Gemini (tests of the model's failures); None: Gemini by the settings.

    `lease`: how long work is held without a sign of life; what another worker waits before it takes over.
    `only`: serve this dialogue and leave everything else to the others. `more`: channels beside those of this version.
    `orchestrate`: what plugs the ports together, for whoever tries the agent out without a part of it.
    """
    bots = Bots(core.open_channel_secrets, api_url=core.settings.telegram_api_url)
    numbers = Numbers(core.open_channel_secrets, HANDLERS, api_url=core.settings.whatsapp_api_url)
    reads = RecentReads(core.clock) if only is None else None
    try:
        async with (
            open_crm(core, reads.noticed if reads else None) as scopes,
            _model(core, model, borrow=only is not None) as chosen,
        ):
            dispatcher = build_dispatcher(TurnStorage(), core.clock)
            dispatcher.update.outer_middleware(TenantMiddleware(scopes))
            channels: dict[ChannelType, ChannelDispatch] = {
                ChannelType.TELEGRAM: TelegramDispatch(bots, dispatcher),
                ChannelType.WHATSAPP: WhatsAppDispatch(numbers, bind_tenant(scopes), core.clock),
                ChannelType.VOICE: VoiceDispatch(),
                ChannelType.API: ApiDispatch(core.answers),
                **(more or {}),
            }
            orchestrator = (orchestrate or build_orchestrator)(core, chosen)
            stores = _turn_stores(core, only)
            turns = _turn_job(core, stores, scopes, channels, orchestrator)
            jobs = build_jobs(core, scopes, channels, turns, chosen, bots)
            parts = _lanes(core, jobs, lease, only)
            keepers = [CatalogueKeeper(reads, scopes)] if reads else []
            worker = Worker([*parts, *keepers])
            calls = Desk(stores, Calls(), core.intake, turns, core.open_channel_secrets, core.clock, owner=new_owner())
            yield WorkerApp(worker=worker, jobs=jobs, scopes=scopes, bots=bots, channels=channels, calls=calls)
    finally:
        await numbers.close()
        await bots.close()


@asynccontextmanager
async def _model(core: Core, given: Model | None, *, borrow: bool) -> AsyncIterator[Model]:
    if given is not None:
        yield given
        return
    opened = open_model(core, borrow=borrow)
    try:
        yield opened
    finally:
        await opened.close()


def open_model(core: Core, *, borrow: bool) -> ModelService | KeylessModel:
    """Make the model of the platform's settings.

    `borrow`: without a key, take the stand-in that a demo of the folder lends. Only the terminal's own dialogue may: a
    client in a messenger is never answered by a script.
    """
    settings = core.settings
    if settings.has_model:
        return open_service(settings)
    log.warning("no_model_key", setting="AI_ADMIN_GEMINI_API_KEY", effect="clients are told that a person will answer")

    def find_url() -> str | None:
        lent = find_lent(settings.data_dir) if borrow and settings.mode is Mode.DEVELOPMENT else None
        return lent.gemini_url if lent else None

    return KeylessModel(find_url, lambda url: _open_gemini(settings, url))


def open_service(settings: Settings) -> ModelService:
    """Make the model of settings that name one."""
    if settings.model_provider is ModelProvider.OPENAI:
        return _open_openai(settings)
    return _open_gemini(settings, settings.gemini_api_url)


def _open_openai(settings: Settings) -> ModelService:
    # Two seconds of imports that an installation with Gemini does not need.
    from orchestration.openai_compatible import OpenAICompatibleService

    return OpenAICompatibleService(
        # A model of one's own on the same network may want no key.
        api_key=settings.openai_api_key or SecretStr("not-set"),
        model=settings.model_name,
        fallback_model=settings.openai_fallback_model,
        api_url=settings.openai_api_url,
    )


def _open_gemini(settings: Settings, api_url: str | None) -> GeminiService:
    return GeminiService(
        # A proxy of one's own may know the key itself, and the demo's stand-in wants none.
        api_key=settings.gemini_api_key or SecretStr("not-set"),
        model=settings.gemini_model,
        fallback_model=settings.gemini_fallback_model,
        api_url=api_url,
        api_version=settings.gemini_api_version,
        cache_from_chars=settings.gemini_cache_from_chars,
    )


def _doorbell(core: Core, only: DialogueId | None) -> Doorbell:
    """Return the bell to hear: who serves one dialogue must not hear the rings that are meant for the others."""
    return core.doorbell if only is None else core.doorbell.of(only)


def _turn_stores(core: Core, only: DialogueId | None) -> TurnStores:
    return TurnStores(
        database=core.database,
        inbox=core.inbox,
        work=core.work,
        outbox=Outbox(core.clock),
        dialogues=Dialogues(),
        clients=Clients(),
        states=DialogueStates(core.redis, core.redis_prefix),
        spending=Spending(),
        notices=Notices(),
        memory=Memory(),
        people=people_stores(core),
        directory=core.directory,
        companies=core.companies,
        doorbell=_doorbell(core, only),
    )


def _turn_job(
    core: Core,
    stores: TurnStores,
    scopes: Scopes,
    channels: Mapping[ChannelType, ChannelDispatch],
    orchestrator: Orchestrator,
) -> TurnJob:
    throttle = ClientThrottle(core.limits, per_minute=core.settings.client_messages_per_minute)
    quiet = timedelta(seconds=core.settings.quiet_seconds)
    return TurnJob(stores, scopes, channels, orchestrator, throttle, core.clock, quiet=quiet)


def _lanes(core: Core, jobs: Mapping[WorkKind, Job], lease: timedelta, only: DialogueId | None) -> list[Lane]:
    settings, doorbell, owner = core.settings, _doorbell(core, only), new_owner()
    levels = LogLevels(core.directory, core.clock)

    def lane(kind: WorkKind, *, places: int, poll: timedelta = POLL) -> Lane:
        rule = DeadLetters(tries=settings.work_tries)
        return Lane(
            kind,
            jobs[kind],
            core.work,
            # Nobody waits for a sweep, and a worker must not wait longer for Redis than Redis may take to answer.
            doorbell if kind in (WorkKind.TURN, WorkKind.DELIVERY) else None,
            core.clock,
            owner=owner,
            places=places,
            lease=lease,
            poll=poll,
            dead_letters=rule,
            only=only,
            levels=levels,
        )

    lanes = [
        lane(WorkKind.TURN, places=settings.turns_at_once),
        lane(WorkKind.DELIVERY, places=settings.turns_at_once),
    ]
    by_the_clock = [
        lane(WorkKind.SWEEP, places=2, poll=_SWEEP_POLL),
        lane(WorkKind.CRM, places=4),
        lane(WorkKind.MEMORY, places=2, poll=_SWEEP_POLL),
        lane(WorkKind.REMINDER, places=4),
        lane(WorkKind.WAITING, places=4),
        lane(WorkKind.CARE, places=2),
        lane(WorkKind.MIRROR, places=4),
        lane(WorkKind.HANDOVER, places=2),
        lane(WorkKind.SICK, places=2),
    ]
    return lanes if only is not None else [*lanes, *by_the_clock]
