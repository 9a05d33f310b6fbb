"""The dialogue's FSM: PostgreSQL is the truth, written with the turn's commit; Redis holds a copy for speed.

The copy is made after the commit and may be lost or late: it counts only where its version is the row's own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import bindparam, select, update

from db.engine import Transaction
from db.models import sessions
from db.records import Channel, CompanyId, Dialogue, DialogueId, DialogueState
from db.statements import Statement

log = structlog.get_logger()

_TTL = timedelta(days=2)
_FORGOTTEN_FOR = timedelta(minutes=1)
_NEWEST = 2**53
"""A version that no state reaches: what stands under it is taken for no dialogue's."""

# An older copy that comes late takes no newer one's place.
_COPY = """
local kept = redis.call('GET', KEYS[1])
if kept and cjson.decode(kept).version > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1
"""

_this = (sessions.c.company_id == bindparam("company"), sessions.c.id == bindparam("dialogue"))
_VERSION = Statement(select(sessions.c.state_version).where(*_this))
_STATE = Statement(select(sessions.c.state, sessions.c.state_data, sessions.c.state_version).where(*_this))
_SAVE = Statement(
    update(sessions)
    .where(*_this)
    .values(state=bindparam("new_state"), state_data=bindparam("new_data"), state_version=bindparam("new_version"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateKey:
    """Names a state by everything that tells two conversations apart; leaving the bot out would mix companies."""

    company_id: CompanyId
    channel: str
    bot: str
    dialogue: str
    """Chat, user and business connection: the dialogue's key."""

    def redis_key(self, prefix: str) -> str:
        return f"{prefix}fsm:{{{self.company_id}}}:{self.channel}:{self.bot}:{self.dialogue}"


def key_of(channel: Channel, dialogue: Dialogue) -> StateKey:
    """Return the key of a dialogue's state."""
    return StateKey(
        company_id=channel.company_id, channel=channel.type.value, bot=channel.external_id, dialogue=dialogue.key
    )


class DialogueStates:
    """Reads at the claim, writes with the turn, copies after the commit."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    async def load(self, tx: Transaction, dialogue_id: DialogueId, key: StateKey) -> DialogueState:
        """Return the state: Redis's copy where it is the row's version, else PostgreSQL's own."""
        row = await tx.row(_VERSION, company=tx.company, dialogue=dialogue_id)
        version = row["state_version"] if row is not None else 0
        if not version:
            return DialogueState()
        copy = await self._read(key)
        if copy is not None and copy.version == version:
            return copy
        [found] = await tx.rows(_STATE, company=tx.company, dialogue=dialogue_id)
        return DialogueState(state=found["state"], data=found["state_data"], version=found["state_version"])

    async def load_durable(self, tx: Transaction, dialogue_id: DialogueId) -> DialogueState:
        """Return the state as PostgreSQL has it."""
        found = await tx.row(_STATE, company=tx.company, dialogue=dialogue_id)
        if found is None:
            return DialogueState()
        return DialogueState(state=found["state"], data=found["state_data"], version=found["state_version"])

    async def save(self, tx: Transaction, dialogue_id: DialogueId, state: DialogueState) -> DialogueState:
        """Write the state with the caller's transaction; return it with its new version."""
        saved = DialogueState(state=state.state, data=state.data, version=state.version + 1)
        arguments = {
            "company": tx.company,
            "dialogue": dialogue_id,
            "new_state": saved.state,
            "new_data": dict(saved.data),
            "new_version": saved.version,
        }
        await tx.run(_SAVE, **arguments)
        return saved

    async def copy(self, key: StateKey, state: DialogueState) -> None:
        """Copy a committed state to Redis. Never raises: without the copy PostgreSQL answers."""
        value = json.dumps({"state": state.state, "data": dict(state.data), "version": state.version})
        try:
            copied: Any = self._redis.eval(
                _COPY, 1, key.redis_key(self._prefix), value, str(state.version), str(_TTL // timedelta(seconds=1))
            )
            await copied
        except RedisError as error:
            log.warning("state_not_copied", error=type(error).__name__)

    async def _read(self, key: StateKey) -> DialogueState | None:
        try:
            raw = await self._redis.get(key.redis_key(self._prefix))
        except RedisError as error:
            log.warning("state_not_read", error=type(error).__name__)
            return None
        if raw is None:
            return None
        kept = json.loads(raw)
        return DialogueState(state=kept["state"], data=kept["data"], version=kept["version"])


async def forget_state(redis: Redis, redis_key: str) -> None:
    """Delete the copy, and let none that is still being made come back. Raises RedisError."""
    nothing = json.dumps({"state": None, "data": {}, "version": _NEWEST})
    await redis.set(redis_key, nothing, ex=_FORGOTTEN_FOR)
