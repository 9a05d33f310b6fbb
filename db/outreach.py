"""Whom to write to unasked, and where: the dialogue that a client wrote from last and can still be reached in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, or_, select

from db.dialogues import dialogue_of
from db.engine import Transaction
from db.models import clients, sessions
from db.records import Channel, ChannelId, ChannelStatus, ChannelType, Dialogue, DialogueId

_WRITTEN_TO = frozenset({ChannelType.TELEGRAM, ChannelType.WHATSAPP})
"""In the others nothing can be said first: a call is over, and the API is asked."""


def writable(channels: Iterable[Channel]) -> list[ChannelId]:
    """Return those of a company's channels in which we may begin."""
    return [one.id for one in channels if one.type in _WRITTEN_TO and one.status is ChannelStatus.ACTIVE]


class Outreach:
    """Every method works within the caller's transaction. `channels`: those in which we may begin."""

    async def find_dialogue(
        self, tx: Transaction, dialogue_id: DialogueId, channels: Sequence[ChannelId]
    ) -> Dialogue | None:
        """Return where the client of this dialogue is written to; None where they cannot be reached.

        Of a client who has proved the same phone in several channels it is the dialogue that they wrote in last.
        """
        whose = (
            select(sessions.c.client_id)
            .where(sessions.c.company_id == tx.company, sessions.c.id == dialogue_id)
            .scalar_subquery()
        )
        row = (
            (
                await tx.connection.execute(
                    select(sessions)
                    .where(*_reachable(tx, channels), or_(sessions.c.id == dialogue_id, sessions.c.client_id == whose))
                    .order_by(sessions.c.last_message_at.desc().nulls_last())
                    .limit(1)
                )
            )
            .mappings()
            .one_or_none()
        )
        return dialogue_of(row) if row is not None else None

    async def find_owners(
        self, tx: Transaction, phones: Sequence[str], channels: Sequence[ChannelId]
    ) -> Mapping[str, Dialogue]:
        """Return where the owners of these numbers (E.164) are written to; only what a channel has proved counts."""
        if not phones:
            return {}
        of_client = and_(clients.c.company_id == sessions.c.company_id, clients.c.id == sessions.c.client_id)
        rows = await tx.connection.execute(
            select(sessions)
            .join(clients, of_client)
            .where(*_reachable(tx, channels), clients.c.phone.in_(phones), sessions.c.proved_phone == clients.c.phone)
            # The last one of a number stands.
            .order_by(sessions.c.last_message_at.nulls_first())
        )
        return {row["proved_phone"]: dialogue_of(row) for row in rows.mappings()}


def _reachable(tx: Transaction, channels: Sequence[ChannelId]) -> Sequence[ColumnElement[bool]]:
    return (
        sessions.c.company_id == tx.company,
        sessions.c.channel_id.in_(channels),
        sessions.c.unreachable_at.is_(None),
    )
