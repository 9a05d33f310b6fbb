"""Dialogues and what was said in them: sessions, messages, turns, tool calls, handovers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, any_, bindparam, exists, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from db.engine import Transaction
from db.models import handovers, messages, sessions, tool_calls, turns
from db.records import (
    Author,
    ChannelId,
    CompanyId,
    Dialogue,
    DialogueId,
    HistoryMessage,
    InCharge,
    ToolCallRecord,
    Usage,
    new_id,
)
from db.staff_models import handover_threads
from db.statements import Row, Statement

_this = (sessions.c.company_id == bindparam("company"), sessions.c.id == bindparam("dialogue"))
_IS_SHOWN = exists().where(
    handover_threads.c.company_id == sessions.c.company_id,
    handover_threads.c.dialogue_id == sessions.c.id,
    handover_threads.c.closed_at.is_(None),
)
_FIND = Statement(select(sessions, _IS_SHOWN.label("shown_to_staff")).where(*_this))
_SAVE = Statement(
    update(sessions)
    .where(*_this)
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "client_name",
                "language",
                "language_chosen",
                "source",
                "proved_phone",
                "typed_phone",
                "greeted_at",
                "last_message_at",
                "notice_at",
                "notice_version",
            )
        }
    )
    .returning(sessions.c.in_charge)
)
_REACHED = Statement(update(sessions).where(*_this, sessions.c.unreachable_at.is_not(None)).values(unreachable_at=None))
_RECENT = Statement(
    select(messages)
    .where(
        messages.c.company_id == bindparam("company"),
        messages.c.dialogue_id == any_(bindparam("dialogues", type_=ARRAY(Uuid))),
    )
    .order_by(messages.c.id.desc())
    .limit(bindparam("most"))
)
_ADD_MESSAGES = Statement(
    insert(messages),
    columns=("company_id", "id", "at", "dialogue_id", "turn_id", "author", "text", "parts", "model", "prompt_version"),
)
_ADD_TOOL_CALLS = Statement(
    insert(tool_calls),
    columns=("company_id", "id", "dialogue_id", "turn_id", "name", "arguments", "outcome", "took_ms", "at"),
)
_ADD_TURN = Statement(
    insert(turns),
    columns=(
        "company_id",
        "id",
        "dialogue_id",
        "channel_id",
        "at",
        "calls",
        "prompt_tokens",
        "output_tokens",
        "cached_tokens",
        "outcome",
        "model",
        "cost_microusd",
        "messages",
        "accepted_at",
    ),
)


class Dialogues:
    """Every method works within the caller's transaction."""

    async def open_dialogue(
        self, tx: Transaction, *, channel_id: ChannelId, dialogue_id: DialogueId, key: str, now: datetime
    ) -> Dialogue:
        """Return the dialogue, begun now where it is not there yet."""
        found = await self.find_dialogue(tx, dialogue_id)
        if found is not None:
            return found
        values = {"company_id": tx.company, "id": dialogue_id, "channel_id": channel_id, "key": key, "created_at": now}
        begun = (
            insert(sessions)
            .values(values)
            .on_conflict_do_update(index_elements=["company_id", "id"], set_={"id": sessions.c.id})
        )
        row = (await tx.connection.execute(begun.returning(*sessions.c))).mappings().one()
        return dialogue_of(row)

    async def find_dialogue(self, tx: Transaction, dialogue_id: DialogueId) -> Dialogue | None:
        """Return a dialogue; None where there is none (a staff chat has none)."""
        row = await tx.row(_FIND, company=tx.company, dialogue=dialogue_id)
        return dialogue_of(row) if row is not None else None

    async def find_by_phone(self, tx: Transaction, channel_id: ChannelId, phone: str) -> Dialogue | None:
        """Return the dialogue of a channel in which the channel has proved this number, the latest; None: there is
        none."""
        row = await tx.connection.execute(
            select(sessions)
            .where(
                sessions.c.company_id == tx.company,
                sessions.c.channel_id == channel_id,
                sessions.c.proved_phone == phone,
            )
            .order_by(sessions.c.last_message_at.desc().nulls_last())
            .limit(1)
        )
        found = row.mappings().one_or_none()
        return dialogue_of(found) if found is not None else None

    async def save_dialogue(self, tx: Transaction, dialogue: Dialogue) -> InCharge:
        """Keep what was learnt of the client; return who is in charge now, which stays so until the commit."""
        arguments = {
            "company": tx.company,
            "dialogue": dialogue.id,
            "new_client_name": dialogue.client_name,
            "new_language": dialogue.language,
            "new_language_chosen": dialogue.language_chosen,
            "new_source": dialogue.source,
            "new_proved_phone": dialogue.proved_phone,
            "new_typed_phone": dialogue.typed_phone,
            "new_greeted_at": dialogue.greeted_at,
            "new_last_message_at": dialogue.last_message_at,
            "new_notice_at": dialogue.notice_at,
            "new_notice_version": dialogue.notice_version,
        }
        row = await tx.row(_SAVE, **arguments)
        return dialogue.in_charge if row is None else InCharge(row["in_charge"])

    async def mark_unreachable(
        self, tx: Transaction, dialogue_id: DialogueId, *, now: datetime, unless_heard_since: datetime | None = None
    ) -> bool:
        """Say that nothing reaches the client; an earlier mark stands.

        False, with nothing marked, where the client has written since, and where this is no client's dialogue (a staff
        chat has none).
        """
        statement = update(sessions).where(sessions.c.company_id == tx.company, sessions.c.id == dialogue_id)
        if unless_heard_since is not None:
            heard = func.coalesce(sessions.c.last_message_at, unless_heard_since)
            statement = statement.where(heard <= unless_heard_since)
        changed = await tx.connection.execute(
            statement.values(unreachable_at=func.coalesce(sessions.c.unreachable_at, now))
        )
        return changed.rowcount == 1

    async def mark_reachable(self, tx: Transaction, dialogue_id: DialogueId) -> None:
        """Take the mark back. Call it after `save_dialogue`, whose lock waits for a delivery that is marking."""
        await tx.run(_REACHED, company=tx.company, dialogue=dialogue_id)

    async def list_dialogues(self, tx: Transaction, *, open_only: bool, limit: int = 200) -> Sequence[Dialogue]:
        """Return the company's dialogues, the latest first; `open_only`: those that wait for a person."""
        statement = select(sessions).where(sessions.c.company_id == tx.company)
        if open_only:
            waiting = exists().where(
                handovers.c.company_id == sessions.c.company_id,
                handovers.c.dialogue_id == sessions.c.id,
                handovers.c.resolved_at.is_(None),
            )
            statement = statement.where(waiting)
        rows = await tx.connection.execute(
            statement.order_by(sessions.c.last_message_at.desc().nulls_last()).limit(limit)
        )
        return [dialogue_of(row) for row in rows.mappings()]

    async def add_messages(self, tx: Transaction, dialogue_id: DialogueId, said: Sequence[HistoryMessage]) -> None:
        """Add to the history."""
        if not said:
            return
        rows = [
            {
                "company_id": tx.company,
                "id": message.id,
                "at": message.at,
                "dialogue_id": dialogue_id,
                "turn_id": message.turn_id,
                "author": message.author.value,
                "text": message.text,
                "parts": [dict(part) for part in message.parts],
                "model": message.model,
                "prompt_version": message.prompt_version,
            }
            for message in said
        ]
        await tx.run_each(_ADD_MESSAGES, rows)

    async def cut_answer(self, tx: Transaction, dialogue_id: DialogueId, turn_id: UUID, heard: str) -> None:
        """Let the history hold no more of a turn's answer than the client has heard of it."""
        mine = (
            messages.c.company_id == tx.company,
            messages.c.dialogue_id == dialogue_id,
            messages.c.turn_id == turn_id,
            messages.c.author == Author.AGENT.value,
        )
        rows = (await tx.connection.execute(select(messages.c.id, messages.c.parts).where(*mine))).mappings().all()
        for row in rows:
            parts = list(row["parts"])
            if parts and parts[-1].get("role") == "model":
                parts[-1] = {"role": "model", "parts": [{"kind": "text", "text": heard or "…"}]}
            await tx.connection.execute(
                update(messages).where(*mine, messages.c.id == row["id"]).values(text=heard or "…", parts=parts)
            )

    async def list_recent_messages(
        self, tx: Transaction, dialogue_ids: Sequence[DialogueId], *, limit: int
    ) -> Sequence[HistoryMessage]:
        """Return the last messages of a client's dialogues, the oldest of them first."""
        rows = await tx.rows(_RECENT, company=tx.company, dialogues=dialogue_ids, most=limit)
        found = [
            HistoryMessage(
                id=row["id"],
                author=Author(row["author"]),
                text=row["text"],
                at=row["at"],
                turn_id=row["turn_id"],
                parts=tuple(row["parts"]),
                model=row["model"],
                prompt_version=row["prompt_version"],
            )
            for row in rows
        ]
        return found[::-1]

    async def list_tool_calls(self, tx: Transaction, turn_ids: Sequence[UUID]) -> Sequence[ToolCallRecord]:
        """Return what the model called in these turns, in order."""
        rows = await tx.connection.execute(
            select(tool_calls)
            .where(tool_calls.c.company_id == tx.company, tool_calls.c.turn_id.in_(turn_ids))
            .order_by(tool_calls.c.id)
        )
        return [
            ToolCallRecord(
                id=row["id"],
                turn_id=row["turn_id"],
                name=row["name"],
                arguments=row["arguments"],
                outcome=row["outcome"],
                took=timedelta(milliseconds=row["took_ms"]),
                at=row["at"],
            )
            for row in rows.mappings()
        ]

    async def add_tool_calls(self, tx: Transaction, dialogue_id: DialogueId, calls: Sequence[ToolCallRecord]) -> None:
        """Keep what the model called."""
        if not calls:
            return
        rows = [
            {
                "company_id": tx.company,
                "id": call.id,
                "dialogue_id": dialogue_id,
                "turn_id": call.turn_id,
                "name": call.name,
                "arguments": dict(call.arguments),
                "outcome": call.outcome,
                "took_ms": round(call.took.total_seconds() * 1000),
                "at": call.at,
            }
            for call in calls
        ]
        await tx.run_each(_ADD_TOOL_CALLS, rows)

    async def add_turn(
        self,
        tx: Transaction,
        *,
        turn_id: UUID,
        dialogue_id: DialogueId,
        channel_id: ChannelId,
        at: datetime,
        usage: Usage,
        outcome: str,
        model: str | None = None,
        cost: int = 0,
        messages: int = 0,
        accepted_at: datetime | None = None,
    ) -> None:
        """Keep a turn's outcome and what it cost.

        `messages`: how many of the client's it answered; `accepted_at`: when the last of them was accepted.
        """
        row = {
            "company_id": tx.company,
            "id": turn_id,
            "dialogue_id": dialogue_id,
            "channel_id": channel_id,
            "at": at,
            "calls": usage.calls,
            "prompt_tokens": usage.prompt_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
            "outcome": outcome,
            "model": model,
            "cost_microusd": cost,
            "messages": messages,
            "accepted_at": accepted_at,
        }
        await tx.run(_ADD_TURN, **row)

    async def waits_for_person(self, tx: Transaction, dialogue_id: DialogueId, *, reason: str) -> bool:
        """Say whether a person is already asked to look at the dialogue for this reason."""
        found = await tx.connection.scalar(
            select(handovers.c.id)
            .where(
                handovers.c.company_id == tx.company,
                handovers.c.dialogue_id == dialogue_id,
                handovers.c.reason == reason,
                handovers.c.resolved_at.is_(None),
            )
            .limit(1)
        )
        return found is not None

    async def add_handover(
        self, tx: Transaction, dialogue_id: DialogueId, *, reason: str, summary: str, now: datetime
    ) -> None:
        """Mark the dialogue as waiting for a person."""
        values: dict[str, Any] = {"reason": reason[:200], "summary": summary[:2000], "created_at": now}
        await tx.connection.execute(
            insert(handovers).values(company_id=tx.company, id=new_id(), dialogue_id=dialogue_id, **values)
        )


def dialogue_of(row: RowMapping | Row) -> Dialogue:
    """Read a row of `sessions`."""
    return Dialogue(
        id=DialogueId(row["id"]),
        company_id=CompanyId(row["company_id"]),
        channel_id=ChannelId(row["channel_id"]),
        key=row["key"],
        in_charge=InCharge(row["in_charge"]),
        client_name=row["client_name"],
        client_id=row["client_id"],
        language=row["language"],
        language_chosen=row["language_chosen"],
        source=row["source"],
        proved_phone=row["proved_phone"],
        typed_phone=row["typed_phone"],
        greeted_at=row["greeted_at"],
        last_message_at=row["last_message_at"],
        unreachable_at=row["unreachable_at"],
        notice_at=row["notice_at"],
        notice_version=row["notice_version"],
        shown_to_staff=bool(row.get("shown_to_staff")),
    )
