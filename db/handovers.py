"""Dialogues that a person answers: where staff see them, what is still to be shown there, what waits for an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.engine import Transaction
from db.models import handovers, sessions
from db.outbox_models import replies
from db.records import Author, ChannelId, CompanyId, DeliveryStatus, Dialogue, DialogueId, InCharge, WorkKind, new_id
from db.staff_models import handover_threads as threads
from db.staff_models import mirror_items, staff_messages
from db.statements import Statement
from db.work import ring


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Where staff see one client.

    `staff_chat` None: nowhere, they answer on the business's own phone. `topic_id` None: in no topic (yet);
    `topicless`: there will be none.
    """

    dialogue_id: DialogueId
    staff_chat: Dialogue | None
    topic_id: int | None
    topicless: bool
    reason: str
    opened_at: datetime
    closed_at: datetime | None
    client_waits_since: datetime | None
    person_at: datetime | None
    rung: int
    shown_until: UUID | None
    """The last update whose words staff were shown while its answer waited for them."""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorItem:
    """Something said in the dialogue, still to be shown to staff.

    `file`: an Attachment as JSON. `draft_id`: it is what the agent would say, and has not said.
    """

    author: Author
    text: str
    at: datetime
    file: Mapping[str, Any] | None = None
    draft_id: UUID | None = None
    id: UUID = field(default_factory=new_id)
    """Says after what it comes."""


_this = (threads.c.company_id == bindparam("company"), threads.c.dialogue_id == bindparam("dialogue"))
_FIND = Statement(select(threads).where(*_this))


class Handovers:
    """Every method works within the caller's transaction."""

    async def open(
        self,
        tx: Transaction,
        dialogue: Dialogue,
        *,
        dialogues: Sequence[DialogueId],
        staff_chat: Dialogue | None,
        reason: str,
        now: datetime,
        at_once: bool,
        client_waits: bool,
    ) -> Thread:
        """Show a client to staff. `at_once`: a person is in charge from now on, in all `dialogues`, this client's.

        `staff_chat`: where staff are to see it. What is open already stays open; `client_waits`: the client's last
        words are still to be answered by a person.
        """
        if at_once:
            await self.put_in_charge(tx, dialogues, InCharge.PERSON)
        waits = now if client_waits else None
        chat = staff_chat
        where = {
            "bot_channel_id": chat.channel_id if chat is not None else None,
            "staff_key": chat.key if chat is not None else None,
            "staff_dialogue_id": chat.id if chat is not None else None,
        }
        values = {
            "company_id": tx.company,
            "dialogue_id": dialogue.id,
            **where,
            "reason": reason[:200],
            "opened_at": now,
            "client_waits_since": waits,
        }
        moved = threads.c.staff_dialogue_id.is_distinct_from(where["staff_dialogue_id"])
        is_open = threads.c.closed_at.is_(None)
        begun = (
            insert(threads)
            .values(values)
            .on_conflict_do_update(
                index_elements=["company_id", "dialogue_id"],
                set_={
                    # The staff chat was changed meanwhile: its topics are others.
                    "topic_id": case((moved, None), else_=threads.c.topic_id),
                    "topicless": case((moved, False), else_=threads.c.topicless),
                    **where,
                    "reason": case((is_open, threads.c.reason), else_=reason[:200]),
                    "opened_at": case((is_open, threads.c.opened_at), else_=now),
                    "person_at": case((is_open, threads.c.person_at), else_=None),
                    "rung": case((is_open, threads.c.rung), else_=0),
                    "client_waits_since": func.coalesce(
                        case((is_open, threads.c.client_waits_since), else_=None), waits
                    ),
                    "closed_at": None,
                },
            )
        )
        row = (await tx.connection.execute(begun.returning(*threads.c))).mappings().one()
        return _thread(row)

    async def find(self, tx: Transaction, dialogue_id: DialogueId) -> Thread | None:
        """Return where staff see a client; None where they never did."""
        row = await tx.row(_FIND, company=tx.company, dialogue=dialogue_id)
        return _thread(row) if row is not None else None

    async def find_by_topic(self, tx: Transaction, staff_dialogue_id: DialogueId, topic_id: int) -> Thread | None:
        """Return whose topic this is."""
        return await self._one(tx, threads.c.staff_dialogue_id == staff_dialogue_id, threads.c.topic_id == topic_id)

    async def find_by_message(self, tx: Transaction, staff_dialogue_id: DialogueId, message_id: str) -> Thread | None:
        """Return which client a message of ours in the staff chat is about."""
        about = select(staff_messages.c.dialogue_id).where(
            staff_messages.c.company_id == tx.company,
            staff_messages.c.staff_dialogue_id == staff_dialogue_id,
            staff_messages.c.message_id == message_id,
        )
        return await self._one(tx, threads.c.dialogue_id == about.scalar_subquery())

    async def list_open(self, tx: Transaction, *, limit: int = 200) -> Sequence[Thread]:
        """Return what a person answers now; whose client waits longest comes first."""
        rows = await tx.connection.execute(
            select(threads)
            .where(threads.c.company_id == tx.company, threads.c.closed_at.is_(None))
            .order_by(threads.c.client_waits_since.asc().nulls_last(), threads.c.opened_at)
            .limit(limit)
        )
        return [_thread(row) for row in rows.mappings()]

    async def keep_topic(self, tx: Transaction, thread: Thread, topic_id: int | None) -> None:
        """Keep which topic was made for the client; None: there are no topics in that chat."""
        await self._change(tx, thread.dialogue_id, topic_id=topic_id, topicless=topic_id is None)

    async def forget_topic(self, tx: Transaction, dialogue_id: DialogueId, topic_id: int) -> None:
        """Note that this topic is gone, unless there is another already."""
        await tx.connection.execute(
            update(threads)
            .where(
                threads.c.company_id == tx.company,
                threads.c.dialogue_id == dialogue_id,
                threads.c.topic_id == topic_id,
            )
            .values(topic_id=None, topicless=False)
        )

    async def keep_shown(self, tx: Transaction, dialogue_id: DialogueId, update_id: UUID) -> None:
        """Note how far staff were shown what the client wrote, whose answer still waits for them."""
        await self._change(tx, dialogue_id, shown_until=update_id)

    async def agent_answered(self, tx: Transaction, dialogue_id: DialogueId) -> None:
        """Note that the client has an answer: nothing waits for a person any more."""
        await self._change(tx, dialogue_id, client_waits_since=None, rung=0)

    async def client_wrote(self, tx: Transaction, dialogue_id: DialogueId, *, at: datetime) -> None:
        """Note that the client's words wait for a person's; what waits already waits since then."""
        await self._change(tx, dialogue_id, client_waits_since=func.coalesce(threads.c.client_waits_since, at))

    async def person_answered(self, tx: Transaction, dialogue_id: DialogueId, *, at: datetime) -> None:
        """Note that a person has answered: nothing waits any more."""
        await self._change(tx, dialogue_id, client_waits_since=None, person_at=at, rung=0)

    async def count_ring(self, tx: Transaction, dialogue_id: DialogueId) -> None:
        """Note that staff were rung again for what waits."""
        await self._change(tx, dialogue_id, rung=threads.c.rung + 1)

    async def close(self, tx: Transaction, thread: Thread, dialogues: Sequence[DialogueId], *, now: datetime) -> None:
        """Give the client back to the agent, in all their dialogues."""
        await self.put_in_charge(tx, dialogues, InCharge.AGENT)
        await tx.connection.execute(
            update(threads)
            .where(threads.c.company_id == tx.company, threads.c.dialogue_id.in_(dialogues))
            .values(closed_at=now, client_waits_since=None, rung=0)
        )
        await self.resolve(tx, dialogues, now=now)

    async def resolve(self, tx: Transaction, dialogues: Sequence[DialogueId], *, now: datetime) -> None:
        """Note that a person has looked at what they were asked to look at."""
        await tx.connection.execute(
            update(handovers)
            .where(
                handovers.c.company_id == tx.company,
                handovers.c.dialogue_id.in_(dialogues),
                handovers.c.resolved_at.is_(None),
            )
            .values(resolved_at=now)
        )

    async def put_in_charge(self, tx: Transaction, dialogues: Sequence[DialogueId], who: InCharge) -> None:
        """Say who answers a client. Whose dialogue it is stays locked: a turn that commits meanwhile sees it."""
        ordered = (
            select(sessions.c.id)
            .where(sessions.c.company_id == tx.company, sessions.c.id.in_(dialogues))
            .order_by(sessions.c.id)
            .with_for_update()
        )
        await tx.connection.execute(ordered)
        await tx.connection.execute(
            update(sessions)
            .where(sessions.c.company_id == tx.company, sessions.c.id.in_(dialogues))
            .values(in_charge=who.value)
        )

    async def drop_agents_words(self, tx: Transaction, dialogues: Sequence[DialogueId]) -> Sequence[str]:
        """Let nothing of the agent's go out that has not yet; return the words that were dropped."""
        dropped = await tx.connection.execute(
            update(replies)
            .where(
                replies.c.company_id == tx.company,
                replies.c.dialogue_id.in_(dialogues),
                replies.c.status == DeliveryStatus.WAITING.value,
                replies.c.author == Author.AGENT.value,
            )
            .values(status=DeliveryStatus.DROPPED.value, error="a person answered before it was sent")
            .returning(replies.c.payload["text"].astext)
        )
        return [words for words in dropped.scalars() if words]

    async def show(
        self,
        tx: Transaction,
        dialogue_id: DialogueId,
        channel_id: ChannelId,
        items: Sequence[MirrorItem],
        *,
        due_at: datetime,
    ) -> None:
        """Have staff shown what was said, in this order."""
        if not items:
            return
        rows = [
            {
                "company_id": tx.company,
                "id": item.id,
                "dialogue_id": dialogue_id,
                "author": item.author.value,
                "text": item.text,
                "file": dict(item.file) if item.file is not None else None,
                "draft_id": item.draft_id,
                "at": item.at,
            }
            for item in items
        ]
        await tx.connection.execute(insert(mirror_items), rows)
        await ring(tx, dialogue_id=dialogue_id, channel_id=channel_id, kind=WorkKind.MIRROR, due_at=due_at)

    async def list_to_show(self, tx: Transaction, dialogue_id: DialogueId, *, limit: int) -> Sequence[MirrorItem]:
        """Return what staff have not been shown yet, the oldest first."""
        rows = await tx.connection.execute(
            select(mirror_items)
            .where(mirror_items.c.company_id == tx.company, mirror_items.c.dialogue_id == dialogue_id)
            .order_by(mirror_items.c.id)
            .limit(limit)
        )
        return [
            MirrorItem(
                id=row["id"],
                author=Author(row["author"]),
                text=row["text"],
                file=row["file"],
                draft_id=row["draft_id"],
                at=row["at"],
            )
            for row in rows.mappings()
        ]

    async def mark_shown(self, tx: Transaction, items: Sequence[MirrorItem]) -> None:
        """Forget what is on its way to staff."""
        await tx.connection.execute(
            delete(mirror_items).where(
                mirror_items.c.company_id == tx.company, mirror_items.c.id.in_([item.id for item in items])
            )
        )

    async def _one(self, tx: Transaction, *where: Any) -> Thread | None:
        found = await tx.connection.execute(select(threads).where(threads.c.company_id == tx.company, *where).limit(1))
        row = found.mappings().one_or_none()
        return _thread(row) if row is not None else None

    async def _change(self, tx: Transaction, dialogue_id: DialogueId, **values: Any) -> None:
        await tx.connection.execute(
            update(threads)
            .where(threads.c.company_id == tx.company, threads.c.dialogue_id == dialogue_id)
            .values(values)
        )


def _thread(row: RowMapping | Mapping[str, Any]) -> Thread:
    return Thread(
        dialogue_id=DialogueId(row["dialogue_id"]),
        staff_chat=_staff_chat(row),
        topic_id=row["topic_id"],
        topicless=row["topicless"],
        reason=row["reason"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        client_waits_since=row["client_waits_since"],
        person_at=row["person_at"],
        rung=row["rung"],
        shown_until=row["shown_until"],
    )


def _staff_chat(row: RowMapping | Mapping[str, Any]) -> Dialogue | None:
    if row["staff_dialogue_id"] is None:
        return None
    return Dialogue(
        id=DialogueId(row["staff_dialogue_id"]),
        company_id=CompanyId(row["company_id"]),
        channel_id=ChannelId(row["bot_channel_id"]),
        key=row["staff_key"],
    )
