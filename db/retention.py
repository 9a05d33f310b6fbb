"""What a company keeps only for a time, deleted in bounded batches: the sweeper asks again until nothing is old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Table, delete, exists, select, text, tuple_, update

from db.booking_models import appointments
from db.call_models import calls
from db.engine import Transaction
from db.models import accepted_updates, dialogue_memory, handovers, messages, sessions, tool_calls, turns, work
from db.outbox_models import replies
from db.outreach_models import freed_times, outreach_log, ratings, waiting_list
from db.outreach_records import WaitingStatus
from db.past_us import list_past_us
from db.personal_data import PersonalData, Subject
from db.privacy import Retention
from db.privacy_models import erasures
from db.records import DeliveryStatus, DialogueId, WorkKind
from db.staff_models import drafts, mirror_items

BATCH = 1000
DIALOGUES_AT_ONCE = 50
KEEP_ERASURES = timedelta(days=3 * 366)
"""Order No. 179 of Roskomnadzor wants acts and the log's extracts kept for three years."""

# Word for word as in the partial indexes that answer them.
_HAS_STATE = text("state_data <> '{}'::jsonb")
_IS_NOTED = text("(summary <> ''::text OR visits <> '[]'::jsonb)")
# Ids grow with time: the oldest rows are the first of the primary key, so nothing but a batch is ever looked at.
_TEXTS = (
    (messages, "at"),
    (tool_calls, "at"),
    (turns, "at"),
    (handovers, "created_at"),
    (drafts, "made_at"),
    (mirror_items, "at"),
)


class RetentionSweeps:
    """Every method works within the caller's transaction and returns how many rows it dealt with."""

    def __init__(self, *, batch: int = BATCH) -> None:
        self._batch = batch

    async def sweep(self, tx: Transaction, keep: Retention, *, now: datetime) -> int:
        """Delete a batch of each kind of what is older than the company keeps it."""
        texts = now - timedelta(days=keep.texts)
        gone = 0
        for table, column in _TEXTS:
            gone += await self._delete_oldest(tx, table, column, texts)
        sent = replies.c.status != DeliveryStatus.WAITING.value
        gone += await self._delete_oldest(tx, replies, "created_at", texts, among=sent)
        dead = accepted_updates.c.dead_at.is_not(None)
        gone += await self._delete_oldest(tx, accepted_updates, "dead_at", texts, among=dead)
        waits_no_more = waiting_list.c.status != WaitingStatus.WAITING.value
        gone += await self._delete_oldest(tx, waiting_list, "created_at", texts, among=waits_no_more)
        gone += await self._delete_oldest(tx, freed_times, "created_at", texts)
        gone += await self._delete_oldest(tx, ratings, "asked_at", texts)
        gone += await self._calls(tx, texts)
        gone += await self._states(tx, texts)
        gone += await self._summaries(tx, now - timedelta(days=keep.summaries))
        # It knows of each visit that its client was written to: it goes as late as the visits do.
        gone += await self._delete_oldest(tx, outreach_log, "at", now - timedelta(days=keep.clients))
        gone += await self._silent_clients(tx, now - timedelta(days=keep.clients), now)
        return gone + await self._delete_oldest(tx, erasures, "erased_at", now - KEEP_ERASURES)

    async def _calls(self, tx: Transaction, before: datetime) -> int:
        old = (
            select(calls.c.channel_id, calls.c.key)
            .where(calls.c.company_id == tx.company, calls.c.started_at < before)
            .limit(self._batch)
        )
        mine = (calls.c.company_id == tx.company, tuple_(calls.c.channel_id, calls.c.key).in_(old))
        return (await tx.connection.execute(delete(calls).where(*mine))).rowcount

    async def _states(self, tx: Transaction, before: datetime) -> int:
        """Forget what a dialogue was in the middle of: names, numbers and offers stand there."""
        old = (
            select(sessions.c.id)
            .where(
                sessions.c.company_id == tx.company,
                sessions.c.last_message_at < before,
                _HAS_STATE,
            )
            .limit(self._batch)
        )
        forgotten = await tx.connection.execute(
            update(sessions)
            .where(
                sessions.c.company_id == tx.company,
                sessions.c.id.in_(old),
                # A turn may have been committed since the row was looked at.
                sessions.c.last_message_at < before,
            )
            .values(state=None, state_data={}, state_version=sessions.c.state_version + 1)
        )
        return forgotten.rowcount

    async def _summaries(self, tx: Transaction, before: datetime) -> int:
        """Empty old notes; how far they went stays, or the next note would begin from the first words again."""
        table = dialogue_memory.c
        old = select(table.dialogue_id).where(table.company_id == tx.company, table.made_at < before, _IS_NOTED)
        emptied = await tx.connection.execute(
            update(dialogue_memory)
            .where(
                table.company_id == tx.company, table.dialogue_id.in_(old.limit(self._batch)), table.made_at < before
            )
            .values(summary="", visits=[])
        )
        return emptied.rowcount

    async def _silent_clients(self, tx: Transaction, before: datetime, now: datetime) -> int:
        """Erase the dialogues that were silent for so long, but those with work to do or an appointment ahead."""
        row = sessions.c
        ahead = exists().where(
            appointments.c.company_id == tx.company,
            appointments.c.dialogue_id == row.id,
            appointments.c.starts_at > now,
        )
        mine = select(row.id).where(row.company_id == tx.company, ~ahead).limit(DIALOGUES_AT_ONCE)
        silent = [
            *await tx.connection.scalars(mine.where(row.last_message_at < before).order_by(row.last_message_at)),
            # Written to by the business past us, they have never answered.
            *await tx.connection.scalars(mine.where(row.last_message_at.is_(None), row.created_at < before)),
        ]
        ids = await _at_rest(tx, [DialogueId(one) for one in silent])
        if not ids:
            return 0
        subject = Subject(
            phone=None,
            dialogue_ids=ids,
            client_ids=await _clients_only_of(tx, ids),
            past_us=await list_past_us(tx, ids),
        )
        return sum((await PersonalData().delete(tx, subject, accepted_until=before)).values())

    async def _delete_oldest(
        self, tx: Transaction, table: Table, moment: str, before: datetime, *, among: ColumnElement[bool] | None = None
    ) -> int:
        """Delete those of the company's first rows that are old, at most a batch. `among`: only these are looked at."""
        mine = [table.c.company_id == tx.company, *([among] if among is not None else [])]
        key = [column for column in table.primary_key.columns if column.name != "company_id"]
        columns = {column.name: column for column in (*key, table.c[moment])}
        first = select(*columns.values()).where(*mine).order_by(table.c.id).limit(self._batch).subquery()
        old = select(*(first.c[column.name] for column in key)).where(first.c[moment] < before)
        found = tuple_(*key).in_(old)
        return (await tx.connection.execute(delete(table).where(table.c.company_id == tx.company, found))).rowcount


async def _at_rest(tx: Transaction, ids: Sequence[DialogueId]) -> tuple[DialogueId, ...]:
    """Return those that nobody works on and that nothing waits in; nobody takes them before the transaction ends."""
    mine = (work.c.company_id == tx.company, work.c.dialogue_id.in_(ids))
    key = (work.c.dialogue_id, work.c.kind, work.c.subject_id)
    every = {tuple(one) for one in await tx.connection.execute(select(*key).where(*mine))}
    waits = work.c.kind.in_([WorkKind.TURN.value, WorkKind.DELIVERY.value]) & work.c.due_at.is_not(None)
    resting = select(*key).where(*mine, work.c.lease_until.is_(None), ~waits).with_for_update(skip_locked=True)
    busy = {one[0] for one in every - {tuple(one) for one in await tx.connection.execute(resting)}}
    return tuple(one for one in ids if one not in busy)


async def _clients_only_of(tx: Transaction, ids: Sequence[DialogueId]) -> tuple[UUID, ...]:
    """Return the clients who have no dialogue but these."""
    others = sessions.alias()
    elsewhere = exists().where(
        others.c.company_id == tx.company, others.c.client_id == sessions.c.client_id, others.c.id.not_in(ids)
    )
    mine = (sessions.c.company_id == tx.company, sessions.c.id.in_(ids), sessions.c.client_id.is_not(None))
    return tuple(await tx.connection.scalars(select(sessions.c.client_id).distinct().where(*mine, ~elsewhere)))
