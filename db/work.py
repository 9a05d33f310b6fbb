"""The work engine: one row for each thing to be done, claimed under a lease with a fencing number.

A row says only "look at this dialogue": what is to be done stands in the other tables. `wake` counts the rings: those
that come while the row is held make exactly one further claim. `fence` grows with every claim: the commit of a worker
whose lease was lost finds another number and is refused. Times are the injected clock's, so that a test moves them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, Self
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, insert

from db.engine import Database, Transaction
from db.errors import LeaseLost
from db.models import work
from db.records import NO_SUBJECT, ChannelId, Claim, CompanyId, DialogueId, WorkKind
from db.statements import Row, Statement

_KEY = (work.c.company_id, work.c.dialogue_id, work.c.kind, work.c.subject_id)


# The candidates are locked, those of companies at their share left out; each company's are numbered after what it holds
# already, so that the first of every company comes before the second of any. One is taken only while its company holds
# fewer places than are free then: see Share.
_CLAIM = Statement(
    text(
        """
    WITH candidates AS (
        SELECT company_id, dialogue_id, kind, subject_id, due_at, lease_until IS NOT NULL AS lost
        FROM work
        WHERE due_at <= :now AND (lease_until IS NULL OR lease_until < :now)
          AND kind = :kind AND company_id <> ALL (:full) AND dialogue_id = coalesce(:only, dialogue_id)
        ORDER BY due_at LIMIT :looked_at FOR UPDATE SKIP LOCKED
    ), placed AS (
        SELECT c.*, coalesce(h.count, 0)
                    + row_number() OVER (PARTITION BY c.company_id ORDER BY c.due_at, c.dialogue_id) AS place
        FROM candidates c LEFT JOIN unnest(:holders, :held) AS h(company_id, count) USING (company_id)
    ), in_turn AS (
        SELECT *, row_number() OVER (ORDER BY place, due_at, dialogue_id) AS turn FROM placed
    ), chosen AS (
        SELECT * FROM in_turn WHERE place <= :free - (turn - 1) ORDER BY turn LIMIT :limit
    )
    UPDATE work w SET lease_until = :until, owner = :owner, fence = w.fence + 1,
                      lost_leases = w.lost_leases + CASE WHEN c.lost THEN 1 ELSE 0 END
    FROM chosen c
    WHERE w.company_id = c.company_id AND w.dialogue_id = c.dialogue_id AND w.kind = c.kind
      AND w.subject_id = c.subject_id
    RETURNING w.company_id, w.dialogue_id, w.kind, w.subject_id, w.channel_id, w.wake, w.fence, w.attempts,
              w.lost_leases
    """
    ).bindparams(
        bindparam("now", type_=TIMESTAMP(timezone=True)),
        bindparam("until", type_=TIMESTAMP(timezone=True)),
        bindparam("kind", type_=Text),
        bindparam("free", type_=BigInteger),
        bindparam("full", type_=ARRAY(Uuid)),
        bindparam("only", type_=Uuid),
        bindparam("holders", type_=ARRAY(Uuid)),
        bindparam("held", type_=ARRAY(Integer)),
    )
)
_NEXT_DUE = Statement(
    text(
        """
    SELECT min(due_at) FROM work
    WHERE due_at IS NOT NULL AND (lease_until IS NULL OR lease_until < :now)
      AND kind = :kind AND company_id <> ALL (:full) AND dialogue_id = coalesce(:only, dialogue_id)
    """
    ).bindparams(
        bindparam("now", type_=TIMESTAMP(timezone=True)),
        bindparam("kind", type_=Text),
        bindparam("full", type_=ARRAY(Uuid)),
        bindparam("only", type_=Uuid),
    )
)
_mine = (work.c.company_id == bindparam("company"), work.c.dialogue_id == bindparam("dialogue"))
_TAKE = Statement(
    update(work)
    .where(
        *_mine,
        work.c.kind == WorkKind.TURN.value,
        work.c.subject_id == NO_SUBJECT,
        work.c.due_at.is_not(None),
        work.c.lease_until.is_(None) | (work.c.lease_until < bindparam("now")),
    )
    .values(lease_until=bindparam("until"), owner=bindparam("taker"), fence=work.c.fence + 1)
    .returning(*work.c)
)
_rung = insert(work)
_RING = Statement(
    _rung.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={
            "wake": work.c.wake + 1,
            "due_at": func.least(func.coalesce(work.c.due_at, _rung.excluded.due_at), _rung.excluded.due_at),
        },
    ),
    columns=("company_id", "dialogue_id", "kind", "subject_id", "channel_id", "due_at"),
)
_claimed = (
    *_mine,
    work.c.kind == bindparam("of_kind"),
    work.c.subject_id == bindparam("subject"),
    work.c.fence == bindparam("held_fence"),
    work.c.lease_until.is_not(None),
)
_HOLD = Statement(
    select(work.c.fence).where(*_claimed, work.c.lease_until > bindparam("now")).with_for_update(key_share=True)
)
_DONE = Statement(
    update(work)
    .where(*_claimed)
    .values(
        lease_until=None,
        owner=None,
        attempts=0,
        lost_leases=0,
        due_at=case(
            (work.c.wake == bindparam("seen_wake"), bindparam("next_due", type_=TIMESTAMP(timezone=True))),
            else_=bindparam("rung_due", type_=TIMESTAMP(timezone=True)),
        ),
    )
)
_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(minutes=5)


def retry_delay(attempts: int, *, first: timedelta = _FIRST_RETRY, longest: timedelta = _LONGEST_RETRY) -> timedelta:
    """Return how long what failed so often rests: doubling, jittered, bounded."""
    grown = min(longest, first * 2.0 ** min(attempts, 20))
    return grown * random.uniform(0.75, 1.0)  # noqa: S311 (jitter)


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


async def ring(
    tx: Transaction,
    *,
    dialogue_id: DialogueId,
    channel_id: ChannelId,
    kind: WorkKind,
    due_at: datetime,
    subject_id: UUID = NO_SUBJECT,
) -> None:
    """Ask for work within the caller's own transaction. An earlier due time stands."""
    row = {
        "company_id": tx.company,
        "dialogue_id": dialogue_id,
        "kind": kind.value,
        "subject_id": subject_id,
        "channel_id": channel_id,
        "due_at": due_at,
    }
    await tx.run(_RING, **row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of a worker's places are free, and how many each company holds of the others.

    A company may take one more place while it holds fewer than are free. So many floods at once come to equal shares,
    with one as large left free: half of the places for one flood, a third each for two; there is room for one company
    more always. Where others need little, what they leave is shared too: no place is kept for who does not come.
    """

    free: int
    held: Mapping[CompanyId, int] = field(default_factory=dict)

    @classmethod
    def of(cls, held: Mapping[CompanyId, int], *, places: int) -> Self:
        """Share so many places, of which these are held."""
        return cls(free=max(0, places - sum(held.values())), held=held)

    @property
    def full(self) -> list[CompanyId]:
        """The companies that may take no place now."""
        return [company_id for company_id, count in self.held.items() if count >= self.free]


class Work:
    """Claims, leases and their ends."""

    def __init__(self, database: Database, clock: _Clock) -> None:
        self._database = database
        self._clock = clock

    async def claim(
        self,
        owner: str,
        *,
        limit: int,
        ttl: timedelta,
        kind: WorkKind,
        share: Share | None = None,
        only: DialogueId | None = None,
    ) -> list[Claim]:
        """Take at most `limit` due rows of a kind that nobody holds; companies take turns, the longest waiting first.

        Each is held for `ttl` from now and must be renewed. A row whose lease ran out counts a lost lease. `share`
        keeps a company with thousands of rows from taking everything. `only`: of this dialogue and no other.
        """
        async with self._database.worker() as tx:
            return await self._claim(tx, owner, limit=limit, ttl=ttl, kind=kind, share=share, only=only)

    async def claim_and_look(
        self,
        owner: str,
        *,
        places: int,
        held: Iterable[CompanyId],
        ttl: timedelta,
        kind: WorkKind,
        only: DialogueId | None = None,
    ) -> tuple[list[Claim], timedelta | None]:
        """Claim for the places that are left beside those `held`, a company's work each, and look what comes next.

        Returns the claims, and how long until something is due that is free for the places that are left then; None
        where nothing is. One transaction: a worker that is woken for one row asks the database once.
        """
        whose = list(held)
        async with self._database.worker() as tx:
            share = Share.of(Counter(whose), places=places)
            left = places - len(whose)
            claims = await self._claim(tx, owner, limit=left, ttl=ttl, kind=kind, share=share, only=only)
            if len(claims) >= left:
                # There may be more at once, for places that are free by then.
                return claims, timedelta(0)
            now = self._clock()
            share = Share.of(Counter([*whose, *(claim.company_id for claim in claims)]), places=places)
            arguments = {"now": now, "kind": kind.value, "full": share.full, "only": only}
            first = await _first_due(tx, arguments)
        return claims, None if first is None else max(first - now, timedelta(0))

    async def _claim(
        self,
        tx: Transaction,
        owner: str,
        *,
        limit: int,
        ttl: timedelta,
        kind: WorkKind,
        share: Share | None,
        only: DialogueId | None,
    ) -> list[Claim]:
        now = self._clock()
        # Nobody's share: the last of so many may be its company's last, too.
        share = share or Share(free=2 * limit)
        arguments = {
            "now": now,
            "until": now + ttl,
            "owner": owner,
            "kind": kind.value,
            "limit": limit,
            "looked_at": limit * 4 + 100,
            "free": share.free,
            "full": share.full,
            "only": only,
            "holders": list(share.held),
            "held": list(share.held.values()),
        }
        return [_claim(row) for row in await tx.rows(_CLAIM, **arguments)]

    async def take(self, company_id: CompanyId, dialogue_id: DialogueId, owner: str, *, ttl: timedelta) -> Claim | None:
        """Take the turn of one dialogue, due or not; None where nothing waits there, or somebody holds it.

        For the process that holds a call's line: nobody else can speak to the caller.
        """
        now = self._clock()
        arguments = {"company": company_id, "dialogue": dialogue_id, "now": now, "until": now + ttl, "taker": owner}
        async with self._database.company(company_id) as tx:
            row = await tx.row(_TAKE, **arguments)
        return _claim(row) if row is not None else None

    async def take_from_all(
        self, tx: Transaction, dialogue_ids: Collection[DialogueId], *, owner: str, ttl: timedelta
    ) -> None:
        """Take all work of these dialogues, whoever holds it: from the commit on nothing of theirs is kept.

        Waits for a step of a holder that is being committed. What ends the claim is the caller's to do.
        """
        await tx.connection.execute(
            update(work)
            .where(work.c.company_id == tx.company, work.c.dialogue_id.in_(dialogue_ids))
            .values(lease_until=self._clock() + ttl, owner=owner, fence=work.c.fence + 1)
        )

    async def renew(self, claims: Collection[Claim], *, ttl: timedelta) -> set[Claim]:
        """Hold the claims for `ttl` from now; return those that are still held."""
        if not claims:
            return set()
        by_key = {(c.company_id, c.dialogue_id, c.kind.value, c.subject_id, c.fence): c for c in claims}
        statement = (
            update(work)
            .where(tuple_(*_KEY, work.c.fence).in_(list(by_key)), work.c.lease_until.is_not(None))
            .values(lease_until=self._clock() + ttl)
            .returning(*_KEY, work.c.fence)
        )
        async with self._database.worker() as tx:
            rows = (await tx.connection.execute(statement)).all()
        return {by_key[(row[0], row[1], row[2], row[3], row[4])] for row in rows}

    async def hold(self, tx: Transaction, claim: Claim) -> None:
        """Prove that the lease is ours, and keep it ours until the caller's transaction ends.

        The row stays locked so long, as its own update would lock it: a claim skips it, a renewal waits. What the
        transaction writes after this is therefore written by the one holder. Raises LeaseLost, also where the lease has
        run out and nobody has taken the row over yet.
        """
        if await tx.row(_HOLD, **_named(claim), now=self._clock()) is None:
            raise LeaseLost("the lease has run out, or another worker has taken the dialogue over")

    async def done(
        self,
        tx: Transaction,
        claim: Claim,
        *,
        next_due_at: datetime | None = None,
        rung_due_in: timedelta = timedelta(0),
    ) -> None:
        """End a claim in the transaction that keeps its results.

        What was rung since the claim is due at once, or after `rung_due_in`; else the row rests until `next_due_at`, or
        the next ring. Raises LeaseLost, with which the whole transaction is rolled back.
        """
        arguments = {
            **_named(claim),
            "seen_wake": claim.wake,
            "next_due": next_due_at,
            "rung_due": self._clock() + rung_due_in,
        }
        if await tx.run(_DONE, **arguments) == 0:
            raise LeaseLost("another worker has taken the dialogue over")

    async def release(self, claim: Claim, *, due_at: datetime, failed: bool) -> bool:
        """Give a claim back undone, due again at `due_at`; say whether it was still ours.

        `failed` counts as a failure of the work itself; a postponed or drained claim does not.
        """
        async with self._database.worker() as tx:
            changed = await tx.connection.execute(
                update(work)
                .where(*_is(claim))
                .values(
                    lease_until=None,
                    owner=None,
                    attempts=work.c.attempts + (1 if failed else 0),
                    due_at=due_at,
                )
            )
        return changed.rowcount == 1

    async def next_due_in(
        self, kind: WorkKind, *, share: Share | None = None, only: DialogueId | None = None
    ) -> timedelta | None:
        """Return how long until something is due that nobody holds, `share` allows and, if given, is of `only`.

        None where nothing is.
        """
        now = self._clock()
        arguments = {"now": now, "kind": kind.value, "full": share.full if share else [], "only": only}
        async with self._database.worker() as tx:
            first = await _first_due(tx, arguments)
        return None if first is None else max(first - now, timedelta(0))

    async def oldest_due(self, kind: WorkKind) -> timedelta | None:
        """Return how long what is due and held by nobody has waited; None where nothing is."""
        now = self._clock()
        arguments: dict[str, Any] = {"now": now, "kind": kind.value, "full": [], "only": None}
        async with self._database.worker() as tx:
            first = await _first_due(tx, arguments)
        return now - first if first is not None and first <= now else None


async def _first_due(tx: Transaction, arguments: Mapping[str, Any]) -> datetime | None:
    [row] = await tx.rows(_NEXT_DUE, **arguments)
    due: datetime | None = row["min"]
    return due


def _claim(row: Row) -> Claim:
    return Claim(
        company_id=CompanyId(row["company_id"]),
        dialogue_id=DialogueId(row["dialogue_id"]),
        kind=WorkKind(row["kind"]),
        subject_id=row["subject_id"],
        channel_id=ChannelId(row["channel_id"]),
        wake=row["wake"],
        fence=row["fence"],
        attempts=row["attempts"],
        lost_leases=row["lost_leases"],
    )


def _named(claim: Claim) -> dict[str, object]:
    """Return a claim as the arguments of `_claimed`."""
    return {
        "company": claim.company_id,
        "dialogue": claim.dialogue_id,
        "of_kind": claim.kind.value,
        "subject": claim.subject_id,
        "held_fence": claim.fence,
    }


def _is(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        work.c.company_id == claim.company_id,
        work.c.dialogue_id == claim.dialogue_id,
        work.c.kind == claim.kind.value,
        work.c.subject_id == claim.subject_id,
        work.c.fence == claim.fence,
        work.c.lease_until.is_not(None),
    )
