"""The system under test: gateway, stores and the worker's jobs in one process, one company, vendors beside it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import RowMapping, func, select

from bot.app import Core
from bot.attempts import Attempts
from bot.lane import LEASE, Job
from db.models import accepted_updates, work
from db.records import (
    Channel,
    ChannelType,
    Claim,
    CompanyId,
    Dialogue,
    DialogueId,
    DialogueState,
    StoredUpdate,
    WorkKind,
)
from handlers.base import ChannelDispatch, TurnCollector, UnreadableUpdate
from middlewares.fsm import StateBuffer, current_state

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PUBLIC = "https://voice.example"
MOST_ROUNDS = 60
_RAW_S = 30
SECRET = "a secret of the fuzzing alone"  # noqa: S105


@dataclass
class Clock:
    """A clock that only the run moves."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass(frozen=True, slots=True)
class Door:
    """A channel and the token of its address."""

    channel: Channel
    token: str


@dataclass(slots=True, kw_only=True)
class House:
    """`failures`: what went wrong in the worker since it was last asked, by dialogue; each dialogue once."""

    core: Core
    clock: Clock
    company_id: CompanyId
    url: str
    http: aiohttp.ClientSession
    doors: Mapping[str, Door]
    crm_token: str
    jobs: Mapping[WorkKind, Job]
    channels: Mapping[ChannelType, ChannelDispatch]
    clients: int = 0
    numbers: int = 0
    failures: list[str] = field(default_factory=list)
    _failed: set[object] = field(default_factory=set)

    def new_client(self) -> int:
        """Return the number of a client whom nobody has met."""
        self.clients += 1
        return 77_000_100_000 + self.clients

    def new_number(self) -> int:
        self.numbers += 1
        return 8_800_100_000 + self.numbers

    async def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Post a body as it is; return status and answer."""
        if any(not value.isascii() or not value.isprintable() for value in (headers or {}).values()):
            return await self._raw("POST", path, body, headers or {})
        async with self.http.post(f"{self.url}{path}", data=io.BytesIO(body), headers=headers) as response:
            return response.status, await response.read()

    async def get_raw(self, path: str, headers: Mapping[str, str]) -> int:
        """Get with headers of any bytes; return the status."""
        status, _ = await self._raw("GET", path, b"", headers)
        return status

    async def _raw(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Ask with headers that no decent client sends: each letter is one byte."""
        place = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        fields = {"Host": place.netloc, "Content-Length": str(len(body)), "Connection": "close", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
            await writer.drain()
            answer = await asyncio.wait_for(reader.read(), _RAW_S)
        finally:
            writer.close()
        first, _, rest = answer.partition(b"\r\n")
        return int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]

    async def settle(self, kind: WorkKind = WorkKind.TURN) -> set[DialogueId]:
        """Do what is due, and what rests, until nothing is left; return what was worked on.

        What fails is kept in `failures`, and put aside at its second try.
        """
        job, worked_on = self.jobs[kind], set[DialogueId]()
        attempts = Attempts(job, self.core.work, self.clock)
        for _ in range(MOST_ROUNDS):
            claims = await self.core.work.claim("fuzz", limit=8, ttl=LEASE, kind=kind)
            worked_on.update(claim.dialogue_id for claim in claims)
            waits = [await self._attempt(attempts, job, claim) for claim in claims]
            rests = [one for one in waits if one is not None]
            if rests:
                self.clock.advance(max(rests))
            elif not claims:
                return worked_on
        self.failures.append(f"{kind.value}: not settled after {MOST_ROUNDS} rounds")
        return worked_on

    async def _attempt(self, attempts: Attempts, job: Job, claim: Claim) -> timedelta | None:
        """Work on one claim; return how long it asks to rest."""
        key, errors = (claim.kind, claim.dialogue_id), list[str]()

        async def act() -> None:
            try:
                await job(claim)
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}"[:600])
                raise

        attempt = await attempts.make(claim, act if claim.attempts == 0 else partial(job.give_up, claim))
        if attempt.outcome == "failed" and key not in self._failed:
            self._failed.add(key)
            self.failures.append(f"{claim.kind.value}: {errors}: {await self._first_waiting(claim)!r}")
        return attempt.again_in

    async def _first_waiting(self, claim: Claim) -> bytes:
        """Return the update at the head: what it was about, most likely."""
        async with self.core.database.company(self.company_id) as tx:
            waiting = await self.core.inbox.list_waiting(tx, claim.dialogue_id, limit=1)
        return waiting[0].payload[:1200] if waiting else b""

    async def skim(self) -> None:
        """Read what is due through the channels' handlers as the worker does, and call it done without an answer.

        Ten times faster than `settle`: what is left out is the turn that would answer.
        """
        claims = await self.core.work.claim("fuzz", limit=200, ttl=LEASE, kind=WorkKind.TURN)
        channels = {door.channel.id: door.channel for door in self.doors.values()}
        async with self.core.database.company(self.company_id) as tx:
            if not claims:
                return
            rows = await tx.connection.execute(
                select(accepted_updates)
                .where(
                    accepted_updates.c.company_id == self.company_id,
                    accepted_updates.c.dialogue_id.in_([claim.dialogue_id for claim in claims]),
                    accepted_updates.c.done_at.is_(None),
                )
                .order_by(accepted_updates.c.id)
            )
            names = [one.name for one in fields(StoredUpdate)]
            waiting = [StoredUpdate(**{name: row[name] for name in names}) for row in rows.mappings()]
            for update in waiting:
                await self._feed(channels[update.channel_id], update)
            await self.core.inbox.mark_done(tx, [one.id for one in waiting], turn_id=None)
            for claim in claims:
                await self.core.work.done(tx, claim)

    async def _feed(self, channel: Channel, update: StoredUpdate) -> None:
        dialogue = Dialogue(
            id=update.dialogue_id,
            company_id=update.company_id,
            channel_id=update.channel_id,
            key=update.dialogue_key,
        )
        collector = TurnCollector(dialogue=dialogue, now=self.clock())
        token = current_state.set(StateBuffer(DialogueState()))
        try:
            await self.channels[channel.type].feed(channel, update, collector)
            storable(collector)
        except UnreadableUpdate:
            return
        except Exception as error:
            self.failures.append(f"feed: {type(error).__name__}: {error}"[:600] + f": {update.payload[:1200]!r}")
        finally:
            current_state.reset(token)

    def take_failures(self) -> list[str]:
        found, self.failures = self.failures, []
        return found

    async def stored_since(self, channel: Channel, moment: datetime) -> tuple[list[RowMapping], int]:
        """Return what a channel has stored from a moment on, and how many dialogues are still held by somebody."""
        table = accepted_updates.c
        async with self.core.database.company(self.company_id) as tx:
            rows = await tx.connection.execute(
                select(accepted_updates)
                .where(table.company_id == self.company_id, table.channel_id == channel.id, table.accepted_at >= moment)
                .order_by(table.id)
            )
            held = await tx.connection.scalar(
                select(func.count()).where(work.c.company_id == self.company_id, work.c.lease_until.is_not(None))
            )
            return list(rows.mappings()), int(held or 0)


def storable(collector: TurnCollector) -> None:
    """Raise ValueError where something was read that PostgreSQL takes in no text: NUL, or half a character."""
    for read in (*collector.messages, *collector.reports):
        written = repr(read).encode()
        if b"\\x00" in written or b"\\ud" in written:
            raise ValueError(f"not storable: {read!r}"[:500])


async def side_by_side(calls: Sequence[Any], *, most: int = 32) -> list[Any]:
    """Await all of these, so many at once; return what they returned, in order."""
    places = asyncio.Semaphore(most)

    async def one(call: Any) -> Any:
        async with places:
            return await call

    return list(await asyncio.gather(*(one(call) for call in calls)))
