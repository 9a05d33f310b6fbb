"""Replies on their way out: put with the turn's own commit, sent in order within a dialogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import RowMapping, Text, and_, bindparam, cast, exists, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from db.engine import Transaction
from db.models import sessions
from db.outbox_models import replies, sent_messages
from db.records import (
    Author,
    ChannelId,
    DeliveryEvent,
    DeliveryReport,
    DeliveryStatus,
    Dialogue,
    DialogueId,
    OutgoingReply,
    WorkKind,
    new_id,
)
from db.staff_models import staff_messages
from db.statements import Statement
from db.work import ring

_this = (replies.c.company_id == bindparam("company"), replies.c.id == bindparam("reply"))
_of_dialogue = (
    replies.c.company_id == bindparam("company"),
    replies.c.dialogue_id == bindparam("dialogue"),
    replies.c.status == DeliveryStatus.WAITING.value,
)
# A staff chat has no session.
_with_session = and_(sessions.c.company_id == replies.c.company_id, sessions.c.id == replies.c.dialogue_id)
_PUT = Statement(
    insert(replies),
    columns=(
        "company_id",
        "id",
        "dialogue_id",
        "channel_id",
        "dialogue_key",
        "turn_id",
        "payload",
        "status",
        "sent_at",
        "trace",
        "author",
        "about",
    ),
)
_STATUS = Statement(select(replies.c.status, replies.c.payload).where(*_this))
_WAITING = Statement(
    select(replies, sessions.c.last_message_at)
    .outerjoin(sessions, _with_session)
    .where(*_of_dialogue)
    .order_by(replies.c.id)
    .limit(bindparam("most"))
)
_FAIL_UNREACHABLE = Statement(
    update(replies)
    .where(
        *_of_dialogue,
        exists().where(
            sessions.c.company_id == replies.c.company_id,
            sessions.c.id == replies.c.dialogue_id,
            sessions.c.unreachable_at.is_not(None),
        ),
    )
    .values(status=DeliveryStatus.FAILED.value, error=bindparam("why"))
)
_PART_SENT = Statement(
    update(replies)
    .where(*_this)
    .values(
        sent_parts=replies.c.sent_parts + 1,
        channel_message_ids=replies.c.channel_message_ids.op("||")(
            cast(func.to_jsonb(bindparam("message", type_=Text)), JSONB)
        ),
    )
)
# A reply that takes a sent message's place has its id again.
_KEEP_SENT = Statement(
    insert(sent_messages).on_conflict_do_nothing(), columns=("company_id", "channel_id", "message_id", "reply_id")
)
# What staff answer by replying to it is found by the message's own id in their chat.
_KEEP_FOR_STAFF = Statement(
    insert(staff_messages).on_conflict_do_nothing(),
    columns=("company_id", "staff_dialogue_id", "message_id", "dialogue_id"),
)
_SENT = Statement(
    update(replies)
    .where(*_this)
    .values(status=DeliveryStatus.SENT.value, sent_at=bindparam("now"))
    .returning(replies.c.payload)
)


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class Outbox:
    """The table `replies`."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    async def find_sent_at(self, tx: Transaction, dialogue_id: DialogueId, turn_id: UUID) -> datetime | None:
        """Return when the last reply of a turn was taken by the messenger; None while one is still on its way."""
        mine = (
            replies.c.company_id == tx.company,
            replies.c.turn_id == turn_id,
            replies.c.dialogue_id == dialogue_id,
        )
        rows = (await tx.connection.execute(select(replies.c.sent_at).where(*mine))).scalars().all()
        return max(rows) if rows and all(one is not None for one in rows) else None

    async def put(
        self,
        tx: Transaction,
        dialogue: Dialogue,
        payloads: Sequence[Mapping[str, Any]],
        *,
        turn_id: UUID | None,
        sent: bool = False,
        trace: str | None = None,
        author: Author = Author.AGENT,
        about: DialogueId | None = None,
    ) -> None:
        """Keep replies in order and ring the dialogue's delivery, within the caller's transaction.

        `sent`: whoever made them tells the client at once (on the telephone): nothing has to be delivered. `trace`: the
        W3C traceparent that the delivery goes on with. `author`: the agent's words are dropped where a person answers
        before they were sent. `about`: the client that a message to staff is about.
        """
        if not payloads:
            return
        rows = [
            {
                "company_id": tx.company,
                "id": new_id(),
                "dialogue_id": dialogue.id,
                "channel_id": dialogue.channel_id,
                "dialogue_key": dialogue.key,
                "turn_id": turn_id,
                "payload": dict(payload),
                "status": (DeliveryStatus.SENT if sent else DeliveryStatus.WAITING).value,
                "sent_at": self._clock() if sent else None,
                "trace": trace,
                "author": author.value,
                "about": about,
            }
            for payload in payloads
        ]
        await tx.run_each(_PUT, rows)
        if sent:
            return
        await ring(
            tx,
            dialogue_id=dialogue.id,
            channel_id=dialogue.channel_id,
            kind=WorkKind.DELIVERY,
            due_at=self._clock(),
        )

    async def list_waiting(self, tx: Transaction, dialogue_id: DialogueId, *, limit: int) -> Sequence[OutgoingReply]:
        """Return what waits in a dialogue, the oldest first."""
        rows = await tx.rows(_WAITING, company=tx.company, dialogue=dialogue_id, most=limit)
        return [_reply(row) for row in rows]

    async def reword(self, tx: Transaction, turn_id: UUID, text: str) -> bool:
        """Change the words of a reply that nothing was sent of yet; say whether there was one."""
        changed = await tx.connection.execute(
            update(replies)
            .where(
                replies.c.company_id == tx.company,
                replies.c.turn_id == turn_id,
                replies.c.status == DeliveryStatus.WAITING.value,
                replies.c.sent_parts == 0,
            )
            .values(payload=replies.c.payload.op("||")(cast({"text": text}, JSONB)))
        )
        return changed.rowcount > 0

    async def find_message_of(self, tx: Transaction, turn_id: UUID) -> str | None:
        """Return the message that a turn's reply became last, by the messenger's id; None where it is not out."""
        found = await tx.connection.scalars(
            select(replies.c.channel_message_ids)
            .where(replies.c.company_id == tx.company, replies.c.turn_id == turn_id)
            .order_by(replies.c.id.desc())
        )
        return next((str(ids[-1]) for ids in found if ids), None)

    async def is_ours(self, tx: Transaction, channel_id: ChannelId, message_id: str) -> bool:
        """Say whether a message of a channel is one that we have sent."""
        found = await tx.connection.scalar(
            select(sent_messages.c.reply_id).where(
                sent_messages.c.company_id == tx.company,
                sent_messages.c.channel_id == channel_id,
                sent_messages.c.message_id == message_id,
            )
        )
        return found is not None

    async def has_turn(self, tx: Transaction, turn_id: UUID) -> bool:
        """Say whether anything was put under this id already."""
        found = await tx.connection.scalar(
            select(replies.c.id).where(replies.c.company_id == tx.company, replies.c.turn_id == turn_id).limit(1)
        )
        return found is not None

    async def count_waiting(self, tx: Transaction, dialogue_id: DialogueId) -> int:
        """Count what is still to be sent in a chat."""
        found = await tx.connection.scalar(
            select(func.count())
            .select_from(replies)
            .where(
                replies.c.company_id == tx.company,
                replies.c.dialogue_id == dialogue_id,
                replies.c.status == DeliveryStatus.WAITING.value,
            )
        )
        return int(found or 0)

    async def find_waiting(self, tx: Transaction, id_: UUID) -> Mapping[str, Any] | None:
        """Return a reply as it is to be sent now; None where it is not any more: a person has answered, or it was
        erased."""
        row = await tx.row(_STATUS, company=tx.company, reply=id_)
        return row["payload"] if row is not None and row["status"] == DeliveryStatus.WAITING.value else None

    async def mark_part_sent(self, tx: Transaction, reply: OutgoingReply, message_id: str) -> None:
        """Say that the messenger took one more piece, under this id of its own.

        Of a reply that was erased meanwhile nothing is kept.
        """
        if await tx.run(_PART_SENT, company=tx.company, reply=reply.id, message=message_id):
            row = {"channel_id": reply.channel_id, "message_id": message_id, "reply_id": reply.id}
            await tx.run(_KEEP_SENT, company_id=tx.company, **row)
            if reply.about is not None:
                about = {"staff_dialogue_id": reply.dialogue_id, "dialogue_id": reply.about}
                await tx.run(_KEEP_FOR_STAFF, company_id=tx.company, message_id=message_id, **about)

    async def mark_sent(self, tx: Transaction, id_: UUID) -> Mapping[str, Any] | None:
        """Say that the whole reply is out; return it as it stands: it may have been reworded on its way."""
        row = await tx.row(_SENT, company=tx.company, reply=id_, now=self._clock())
        return row["payload"] if row is not None else None

    async def mark_unheard(self, tx: Transaction, turn_id: UUID) -> None:
        """Say that a turn's replies, told on the telephone, were not heard to their end."""
        await tx.connection.execute(
            update(replies)
            .where(replies.c.company_id == tx.company, replies.c.turn_id == turn_id)
            .values(status=DeliveryStatus.FAILED.value, sent_at=None, error="the caller spoke over it")
        )

    async def mark_retry(self, tx: Transaction, id_: UUID, error: str) -> None:
        """Say that a try failed; the reply still waits."""
        await self._change(tx, id_, attempts=replies.c.attempts + 1, error=error[:500])

    async def mark_failed(self, tx: Transaction, id_: UUID, error: str) -> None:
        """Give the reply up: it can never be delivered."""
        await self._change(tx, id_, status=DeliveryStatus.FAILED.value, error=error[:500])

    async def keep_report(self, tx: Transaction, channel_id: ChannelId, report: DeliveryReport) -> OutgoingReply | None:
        """Keep what the messenger tells of a message of ours.

        Returns the reply whose standing changed; None where it is none of ours, or told nothing new. The words may come
        in any order and again: a later one is never undone by an earlier one.
        """
        row = (
            (
                await tx.connection.execute(
                    select(replies, sessions.c.last_message_at)
                    .join(
                        sent_messages,
                        and_(
                            sent_messages.c.company_id == replies.c.company_id, sent_messages.c.reply_id == replies.c.id
                        ),
                    )
                    .outerjoin(sessions, _with_session)
                    .where(
                        sent_messages.c.company_id == tx.company,
                        sent_messages.c.channel_id == channel_id,
                        sent_messages.c.message_id == report.message_id,
                    )
                    .with_for_update(of=replies)
                )
            )
            .mappings()
            .one_or_none()
        )
        if row is None:
            return None
        changes = _changes(row, report)
        if not changes:
            return None
        await self._change(tx, row["id"], **changes)
        return _reply({**row, **changes})

    async def send_again(self, tx: Transaction, reply: OutgoingReply) -> None:
        """Let a reply that came too late for free words wait once more: the channel may have a template for it."""
        await self._change(
            tx, reply.id, status=DeliveryStatus.WAITING.value, window_closed=True, sent_parts=0, sent_at=None
        )
        await ring(
            tx,
            dialogue_id=reply.dialogue_id,
            channel_id=reply.channel_id,
            kind=WorkKind.DELIVERY,
            due_at=self._clock(),
        )

    async def fail_unreachable(self, tx: Transaction, dialogue_id: DialogueId, error: str) -> int:
        """Give up all that waits where the dialogue is marked as unreachable; return how many that were.

        One statement, so that a turn that takes the mark back and puts its reply is seen whole or not at all.
        """
        return await tx.run(_FAIL_UNREACHABLE, company=tx.company, dialogue=dialogue_id, why=error[:500])

    async def _change(self, tx: Transaction, id_: UUID, **values: Any) -> int:
        changed = await tx.connection.execute(
            update(replies).where(replies.c.company_id == tx.company, replies.c.id == id_).values(values)
        )
        return changed.rowcount


def _reply(row: RowMapping | Mapping[str, Any]) -> OutgoingReply:
    return OutgoingReply(
        id=row["id"],
        dialogue_id=DialogueId(row["dialogue_id"]),
        channel_id=ChannelId(row["channel_id"]),
        dialogue_key=row["dialogue_key"],
        payload=row["payload"],
        attempts=row["attempts"],
        status=DeliveryStatus(row["status"]),
        sent_parts=row["sent_parts"],
        last_message_id=str(row["channel_message_ids"][-1]) if row["channel_message_ids"] else None,
        client_wrote_at=row["last_message_at"],
        window_closed=row["window_closed"],
        trace=row["trace"],
        about=DialogueId(row["about"]) if row["about"] is not None else None,
    )


def _changes(row: RowMapping, report: DeliveryReport) -> dict[str, Any]:
    """Return what a report changes; nothing where it is known already."""
    match report.event:
        case DeliveryEvent.SENT:
            return {}
        case DeliveryEvent.DELIVERED:
            return {} if row["delivered_at"] else {"delivered_at": report.at}
        case DeliveryEvent.READ:
            if row["read_at"]:
                return {}
            # Who reads it has got it; that word may come later, or never.
            return {"read_at": report.at, "delivered_at": row["delivered_at"] or report.at}
        case DeliveryEvent.FAILED | DeliveryEvent.WINDOW_CLOSED | DeliveryEvent.UNREACHABLE:
            if row["status"] != DeliveryStatus.SENT.value or row["delivered_at"]:
                return {}
            return {"status": DeliveryStatus.FAILED.value, "error": f"{report.event}: {report.code}"[:500]}
