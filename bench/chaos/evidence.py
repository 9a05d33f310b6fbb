"""What is left after a run, read from the database by its owner: rows of all tables that the counting needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import make_url

_UPDATES = """
    SELECT update_key, dialogue_id, dialogue_key, accepted_at, turn_id, done_at, dead_at, error
    FROM accepted_updates ORDER BY dialogue_id, accepted_at, id
"""
_REPLIES = (
    "SELECT dialogue_id, dialogue_key, turn_id, payload, status, channel_message_ids, error FROM replies ORDER BY id"
)
_TURNS = "SELECT id, outcome FROM turns"
_INTENTS = """
    SELECT i.id, i.external_id, i.kind, i.status, i.crm_record_id, i.error, s.key AS dialogue_key
    FROM intents i JOIN sessions s ON s.company_id = i.company_id AND s.id = i.dialogue_id
"""
_UNREST = """
    SELECT (SELECT count(*) FROM work
             WHERE kind NOT IN ('sweep', 'crm', 'memory', 'reminder', 'waiting', 'care')
               AND (due_at IS NOT NULL OR lease_until IS NOT NULL)) AS work,
           (SELECT count(*) FROM replies WHERE status = 'waiting') AS replies,
           (SELECT count(*) FROM accepted_updates WHERE done_at IS NULL AND dead_at IS NULL) AS updates
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    key: int
    dialogue_id: UUID
    dialogue_key: str
    accepted_at: datetime
    turn_id: UUID | None
    done_at: datetime | None
    dead_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReply:
    dialogue_id: UUID
    dialogue_key: str
    turn_id: UUID | None
    text: str
    status: str
    message_ids: tuple[int, ...]
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteIntent:
    id: UUID
    external_id: str
    kind: str
    status: str
    crm_record_id: str | None
    error: str | None
    dialogue_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The database after the run. `updates` in order of acceptance within each dialogue."""

    updates: Sequence[Update]
    replies: Sequence[SentReply]
    outcomes: dict[UUID, str]
    intents: Sequence[WriteIntent]


async def read_stored(owner_url: str) -> Stored:
    """Read all that the counting needs."""
    connection = await connect(owner_url)
    try:
        updates = [_update(row) for row in await connection.fetch(_UPDATES)]
        replies = [_reply(row) for row in await connection.fetch(_REPLIES)]
        outcomes = {row["id"]: row["outcome"] for row in await connection.fetch(_TURNS)}
        intents = [WriteIntent(**dict(row)) for row in await connection.fetch(_INTENTS)]
    finally:
        await connection.close()
    return Stored(updates=updates, replies=replies, outcomes=outcomes, intents=intents)


async def read_unrest(owner_url: str) -> dict[str, int]:
    """Return how much is still under way: work due or held, replies and updates waiting."""
    connection = await connect(owner_url)
    try:
        row = await connection.fetchrow(_UNREST)
    finally:
        await connection.close()
    return {name: int(value) for name, value in dict(row).items() if value}


async def connect(owner_url: str) -> Any:
    """Return a connection of the databases' owner."""
    url = make_url(owner_url)
    return await asyncpg.connect(user=url.username, database=url.database, host=str(url.query["host"]), timeout=10)


def _update(row: Any) -> Update:
    fields = dict(row)
    return Update(key=int(fields.pop("update_key")), **fields)


def _reply(row: Any) -> SentReply:
    fields = dict(row)
    payload, ids = json.loads(fields.pop("payload")), json.loads(fields.pop("channel_message_ids"))
    return SentReply(text=str(payload.get("text", "")).strip(), message_ids=tuple(int(one) for one in ids), **fields)
