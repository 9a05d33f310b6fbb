"""A million dialogues: what the claim of the next one costs beside them, and how what is old goes.

Two databases with the schema as it is: one with a few dialogues, one with a million, their work at rest and two million
messages in the partitions of two years (FULL=1: twenty million). In both a queue of the same length waits. A worker
claims one, ends it, and another dialogue rings.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory, gettempdir
from uuid import UUID

import asyncpg

from bench.crowd import Tenant, driver_url, gather
from bench.rounds import Rounds, in_turn
from bench.system import step_beside
from bot.app import Core, open_core
from bot.settings import Settings
from db.embedded import start_embedded
from db.partitions import drop_partitions
from db.privacy import Retention
from db.records import NO_SUBJECT, ChannelId, CompanyId, DialogueId, WorkKind
from db.retention import RetentionSweeps
from db.work import ring

DIALOGUES, COMPANIES, MESSAGES_EACH, FULL_EACH = 1_000_000, 1_000, 2, 20
FEW = 200
"""Dialogues of the almost empty database."""
ROUNDS, CLAIMS = 5, 2_000
WAITING = 100
"""So many dialogues are due at any time, in both."""
SWEPT = 50
"""So many companies are swept for the rate of rows."""
MONTHS = 24
_TERM = Retention(texts=180)
"""What the swept companies keep: less than the year of those that say nothing."""
_BYTES_A_MESSAGE, _BYTES_A_DIALOGUE = 1_100, 2_200
"""Rows, their indexes, and the log that is written with them: a third more than was seen."""
_TTL = timedelta(seconds=12)
_WORDS = "Здравствуйте! Подскажите, пожалуйста, сколько стоит стрижка и когда можно прийти?"
_SESSIONS = ("company_id", "id", "channel_id", "key", "last_message_at", "created_at")
_WORK = ("company_id", "dialogue_id", "kind", "subject_id", "channel_id", "wake", "fence")
_MESSAGES = ("company_id", "id", "at", "dialogue_id", "turn_id", "author", "text")


class TooLittleDisk(Exception):
    """The rows would not fit; the message says how much is missing."""


@dataclass(slots=True, kw_only=True)
class Store:
    """A database with dialogues in it. `dialogue(n)`: the n-th."""

    core: Core
    tenants: Sequence[Tenant]
    channels: Sequence[ChannelId]
    dialogues: int
    chance: random.Random

    def dialogue(self, number: int) -> tuple[CompanyId, ChannelId, DialogueId]:
        place = number % len(self.tenants)
        return (
            self.tenants[place].company_id,
            self.channels[place],
            DialogueId(UUID(int=(7 << 76) | (2 << 62) | number)),
        )

    async def ring_one(self) -> None:
        company_id, channel_id, dialogue_id = self.dialogue(self.chance.randrange(self.dialogues))
        async with self.core.database.company(company_id) as tx:
            await ring(tx, dialogue_id=dialogue_id, channel_id=channel_id, kind=WorkKind.TURN, due_at=self.core.clock())

    async def claims_ms(self, many: int) -> list[float]:
        """Claim so many, one after another, as a worker with one free place does; return what each claim took."""
        took = []
        for _ in range(many):
            began = time.perf_counter()
            [claim] = await self.core.work.claim("bench", limit=1, ttl=_TTL, kind=WorkKind.TURN)
            took.append((time.perf_counter() - began) * 1000)
            async with self.core.database.company(claim.company_id) as tx:
                await self.core.work.done(tx, claim)
            await self.ring_one()
        return took


async def measure(
    *, dialogues: int = DIALOGUES, companies: int = COMPANIES, rounds: int = ROUNDS, claims: int = CLAIMS
) -> dict[str, float]:
    """Fill both databases, claim in them in turn, then let what is old go. Raises TooLittleDisk before anything."""
    each = FULL_EACH if os.environ.get("FULL") == "1" else MESSAGES_EACH
    check_disk(dialogues, dialogues * each, free=shutil.disk_usage(gettempdir()).free)
    step_beside()
    async with AsyncExitStack() as stack:
        stores = {
            "few": await _open(stack, min(FEW, dialogues), min(10, companies), each),
            "many": await _open(stack, dialogues, companies, each),
        }
        for store in stores.values():
            for _ in range(WAITING):
                await store.ring_one()
            await store.claims_ms(min(200, claims))
        found, medians = await _in_rounds(stores, rounds, claims)
        gone = await _retention(stores["many"], dialogues * each)
    return {
        "dialogues_1m": round(found.ratio("many"), 2),
        "dialogues_claim_p50_ms": round(medians["many"], 2),
        "dialogues_claim_p99_ms": round(found.value("many"), 2),
        "dialogues_few_claim_p50_ms": round(medians["few"], 2),
        "dialogues_few_claim_p99_ms": round(found.value("few"), 2),
        "dialogues_aa_spread": round(found.spread, 3),
        "dialogues_messages": dialogues * each,
        **gone,
    }


def check_disk(dialogues: int, messages: int, *, free: int) -> None:
    """Raise TooLittleDisk where so many rows would not fit into so many bytes, with a gigabyte left over."""
    needed = dialogues * _BYTES_A_DIALOGUE + messages * _BYTES_A_MESSAGE + 1_000_000_000
    if free < needed:
        raise TooLittleDisk(
            f"{messages:,} messages need {needed / 1e9:.1f} GB in {gettempdir()}, and {free / 1e9:.1f} GB are free;"
            " TMPDIR names another place"
        )


async def _in_rounds(stores: dict[str, Store], rounds: int, claims: int) -> tuple[Rounds, dict[str, float]]:
    """Return the p99s by round, and the median of each store's claims."""
    every: dict[str, list[float]] = {name: [] for name in stores}

    async def p99(name: str) -> float:
        took = await stores[name].claims_ms(claims)
        every[name] += took
        return quantiles(took, n=100)[98]

    found = await in_turn({"few": lambda: p99("few"), "many": lambda: p99("many")}, floor="few", rounds=rounds)
    return found, {name: median(took) for name, took in every.items()}


async def _open(stack: AsyncExitStack, dialogues: int, companies: int, each: int) -> Store:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="ai-admin-bench-")))
    servers = (await stack.enter_async_context(await start_embedded(folder / "servers"))).servers
    settings = Settings(_env_file=None, data_dir=folder, database_url=servers.database_url, redis_url=servers.redis_url)
    core = await stack.enter_async_context(open_core(settings))
    tenants = await gather(core, companies)
    connection = await asyncpg.connect(driver_url(core.owner_url))
    try:
        rows = await connection.fetch("SELECT company_id, id FROM company_channels")
        by_company = {CompanyId(row["company_id"]): ChannelId(row["id"]) for row in rows}
        channels = [by_company[one.company_id] for one in tenants]
        store = Store(core=core, tenants=tenants, channels=channels, dialogues=dialogues, chance=random.Random(5))
        await _fill(connection, store, each)
    finally:
        await connection.close()
    return store


async def _fill(connection: asyncpg.Connection, store: Store, each: int) -> None:
    now = datetime.now(UTC)
    first = (now - timedelta(days=30.4 * (MONTHS - 1))).date()
    await connection.execute("SELECT ai_admin_make_partitions($1, $2)", first, now.date())
    await connection.copy_records_to_table("sessions", records=_sessions(store, now), columns=_SESSIONS)
    await connection.copy_records_to_table("work", records=_resting(store), columns=_WORK)
    await connection.copy_records_to_table("messages", records=_messages(store, each, now), columns=_MESSAGES)
    await connection.execute("VACUUM ANALYZE")


def _sessions(store: Store, now: datetime) -> Iterator[tuple[object, ...]]:
    for number in range(store.dialogues):
        company_id, channel_id, dialogue_id = store.dialogue(number)
        yield company_id, dialogue_id, channel_id, f"{number}:{number}:", now, now


def _resting(store: Store) -> Iterator[tuple[object, ...]]:
    """Of each dialogue the work that it leaves behind once it was answered: a turn and a delivery, neither due."""
    for number in range(store.dialogues):
        company_id, channel_id, dialogue_id = store.dialogue(number)
        for kind in (WorkKind.TURN, WorkKind.DELIVERY):
            yield company_id, dialogue_id, kind.value, NO_SUBJECT, channel_id, 3, 3


def _messages(store: Store, each: int, now: datetime) -> Iterator[tuple[object, ...]]:
    """Spread over the months; ids grow with time, as ours do."""
    total = store.dialogues * each
    begins = now - timedelta(days=30.4 * (MONTHS - 1))
    step = (now - begins) / total
    for number in range(total):
        company_id, _, dialogue_id = store.dialogue(number % store.dialogues)
        at = begins + step * number
        id_ = UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number)
        yield company_id, id_, at, dialogue_id, id_, "client" if number % 2 else "agent", _WORDS


async def _retention(store: Store, messages: int) -> dict[str, float]:
    """Drop the months past the longest term, then sweep some companies by a shorter one.

    Raises RuntimeError where a month stayed that should have gone, or words that should have gone are still there.
    """
    core, now = store.core, store.core.clock()
    began = time.perf_counter()
    dropped = await drop_partitions(core.database, today=now.date())
    took = time.perf_counter() - began
    connection = await asyncpg.connect(driver_url(core.owner_url))
    try:
        left, oldest = await connection.fetchrow("SELECT count(*), min(at) FROM messages")
        # A month goes once its last day is old, and a day later: what is left is a month and two days older at most.
        if not dropped or oldest < now - timedelta(days=Retention().texts + 33):
            raise RuntimeError(f"{dropped} months were dropped, and the oldest words are of {oldest:%Y-%m-%d}")
        rows, swept_s = await _sweep(store, now)
        companies = [one.company_id for one in store.tenants[:SWEPT]]
        old = await connection.fetchval(
            "SELECT count(*) FROM messages WHERE company_id = ANY($1) AND at < $2",
            companies, now - timedelta(days=_TERM.texts),
        )  # fmt: skip
        if old:
            raise RuntimeError(f"{old} messages are older than their companies keep them")
    finally:
        await connection.close()
    return {
        "retention_drop_s": round(took, 3),
        "retention_dropped_months": dropped,
        "retention_dropped_rows": messages - left,
        "retention_delete_rows_per_s": round(rows / swept_s),
    }


async def _sweep(store: Store, now: datetime) -> tuple[int, float]:
    """Sweep companies as the worker does, batch after batch; return how many rows went, and the seconds."""
    sweeps, gone, began = RetentionSweeps(), 0, time.perf_counter()
    for tenant in store.tenants[:SWEPT]:
        batch = 1
        while batch:
            async with store.core.database.company(tenant.company_id) as tx:
                batch = await sweeps.sweep(tx, _TERM, now=now)
            gone += batch
    return gone, time.perf_counter() - began
