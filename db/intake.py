"""The way in: accepted updates, stored and committed before the messenger hears yes.

Concurrent calls share one statement and one commit. Nobody waits for company: the first caller's group is itself, and
those that come while it is being stored make the next one. Channels are dealt out to a few desks, each of which stores
one group at a time: that keeps the order in which a channel's updates came, and the next group is made while the
database works on the last.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, TIMESTAMP
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import Text, Uuid

from db.doorbell import POLL, Doorbell
from db.engine import Database
from db.errors import DatabaseUnavailable, TooManyUpdates
from db.limits import Ask, Budget, Grant, RateLimits
from db.petty_cash import PettyCash
from db.records import Accepted, Channel, WorkKind, dialogue_id_of, new_id
from db.statements import Statement

MOST_IN_GROUP = 500
DESKS = 2
MOST_WAITING = 5_000
"""More than the database can take in seconds: the messenger is told to come again."""

_COMPANY = "company:"

_moments = ARRAY(TIMESTAMP(timezone=True))
_ACCEPT = Statement(
    text(
        "SELECT ai_admin_accept(:company_ids, :channel_ids, :dialogue_ids, :ids, :dialogue_keys, :update_keys,"
        " :payloads, :accepted_at, :due_at, :traces) AS new"
    ).bindparams(
        bindparam("company_ids", type_=ARRAY(Uuid)),
        bindparam("channel_ids", type_=ARRAY(Uuid)),
        bindparam("dialogue_ids", type_=ARRAY(Uuid)),
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("dialogue_keys", type_=ARRAY(Text)),
        bindparam("update_keys", type_=ARRAY(Text)),
        bindparam("payloads", type_=ARRAY(BYTEA)),
        bindparam("accepted_at", type_=_moments),
        bindparam("due_at", type_=_moments),
        bindparam("traces", type_=ARRAY(Text)),
    )
)


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """One caller's updates, and the future that tells how many of them were new."""

    channel: Channel
    updates: Sequence[tuple[UUID, Accepted]]
    came_at: datetime
    quiet: timedelta
    rated: Sequence[str]
    """The budgets that it is counted against."""
    trace: str | None
    stored: asyncio.Future[int]


@dataclass(slots=True)
class _Desk:
    """Callers that wait to be stored, in order, and what stores them now."""

    waiting: deque[_Call] = field(default_factory=deque)
    storing: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeBudgets:
    """What one company may bring in, and what one address may (a messenger's own carries many companies)."""

    company: Budget
    address: Budget


class Intake:
    """Stores updates, rings their dialogues' work, and commits."""

    def __init__(
        self, database: Database, clock: _Clock, doorbell: Doorbell, limits: RateLimits, budgets: IntakeBudgets
    ) -> None:
        self._database = database
        self._clock = clock
        self._doorbell = doorbell
        self._limits = limits
        self._budgets = budgets
        self._petty_cash = PettyCash()
        self._desks = [_Desk() for _ in range(DESKS)]

    async def accept(
        self,
        channel: Channel,
        updates: Sequence[Accepted],
        *,
        quiet: timedelta,
        address: str | None = None,
        trace: str | None = None,
    ) -> int:
        """Store a channel's updates; return how many were new.

        `quiet`: how long the dialogue's turn waits for the rest of a burst. `address`: who brought them; None for what
        we fetched ourselves. `trace`: the W3C traceparent that the turn goes on with. Raises DatabaseUnavailable or
        TooManyUpdates (the company or the address is over its rate): then nothing was stored.
        """
        if not updates:
            return 0
        if sum(len(desk.waiting) for desk in self._desks) >= MOST_WAITING:
            raise DatabaseUnavailable("too many updates are waiting to be stored")
        call = _Call(
            channel,
            [(new_id(), update) for update in updates],
            self._clock(),
            quiet,
            _rated(channel, address),
            trace,
            asyncio.get_running_loop().create_future(),
        )
        desk = self._desks[channel.id.int % DESKS]
        desk.waiting.append(call)
        if desk.storing is None or desk.storing.done():
            desk.storing = asyncio.create_task(self._store_waiting(desk))
        return await call.stored

    async def close(self) -> None:
        """Wait until what is being stored is stored and its bell rung."""
        storing = [desk.storing for desk in self._desks if desk.storing is not None]
        if storing:
            await asyncio.wait(storing)

    async def _store_waiting(self, desk: _Desk) -> None:
        while desk.waiting:
            group: list[_Call] = []
            updates = 0
            while desk.waiting and updates < MOST_IN_GROUP:
                group.append(desk.waiting.popleft())
                updates += len(group[-1].updates)
            try:
                admitted = await self._admit(group)
                if admitted and await self._store(admitted):
                    await self._ring(admitted)
            finally:
                # Whatever went wrong above, nobody is left waiting for ever.
                for call in group:
                    _settle(call, DatabaseUnavailable("the update could not be stored"))

    async def _ring(self, group: Sequence[_Call]) -> None:
        """Ring for what is due at once; a poll finds in time what rests longer than it."""
        due = [call for call in group if call.quiet < POLL or any(update.urgent for _, update in call.updates)]
        if due:
            await self._doorbell.ring(WorkKind.TURN, times=len(due))

    async def _admit(self, group: Sequence[_Call]) -> list[_Call]:
        """Return the calls that companies' and addresses' rates allow, the first come first; refuse the others."""
        counted = Counter(key for call in group for key in call.rated)
        asks = [
            Ask(key, count, self._budgets.company if key.startswith(_COMPANY) else self._budgets.address)
            for key, count in counted.items()
        ]
        # Few keys are busy enough to be asked for: the others cost no command of Redis.
        busy = [ask for ask in asks if not self._petty_cash.covers(ask)]
        grants = {ask.key: Grant(ask.count, timedelta(0)) for ask in asks}
        if busy:
            taken = await self._limits.take(busy)
            grants |= {ask.key: grant for ask, grant in zip(busy, taken, strict=True)}
        left = {key: grant.granted for key, grant in grants.items()}
        admitted = []
        for call in group:
            keys = call.rated
            refused = [grants[key].wait for key in keys if left[key] <= 0]
            if refused:
                _settle(call, TooManyUpdates(max(refused)))
                continue
            for key in keys:
                left[key] -= 1
            admitted.append(call)
        return admitted

    async def _store(self, group: Sequence[_Call]) -> bool:
        """Store a group in one commit and tell its callers; say whether anything was new.

        Where the group cannot be stored together for a reason that is one caller's own, each is stored by itself.
        """
        try:
            new = await self._insert(group)
        except DatabaseUnavailable as error:
            for call in group:
                _settle(call, error)
            return False
        except DBAPIError as error:
            if len(group) == 1:
                _settle(group[0], error)
                return False
            return any([await self._store([call]) for call in group])
        for call in group:
            _settle(call, sum(1 for id_, _ in call.updates if id_ in new))
        return bool(new)

    async def _insert(self, group: Sequence[_Call]) -> set[UUID]:
        rows = [(call, id_, update) for call in group for id_, update in call.updates]
        async with self._database.intake() as tx:
            row = await tx.row(
                _ACCEPT,
                company_ids=[call.channel.company_id for call, _, _ in rows],
                channel_ids=[call.channel.id for call, _, _ in rows],
                dialogue_ids=[dialogue_id_of(call.channel.id, one.dialogue_key) for call, _, one in rows],
                ids=[id_ for _, id_, _ in rows],
                dialogue_keys=[one.dialogue_key for _, _, one in rows],
                update_keys=[one.update_key for _, _, one in rows],
                payloads=[one.payload for _, _, one in rows],
                accepted_at=[call.came_at for call, _, _ in rows],
                due_at=[call.came_at if one.urgent else call.came_at + call.quiet for call, _, one in rows],
                traces=[call.trace for call, _, _ in rows],
            )
        return set(row["new"] if row else ())


def _rated(channel: Channel, address: str | None) -> list[str]:
    """Name the budgets that a call is counted against."""
    company = f"{_COMPANY}{channel.company_id.hex}"
    return [company, f"address:{address}"] if address else [company]


def _settle(call: _Call, outcome: int | Exception) -> None:
    """Tell a caller; one that was cancelled meanwhile needs to hear nothing."""
    if call.stored.done():
        return
    if isinstance(outcome, Exception):
        call.stored.set_exception(outcome)
    else:
        call.stored.set_result(outcome)
