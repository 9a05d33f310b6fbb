"""The figures that have to be asked for: what waits in the database, whether the servers answer, the pool's use.

Every worker asks the same database, so each shows the same queue: over processes the largest is meant, not the sum.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from prometheus_client import Gauge

from bot.app import Core
from db.backlog import Backlog, BacklogReader
from db.errors import DBError

log = structlog.get_logger()

EVERY = timedelta(seconds=15)

QUEUE_LENGTH = Gauge("ai_admin_queue_length", "Work that is due and that nobody holds.", ["kind"])
QUEUE_AGE = Gauge("ai_admin_queue_age_seconds", "How long the oldest of it has been due.", ["kind"])
OUTBOX_LENGTH = Gauge("ai_admin_outbox_length", "Replies that the messengers have not taken yet.")
OUTBOX_AGE = Gauge("ai_admin_outbox_age_seconds", "How long the oldest of them has waited.")
DEAD = Gauge("ai_admin_dead_letters", "Updates on the dead list.")
BROKEN = Gauge(
    "ai_admin_company_channel_broken", "1: the messenger refuses the channel's credentials.", ["company", "channel"]
)
DATABASE_UP = Gauge("ai_admin_database_up", "1: PostgreSQL answered when it was last asked.")
REDIS_UP = Gauge("ai_admin_redis_up", "1: Redis answered when it was last asked.")
POOL = Gauge("ai_admin_database_pool_connections", "This process's connections to PostgreSQL.", ["state"])


async def keep_gauges(core: Core, *, counts: bool, every: timedelta = EVERY) -> None:
    """Refresh the figures until cancelled. `counts`: also what waits over all companies."""
    while True:
        await refresh(core, counts=counts)
        await asyncio.sleep(every.total_seconds())


async def refresh(core: Core, *, counts: bool) -> None:
    """Ask once. Never raises for a server that does not answer: that is a figure."""
    POOL.labels("in_use").set(core.database.connections_in_use)
    POOL.labels("free").set(core.database.connections_free)
    REDIS_UP.set(await core.redis_answers())
    DATABASE_UP.set(await core.database_answers())
    if not counts:
        return
    try:
        _show(await BacklogReader(core.database, core.clock).read())
    except DBError as error:
        log.warning("figures_not_read", error=type(error).__name__)


def _show(figures: Backlog) -> None:
    for kind, queue in figures.work.items():
        QUEUE_LENGTH.labels(kind.value).set(queue.length)
        QUEUE_AGE.labels(kind.value).set(queue.age.total_seconds())
    OUTBOX_LENGTH.set(figures.outbox.length)
    OUTBOX_AGE.set(figures.outbox.age.total_seconds())
    DEAD.set(figures.dead)
    BROKEN.clear()
    for slug, channel in figures.broken:
        BROKEN.labels(slug, channel.value).set(1)
