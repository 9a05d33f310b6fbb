"""One person across the company's channels: known by a phone that a channel has proved, and forgotten when they ask."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.booking_models import appointments, intents
from db.booking_records import IntentStatus
from db.call_models import calls
from db.dialogues import dialogue_of
from db.engine import Transaction
from db.models import accepted_updates, clients, dialogue_memory, handovers, messages, sessions, tool_calls, turns
from db.outbox_models import replies
from db.outreach_models import consents, outreach_log, ratings, waiting_list, waiting_offers
from db.past_us import list_past_us
from db.records import ChannelId, DeliveryStatus, Dialogue, DialogueId, InCharge, new_id
from db.role_models import late_answers
from db.sick_models import sick_visits
from db.staff_models import drafts, mirror_items, staff_messages


class Clients:
    """Every method works within the caller's transaction."""

    async def link(self, tx: Transaction, dialogue: Dialogue) -> None:
        """Say whose the dialogue is, once its phone is proved: the same person's as every other one with that phone."""
        if dialogue.proved_phone is None:
            return
        await tx.connection.execute(
            insert(clients)
            .values(company_id=tx.company, id=new_id(), phone=dialogue.proved_phone)
            .on_conflict_do_nothing(index_elements=["company_id", "phone"])
        )
        whose = (
            select(clients.c.id)
            .where(clients.c.company_id == tx.company, clients.c.phone == dialogue.proved_phone)
            .scalar_subquery()
        )
        await tx.connection.execute(
            update(sessions)
            .where(sessions.c.company_id == tx.company, sessions.c.id == dialogue.id)
            .values(client_id=whose)
        )

    async def list_dialogues(self, tx: Transaction, dialogue: Dialogue) -> Sequence[DialogueId]:
        """Return the client's dialogues in all channels; this one alone where it is nobody's yet."""
        if dialogue.client_id is None:
            return [dialogue.id]
        found = await tx.connection.scalars(
            select(sessions.c.id).where(sessions.c.company_id == tx.company, sessions.c.client_id == dialogue.client_id)
        )
        return [DialogueId(one) for one in found]

    async def find_messenger(self, tx: Transaction, phone: str, channels: Sequence[ChannelId]) -> Dialogue | None:
        """Return the dialogue in one of these channels where this number's owner was last heard, and can be reached.

        The number counts only where that channel has proved it.
        """
        row = (
            (
                await tx.connection.execute(
                    select(sessions)
                    .join(
                        clients,
                        and_(clients.c.company_id == sessions.c.company_id, clients.c.id == sessions.c.client_id),
                    )
                    .where(
                        sessions.c.company_id == tx.company,
                        clients.c.phone == phone,
                        sessions.c.proved_phone == phone,
                        sessions.c.channel_id.in_(channels),
                        sessions.c.unreachable_at.is_(None),
                    )
                    .order_by(sessions.c.last_message_at.desc().nulls_last())
                    .limit(1)
                )
            )
            .mappings()
            .one_or_none()
        )
        return dialogue_of(row) if row is not None else None

    async def is_with_person(self, tx: Transaction, dialogues: Sequence[DialogueId]) -> bool:
        """Say whether a person answers the client, in whichever channel."""
        found = await tx.connection.scalar(
            select(sessions.c.id)
            .where(
                sessions.c.company_id == tx.company,
                sessions.c.id.in_(dialogues),
                sessions.c.in_charge == InCharge.PERSON.value,
            )
            .limit(1)
        )
        return found is not None

    async def erase(self, tx: Transaction, dialogue: Dialogue) -> None:
        """Forget all that is kept of the client, in every channel of the company.

        What was counted stays without names; what waits to be sent (the notice of this to staff, too), and writes to a
        CRM that are still under way, stay. The CRM's own records are the business's.
        """
        ids = await self.list_dialogues(tx, dialogue)
        past_us = await list_past_us(tx, ids)
        # Offers before what they were offered for; of ratings the stars stay, as figures do.
        outreach = (waiting_offers, waiting_list, outreach_log, consents)
        said = (messages, tool_calls, handovers, dialogue_memory, drafts, mirror_items, staff_messages)
        for table in (*outreach, *said, late_answers, sick_visits):
            await tx.connection.execute(
                delete(table).where(table.c.company_id == tx.company, table.c.dialogue_id.in_(ids))
            )
        await tx.connection.execute(
            delete(accepted_updates).where(
                accepted_updates.c.company_id == tx.company,
                accepted_updates.c.dialogue_id.in_([*ids, *past_us]),
                or_(accepted_updates.c.done_at.is_not(None), accepted_updates.c.dead_at.is_not(None)),
            )
        )
        await tx.connection.execute(
            update(ratings)
            .where(ratings.c.company_id == tx.company, ratings.c.dialogue_id.in_(ids))
            .values(comment=None)
        )
        their_turns = select(turns.c.id).where(turns.c.company_id == tx.company, turns.c.dialogue_id.in_(ids))
        await tx.connection.execute(
            update(replies)
            .where(
                replies.c.company_id == tx.company,
                # Notices to staff went out with the client's turns, and name them.
                or_(replies.c.dialogue_id.in_(ids), replies.c.turn_id.in_(their_turns), replies.c.about.in_(ids)),
                replies.c.status != DeliveryStatus.WAITING.value,
            )
            .values(payload={})
        )
        await tx.connection.execute(
            update(intents)
            .where(
                intents.c.company_id == tx.company,
                intents.c.dialogue_id.in_(ids),
                intents.c.status.in_([IntentStatus.DONE.value, IntentStatus.REFUSED.value]),
            )
            .values(action={})
        )
        await tx.connection.execute(
            update(appointments)
            .where(appointments.c.company_id == tx.company, appointments.c.dialogue_id.in_(ids))
            .values(client_name="", visitor_name=None, phone="", updated_at=func.now())
        )
        await tx.connection.execute(
            update(sessions)
            .where(sessions.c.company_id == tx.company, sessions.c.id.in_(ids))
            .values(
                client_id=None,
                client_name=None,
                language=None,
                language_chosen=False,
                source=None,
                proved_phone=None,
                typed_phone=None,
                notice_at=None,
                notice_version=None,
                state=None,
                state_data={},
                state_version=sessions.c.state_version + 1,
            )
        )
        rung = (calls.c.company_id == tx.company, calls.c.dialogue_id.in_(ids))
        await tx.connection.execute(update(calls).where(*rung).values(caller=None))
        if dialogue.client_id is not None:
            await tx.connection.execute(
                delete(clients).where(clients.c.company_id == tx.company, clients.c.id == dialogue.client_id)
            )
