"""Who is behind a webhook token, and everything a turn needs to know of the company: cached, ciphertext only."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from sqlalchemy import Row, bindparam, select

from db import models
from db.companies import NEWS
from db.company_rows import read_channels, read_snapshot
from db.crypto import token_digest
from db.engine import Database
from db.errors import NotFound, TooManyTries
from db.records import BranchId, Channel, ChannelId, ChannelStatus, ChannelType, CompanyId, CompanySnapshot
from db.strangers import Strangers

log = structlog.get_logger()

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_TOKEN = select(
    models.webhook_tokens.c.company_id, models.webhook_tokens.c.channel_id, models.webhook_tokens.c.branch_id
).where(models.webhook_tokens.c.digest == bindparam("digest"))
_UNKNOWN_TTL = timedelta(seconds=30)
"""A new channel's token was told to nobody before, and its news empties this."""
_RECONNECT_S = 2.0
_SILENCE_S = 15.0
"""After so long without a word the connection for news is asked whether it lives, and given up after twice as long."""
_MOST_AT_ADDRESS = 20


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class _Cache(Generic[K, V]):
    """The newest of a bounded number of values, each for as long as `ttl` says now."""

    def __init__(self, most: int, clock: _Clock, ttl: Callable[[], timedelta]) -> None:
        self._most = most
        self._clock = clock
        self._ttl = ttl
        self._values: OrderedDict[K, tuple[datetime, V]] = OrderedDict()

    def find(self, key: K) -> tuple[V] | None:
        """Return the value in a tuple of one, so that a kept None differs from nothing kept."""
        kept = self._values.get(key)
        if kept is None or kept[0] + self._ttl() <= self._clock():
            return None
        self._values.move_to_end(key)
        return (kept[1],)

    def keep(self, key: K, value: V) -> None:
        self._values[key] = (self._clock(), value)
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        self._values.pop(key, None)

    def clear(self) -> None:
        self._values.clear()


class Directory:
    """Reads through to PostgreSQL; a change elsewhere is heard over Redis, or forgotten by time.

    `ttl`: how long what was read counts while nothing is heard; `heard_ttl`: while it is (None: no longer). A cold
    company is a few readings, and ten thousand of them every half a minute would be most of what a gateway does.
    """

    def __init__(
        self,
        database: Database,
        *,
        ttl: timedelta,
        max_size: int,
        clock: _Clock,
        strangers: Strangers | None = None,
        heard_ttl: timedelta | None = None,
    ) -> None:
        self._database = database
        self._hears = False
        self._forgotten = 0

        def lifetime() -> timedelta:
            return heard_ttl if self._hears and heard_ttl is not None else ttl

        def of_the_unknown() -> timedelta:
            return _UNKNOWN_TTL

        self._strangers = Strangers(clock) if strangers is None else strangers
        self._tokens: _Cache[bytes, tuple[CompanyId, ChannelId]] = _Cache(max_size, clock, lifetime)
        self._crm_tokens: _Cache[bytes, tuple[CompanyId, BranchId]] = _Cache(max_size, clock, lifetime)
        # Kept apart, so that junk displaces nothing but junk.
        self._unknown: _Cache[bytes, None] = _Cache(max_size, clock, of_the_unknown)
        self._companies: _Cache[CompanyId, tuple[CompanySnapshot, Sequence[Channel]]] = _Cache(
            max_size, clock, lifetime
        )

    async def find_channel(self, webhook_token: str, *, asked_by: str | None = None) -> Channel | None:
        """Return the channel behind a webhook token; None for an unknown token, a closed company or channel.

        `asked_by`: the caller's address, which has so many tries with unknown ones; then TooManyTries is raised before
        the database is asked. What is kept in memory is answered all the same.
        """
        found = await self.find_behind(webhook_token, asked_by=asked_by)
        return found[0] if found else None

    async def find_behind(
        self, webhook_token: str, *, asked_by: str | None = None
    ) -> tuple[Channel, CompanySnapshot] | None:
        """Return the channel behind a webhook token, and its company; as find_channel."""
        digest = token_digest(webhook_token)
        known = self._tokens.find(digest)
        if known is None and not self._unknown.find(digest):
            known = await self._read_token(digest, asked_by)
        return await self._find_open(*known[0]) if known else None

    async def list_at_address(self, type_: ChannelType, address: str) -> Sequence[tuple[Channel, CompanySnapshot]]:
        """Return the open channels of this bot or number, whatever company they are of, each with it; not cached.

        Whoever adds a channel says whose number it is: the caller must check the messenger's proof with each one's own
        secrets before it believes that.
        """
        table = models.webhook_tokens.c
        async with self._database.platform() as tx:
            rows = await tx.connection.execute(
                select(table.company_id, table.channel_id)
                .where(table.address == f"{type_.value}:{address}")
                .limit(_MOST_AT_ADDRESS)
            )
        return [
            found
            for row in rows
            if (found := await self._find_open(CompanyId(row.company_id), ChannelId(row.channel_id))) is not None
        ]

    async def find_crm_branch(
        self, webhook_token: str, *, asked_by: str | None = None
    ) -> tuple[CompanyId, BranchId] | None:
        """Return whose CRM tells with this token; None for an unknown token or a closed company.

        `asked_by` as in find_channel.
        """
        digest = token_digest(webhook_token)
        known = self._crm_tokens.find(digest)
        if known is None and not self._unknown.find(digest):
            known = await self._read_crm_token(digest, asked_by)
        if known is None:
            return None
        try:
            closed = (await self.get_snapshot(known[0][0])).company.disabled
        except NotFound:
            return None
        return None if closed else known[0]

    async def get_snapshot(self, company_id: CompanyId) -> CompanySnapshot:
        """Return the company. Raises NotFound."""
        return (await self._company(company_id))[0]

    async def list_channels(self, company_id: CompanyId) -> Sequence[Channel]:
        """Return the company's channels. Raises NotFound."""
        return (await self._company(company_id))[1]

    async def _company(self, company_id: CompanyId) -> tuple[CompanySnapshot, Sequence[Channel]]:
        """Return all that is kept of a company, read in one transaction. Raises NotFound."""
        kept = self._companies.find(company_id)
        if kept is not None:
            return kept[0]
        forgotten = self._forgotten
        async with self._database.company(company_id) as tx:
            read = (await read_snapshot(tx), await read_channels(tx))
        if forgotten == self._forgotten:
            # Else it may be from before the change that was told of meanwhile, and nobody would tell of it again.
            self._companies.keep(company_id, read)
        return read

    async def get_channel(self, company_id: CompanyId, channel_id: ChannelId) -> Channel:
        """Return a channel of a company. Raises NotFound."""
        return (await self._channel_and_company(company_id, channel_id))[0]

    async def _channel_and_company(
        self, company_id: CompanyId, channel_id: ChannelId
    ) -> tuple[Channel, CompanySnapshot]:
        for _ in range(2):
            snapshot, channels = await self._company(company_id)
            for channel in channels:
                if channel.id == channel_id:
                    return channel, snapshot
            # Named by a token or by work, and not among those that are kept: it was added a moment ago.
            self._companies.drop(company_id)
        raise NotFound(f"there is no channel {channel_id}")

    def forget(self, company_id: CompanyId) -> None:
        """Drop what is kept of a company. Tokens are dropped all: a rotated one is known by its digest only."""
        self._forgotten += 1
        self._companies.drop(company_id)
        self._tokens.clear()
        self._crm_tokens.clear()
        self._unknown.clear()

    def forget_all(self) -> None:
        """Drop everything that is kept."""
        self._forgotten += 1
        for kept in (self._tokens, self._crm_tokens, self._unknown, self._companies):
            kept.clear()

    async def listen(self, redis: Redis, prefix: str = "") -> None:
        """Forget companies as they change, until cancelled. While Redis is away, the time to live decides."""
        while True:
            try:
                async with redis.pubsub() as news:
                    await news.subscribe(f"{prefix}{NEWS}")
                    await self._hear(news)
            except RedisError as error:
                log.warning("directory_deaf", error=type(error).__name__)
                await asyncio.sleep(_RECONNECT_S)
            finally:
                self._hears = False

    async def _hear(self, news: PubSub) -> None:
        """Forget what is told of, as long as the connection lives. Raises RedisError where it does not answer."""
        heard_at = asked_at = time.monotonic()
        while True:
            heard: Any = await news.get_message(timeout=1.0)
            now = time.monotonic()
            if heard is None:
                if now - heard_at > _SILENCE_S * 2:
                    raise RedisConnectionError("the connection for news is dead")
                if now - max(heard_at, asked_at) > _SILENCE_S:
                    # A connection that died without a word would leave us with what was true long ago.
                    asked_at = now
                    await news.ping()
                continue
            heard_at = now
            if heard["type"] == "subscribe":
                # What was told before was not heard.
                self.forget_all()
                self._hears = True
            elif heard["type"] == "message":
                self._forget_named(heard["data"])

    def _forget_named(self, name: object) -> None:
        try:
            self.forget(CompanyId(UUID(str(name))))
        except ValueError:
            log.warning("directory_heard_nonsense")

    async def _find_open(self, company_id: CompanyId, channel_id: ChannelId) -> tuple[Channel, CompanySnapshot] | None:
        try:
            found = await self._channel_and_company(company_id, channel_id)
        except NotFound:
            return None
        closed = found[1].company.disabled or found[0].status is ChannelStatus.DISABLED
        return None if closed else found

    async def _read_token(self, digest: bytes, asked_by: str | None) -> tuple[tuple[CompanyId, ChannelId]] | None:
        row = await self._read(digest, asked_by)
        if row is None or row.channel_id is None:
            return None
        self._strangers.give_back(asked_by)
        named = (CompanyId(row.company_id), ChannelId(row.channel_id))
        self._tokens.keep(digest, named)
        return (named,)

    async def _read_crm_token(self, digest: bytes, asked_by: str | None) -> tuple[tuple[CompanyId, BranchId]] | None:
        row = await self._read(digest, asked_by)
        if row is None or row.branch_id is None:
            return None
        self._strangers.give_back(asked_by)
        named = (CompanyId(row.company_id), BranchId(row.branch_id))
        self._crm_tokens.keep(digest, named)
        return (named,)

    async def _read(self, digest: bytes, asked_by: str | None) -> Row[UUID, UUID | None, UUID | None] | None:
        """Ask the database for a token: a try of the caller, given back for what is found. Raises TooManyTries."""
        wait = self._strangers.try_once(asked_by)
        if wait is not None:
            raise TooManyTries(wait)
        async with self._database.platform() as tx:
            row = (await tx.connection.execute(_TOKEN, {"digest": digest})).first()
        if row is None:
            self._unknown.keep(digest, None)
        return row
