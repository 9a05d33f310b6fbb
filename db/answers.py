"""Waiting for the reply to one accepted update: for callers who want the answer in the same breath."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select

from db.engine import Database
from db.models import accepted_updates
from db.outbox_models import replies
from db.records import Channel, DialogueId

log = structlog.get_logger()

_POLL_S = 1.0
_BELL_TTL_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of an update. `done` False: not yet; `replies` are channel-neutral replies as JSON."""

    done: bool
    replies: tuple[Mapping[str, Any], ...]


class Answers:
    """Reads answers from the outbox; a bell in Redis spares the waiting, a lost ring costs at most a second."""

    def __init__(self, database: Database, redis: Redis, prefix: str) -> None:
        self._database = database
        self._redis = redis
        self._prefix = prefix

    async def find(self, channel: Channel, update_key: str) -> Answer | None:
        """Return what became of the update; None where none was ever accepted under this key."""
        async with self._database.company(channel.company_id) as tx:
            updates = accepted_updates.c
            found = (
                await tx.connection.execute(
                    select(updates.turn_id, updates.done_at, updates.dead_at).where(
                        updates.company_id == channel.company_id,
                        updates.channel_id == channel.id,
                        updates.update_key == update_key,
                    )
                )
            ).first()
            if found is None:
                return None
            if found.turn_id is None:
                return Answer(done=found.done_at is not None or found.dead_at is not None, replies=())
            rows = await tx.connection.execute(
                select(replies.c.payload)
                .where(
                    replies.c.company_id == channel.company_id,
                    replies.c.channel_id == channel.id,
                    replies.c.turn_id == found.turn_id,
                )
                .order_by(replies.c.id)
            )
            return Answer(done=True, replies=tuple(row.payload for row in rows))

    async def wait(
        self, channel: Channel, update_key: str, dialogue_id: DialogueId, *, within: timedelta
    ) -> Answer | None:
        """Return the finished answer, None where it is not there `within` that time."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                while True:
                    answer = await self.find(channel, update_key)
                    if answer is not None and answer.done:
                        return answer
                    await self._listen(dialogue_id)
        except TimeoutError:
            return None

    async def ring(self, dialogue_id: DialogueId) -> None:
        """Wake who waits for this dialogue."""
        key = self._key(dialogue_id)
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.rpush(key, 1)
                pipeline.ltrim(key, -10, -1)
                pipeline.expire(key, _BELL_TTL_S)
                await pipeline.execute()
        except RedisError as error:
            log.warning("answer_not_rung", error=type(error).__name__)

    async def _listen(self, dialogue_id: DialogueId) -> None:
        try:
            rung: Any = self._redis.blpop([self._key(dialogue_id)], timeout=_POLL_S)
            await rung
        except RedisError as error:
            log.warning("answers_not_heard", error=type(error).__name__)
            await asyncio.sleep(_POLL_S)

    def _key(self, dialogue_id: DialogueId) -> str:
        return f"{self._prefix}answer:{dialogue_id}"
